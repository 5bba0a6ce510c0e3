"""`datagen train`, `evaluate`, `predict`: arguments in, progress and figures out."""

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.cli.outfile import check_picture_path
from datagen.core.errors import MissingDependency, UsageError

if TYPE_CHECKING:
    from datagen.train.loop import Event


def need_torch() -> None:
    """Raises MissingDependency, exit 5, where the extra is not installed."""
    missing = [name for name in ("torch", "safetensors", "kornia") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependency(f"training needs {', '.join(missing)}; pip install 'datagen[train]'")


def run_train(
    *,
    data: Path,
    model: str | None,
    out: Path | None,
    recipe: str | None,
    resume: bool,
    init: Path | None,
    seed: int | None,
    overrides: Sequence[str],
    device: str | None,
    unverified: bool,
) -> None:
    """Train, or go on training."""
    need_torch()
    from datagen.train.checkpoint import newest_checkpoint
    from datagen.train.data import require_samples
    from datagen.train.loop import train
    from datagen.train.recipes import load_train_recipe
    from datagen.train.run import open_run
    from datagen.train.runtime import open_runtime

    console = open_console()
    loaded = load_train_recipe(recipe, model, overrides, seed)
    require_task(data)
    with open_runtime(device) as runtime:
        if runtime.leads and not unverified:
            ensure_verified(console, data)
        require_samples(data, ("train", "val"))
        folder = out or Path("out") / "runs" / loaded.name
        if runtime.leads and resume and not newest_checkpoint(folder):
            console.print(f"{folder} holds no checkpoint: starting", soft_wrap=True)
        if runtime.leads:
            open_run(folder, data, loaded, runtime.ranks, resume)
        runtime.barrier()
        with Bar(console, show=runtime.leads) as bar:
            done = train(folder, data, loaded, runtime, bar.watch, resume, init)
        if runtime.leads:
            best = f"{done.progress.best_score:.3f}" if done.progress.best_step >= 0 else "undefined"
            word = _spelt(done.objective.measure)
            console.print(f"run: {folder}; best validation {word} {best}", soft_wrap=True)


def require_task(data: Path) -> None:
    """Raises UsageError for a dataset of a kind that nothing here learns from, or for no dataset."""
    from datagen.kinds.registry import kind_of, kinds

    kind = kind_of(data)
    if not kind.trains:
        known = ", ".join(name for name, other in sorted(kinds().items()) if other.trains)
        raise UsageError(
            f"{data} is a dataset of kind {kind.name}, which has no training task yet; those of kind {known} have one"
        )


def ensure_verified(console: Console, data: Path) -> None:
    """Verify the dataset unless these bytes have passed before. Raises UnverifiedData (exit 4), UsageError."""
    from datagen.train.verified import UnverifiedData, has_passed, note_passed

    if has_passed(data):
        return
    from datagen.kinds.registry import examination_of, open_tree
    from datagen.verify.document import examine

    console.print("verifying the dataset first (once; --unverified trains without)")
    tree = open_tree(data)
    examination = examination_of(tree)
    document = examine(examination, examination.evidence(tree))
    if not document.ok:
        failed = ", ".join(result.name for result in document.results if result.failed_as_error)
        raise UnverifiedData(
            f"{data} does not pass: {failed}; see `datagen verify {data}`, or train all the same with --unverified"
        )
    note_passed(data, document.byte_digest)


def _spelt(measure: str) -> str:
    """A measure of validation as people write it."""
    return "AUC" if measure == "auc" else measure


class Bar:
    """Steps, loss, throughput and memory: a bar on a terminal, a line now and then otherwise."""

    def __init__(self, console: Console, show: bool) -> None:
        self.console, self.show = console, show
        columns = ("step", "loss", "samples/s", "GiB", "validation")
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not (show and console.is_terminal),
        )
        self.task = self.bar.add_task(" ".join(columns), total=None, text="")
        self.validation = ""

    def __enter__(self) -> "Bar":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def watch(self, event: "Event") -> None:
        """Take note of one step."""
        if event.validation is not None:
            self.validation = f", validation {_spelt(event.measure)} {event.validation:.3f}"
        text = (
            f"loss {event.loss:.3f}, {event.samples_per_s:.1f} samples/s, {event.memory_gib:.2f} GiB{self.validation}"
        )
        self.bar.update(self.task, total=event.steps, completed=event.step, text=text)
        due = event.step == event.steps or event.validation is not None or event.step % max(1, event.steps // 20) == 0
        if self.show and not self.console.is_terminal and due:
            self.console.print(f"step {event.step}/{event.steps}: {text}")


def run_evaluate(
    *,
    run: Path,
    data: Path,
    split: str,
    out: Path | None,
    sweep: bool,
    overrides: Sequence[str],
    device: str | None,
    as_json: bool,
) -> None:
    """Evaluate, and write evaluation.json and evaluation.html."""
    need_torch()
    from datagen.train.evaluate import evaluate
    from datagen.train.load import load_network
    from datagen.train.page import write_page
    from datagen.train.runtime import open_runtime

    console = open_console()
    require_task(data)
    with open_runtime(device) as runtime:
        loaded = load_network(run, runtime.device, overrides)
        found = evaluate(loaded, data, split, runtime, sweep=sweep)
        if not runtime.leads:
            return
        folder = out or (run if run.is_dir() else run.parent)
        page = write_page(folder, f"evaluation-{split}", found, loaded)
    console.print(_figures(found.report))
    console.print(f"page: {page}", soft_wrap=True)
    if as_json:
        print_json(found.report)


def run_predict(
    *,
    checkpoint: Path,
    query: Path,
    reference: Path,
    out: Path | None,
    background: str,
    shadow: bool,
    device: str | None,
    as_json: bool,
) -> None:
    """Judge one photo against one reference."""
    need_torch()
    from PIL import Image

    from datagen.train.predict import predict

    if out is not None:
        check_picture_path(out)
    found = predict(checkpoint, query, reference, background=background, shadow=shadow, device=device)
    console = open_console()
    for note in found.notes:
        say(console, "note", note)
    word = "anomalous" if found.anomalous else "normal"
    console.print(f"{word}: score {found.score:.3f} (threshold {found.threshold:.3f})")
    if found.box_px and found.anomalous:
        left, top, right, bottom = (round(v) for v in found.box_px)
        console.print(f"box in the photo: {left}, {top} to {right}, {bottom} px")
    if found.nearest_view is not None:
        console.print(f"nearest view: {found.nearest_view}, azimuth {found.nearest_azimuth_deg}")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(found.picture).save(out)
        console.print(f"picture: {out}", soft_wrap=True)
    if as_json:
        print_json(found.to_json())


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


def _figures(report: dict) -> Table:
    table = Table(
        title=f"{report['split']}: {report['n']} samples of {report['n_shapes']} shapes", title_justify="left"
    )
    for name in ("metric", "value", "95 % interval"):
        table.add_column(name)
    for name, interval in report["intervals"].items():
        low, high = ("-" if v is None else f"{v:.3f}" for v in interval)
        value = "-" if report[name] is None else f"{report[name]:.3f}"
        table.add_row(name.replace("_", " "), value, f"{low} to {high}")
    return table
