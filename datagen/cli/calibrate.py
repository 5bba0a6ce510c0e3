"""`datagen calibrate`: a threshold from photographs of good parts."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.cli.predict import of_photo
from datagen.cli.train import need_torch, print_json
from datagen.cli.train_options import CalibrateOptions
from datagen.core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from datagen.train.task import ScoredAnswer


def run_calibrate(options: CalibrateOptions) -> None:
    """Score good and bad photographs, write the calibration, and say what it can promise. Exit 3 for unread photos."""
    need_torch()
    from datagen.train.calibration import calibrate, write_calibration
    from datagen.train.checkpoint import checkpoint_of
    from datagen.train.predict import open_judge, photos_of

    console = open_console()
    for folder in filter(None, (options.photos, options.bad)):
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder; give one of photographs")
    photos, bad = photos_of(options.photos), photos_of(options.bad) if options.bad else []
    judge = open_judge(options.checkpoint, options.reference, options.device)

    def judged(photo: Path) -> "ScoredAnswer":
        return judge(photo, background=options.background, shadow=options.shadow)

    good_scores, bad_scores = (_scores(console, judged, folder) for folder in (photos, bad))
    checkpoint = checkpoint_of(options.checkpoint)
    found = calibrate(good_scores, bad_scores, checkpoint, false_calls=options.false_calls, affine=options.affine)
    out = options.out or (options.checkpoint if options.checkpoint.is_dir() else checkpoint.parent) / "calibration.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_calibration(found, out)
    for line in found.lines():
        console.print(line, soft_wrap=True, highlight=False)
    console.print(f"calibration: {out}", soft_wrap=True)
    if options.as_json:
        print_json(found.to_json())
    if len(good_scores) + len(bad_scores) < len(photos) + len(bad):
        raise typer.Exit(3)


def _scores(console: "Console", judged: Callable[[Path], "ScoredAnswer"], photos: list[Path]) -> list[float]:
    """Scores of the photos that can be judged; the others are told by name, as is what was noticed of a photo."""
    found = []
    for photo in photos:
        try:
            answer = judged(photo)
        except UsageError as error:
            say(console, "error", of_photo(photo, error))
            continue
        found.append(answer.score)
        for note in answer.notes:
            say(console, "note", f"{photo.name}: {note}")
    return found
