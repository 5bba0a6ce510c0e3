"""`datagen predict`: one photo, or a folder of them, against one reference."""

import csv
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.cli.show import check_picture_path
from datagen.cli.train import need_torch, print_json
from datagen.cli.train_options import PredictOptions
from datagen.core.errors import UsageError

if TYPE_CHECKING:
    from datagen.train.sheet import Tile
    from datagen.train.task import Answer


def run_predict(options: PredictOptions) -> None:
    """Judge one photo, or those of a folder, against one reference; or the objects of a scene against each other."""
    need_torch()
    from datagen.train.predict import open_judge, photos_of, predict_scene

    if options.table is not None and (options.query is None or not options.query.is_dir()):
        raise UsageError("--csv is for a folder of photos; give one as --query")
    if options.out is not None:
        check_picture_path(options.out)
    if options.scene is not None:
        if options.query or options.reference or options.calibration:
            raise UsageError("--scene stands by itself; leave --query, --reference and --calibration out")
        _predict_one(
            options, predict_scene(options.checkpoint, options.scene, views=options.views, device=options.device)
        )
        return
    if options.query is None or options.reference is None:
        raise UsageError("give --query and --reference, or --scene")
    if not options.query.name:
        raise UsageError("--query is empty; give a photo or a folder of photos")
    photos = photos_of(options.query) if options.query.is_dir() else [options.query]
    judge = open_judge(options.checkpoint, options.reference, options.device, options.calibration)
    judged = partial(judge, background=options.background, shadow=options.shadow)
    if options.query.is_dir():
        _predict_folder(options, judged, photos)
    else:
        try:
            found = judged(options.query)
        except UsageError as error:
            raise UsageError(of_photo(options.query, error)) from error
        _predict_one(options, found, options.query.name)


def _predict_one(options: PredictOptions, found: "Answer", photo: str = "") -> None:
    """`photo`: the name of the photo, which captions the picture; of a scene the picture stands by itself."""
    from PIL import Image

    from datagen.train.sheet import ALONE_PX, sheet

    console = open_console()
    for note in found.notes:
        say(console, "note", note)
    for line in found.lines():
        console.print(line)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        drawn = Image.fromarray(found.picture)
        if photo:
            drawn = sheet([_tile(found, photo)], height=max(ALONE_PX, drawn.height))
        drawn.save(options.out)
        console.print(f"picture: {options.out}", soft_wrap=True)
    if options.as_json:
        print_json(found.to_json())


def _tile(found: "Answer", photo: str) -> "Tile":
    """A photo's place on a sheet: verdict, what differs, and what was noted."""
    from datagen.train.sheet import Tile

    lines = [photo, *found.lines()[:2], *(f"note: {note}" for note in found.notes)]
    return Tile(found.picture, lines, marked=bool(found.to_json().get("anomalous")))


def of_photo(photo: Path, error: UsageError) -> str:
    """What is wrong with a photo, with its name."""
    why = str(error.args[0])
    return why if photo.name in why else f"{photo.name}: {why}"


def _predict_folder(options: PredictOptions, judge: Callable[[Path], "Answer"], photos: Sequence[Path]) -> None:
    """Every photo on its own: one that cannot be judged is told by its name. Exit 3 where there was one."""
    from datagen.train.sheet import Tile, sheet

    console, tiles, told = open_console(), [], []
    for photo in photos:
        try:
            found = judge(photo)
        except UsageError as error:
            why = of_photo(photo, error)
            say(console, "error", why)
            tiles.append(Tile(None, [photo.name, why], marked=True))
            told.append({"query": str(photo), "error": str(error.args[0])})
            continue
        for note in found.notes:
            say(console, "note", f"{photo.name}: {note}")
        lines = found.lines()
        console.print(f"{photo.name}: {'; '.join(lines[:2])}", soft_wrap=True, highlight=False)
        tiles.append(_tile(found, photo.name))
        told.append({"query": str(photo), **found.to_json()})
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        sheet(tiles).save(options.out)
        console.print(f"sheet: {options.out}", soft_wrap=True)
    if options.table:
        _write_table(options.table, told)
        console.print(f"table: {options.table}", soft_wrap=True)
    if options.as_json:
        print_json(told)
    if any("error" in one for one in told):
        raise typer.Exit(3)


COLUMNS = ("query", "score", "threshold", "anomalous", "left", "top", "right", "bottom", "differs", "notes", "error")


def _write_table(path: Path, told: Sequence[dict[str, Any]]) -> None:
    """A line for each photo; the box of an anomalous one in pixels of the photo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        for one in told:
            box = one.get("box_px") if one.get("anomalous") else None
            notes = "; ".join(one.get("notes", ()))
            writer.writerow({**one, "notes": notes, **dict(zip(COLUMNS[4:8], box or (), strict=False))})
