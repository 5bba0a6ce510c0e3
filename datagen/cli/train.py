"""`datagen train`, `evaluate`: arguments in, progress and figures out."""

import csv
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.cli.online import open_online
from datagen.cli.train_options import EvaluateOptions, TrainOptions
from datagen.core.errors import MissingDependency, UsageError
from datagen.train.metrics import spelt

if TYPE_CHECKING:
    from datagen.kinds.registry import Kind
    from datagen.train.loop import Event
    from datagen.train.task import Evaluation, Loaded


def need_torch() -> None:
    """Raises MissingDependency, exit 5, where the extra is not installed."""
    missing = [name for name in ("torch", "safetensors", "kornia") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependency(f"training needs {', '.join(missing)}; pip install 'datagen[train]'")


def run_train(options: TrainOptions) -> None:
    """Train, or go on training."""
    need_torch()
    from datagen.train.checkpoint import newest_checkpoint
    from datagen.train.loop import train
    from datagen.train.recipes import load_train_recipe
    from datagen.train.run import open_run
    from datagen.train.runtime import open_runtime
    from datagen.train.tasks.registry import find_task

    console, data = open_console(), options.data
    kind = learned_kind(data)
    values = list(options.overrides or ())
    recipe = load_train_recipe(options.recipe, options.model, values, options.seed, kind.tasks[0])
    if options.online and getattr(recipe.data, "pairs", "") == "natural":
        # What a user says of pairs comes after it, and is refused where it is something else.
        values = ["data.pairs=counterfactual", *values]
        recipe = load_train_recipe(options.recipe, options.model, values, options.seed, kind.tasks[0])
    require_task(data, kind, recipe.task)
    online = open_online(options, kind, recipe) if options.online or options.shapes else None
    with open_runtime(options.device) as runtime:
        if runtime.leads and not options.unverified:
            ensure_verified(console, data, kind)
        find_task(recipe.task).require_data(data, ("val",) if online else ("train", "val"))
        folder = options.out or Path("out") / "runs" / recipe.name
        if runtime.leads and options.resume and not newest_checkpoint(folder):
            console.print(f"{folder} holds no checkpoint: starting", soft_wrap=True)
        if runtime.leads:
            open_run(folder, data, recipe, runtime.ranks, options.resume, online and online[1])
        runtime.barrier()
        with Bar(console, show=runtime.leads) as bar:
            maker = online[0] if online else None
            done = train(folder, data, recipe, runtime, bar.watch, options.resume, options.init, maker)
        if runtime.leads:
            best = f"{done.progress.best_score:.3f}" if done.progress.best_step >= 0 else "undefined"
            word = spelt(done.objective.measure)
            console.print(f"run: {folder}; best validation {word} {best}", soft_wrap=True)


def learned_kind(data: Path) -> "Kind":
    """The kind of a dataset. Raises UsageError where no task learns from it, or where there is no dataset."""
    from datagen.kinds.registry import kind_of, kinds

    kind = kind_of(data)
    if not kind.tasks:
        known = ", ".join(name for name, other in sorted(kinds().items()) if other.tasks)
        raise UsageError(
            f"{data} is a dataset of kind {kind.name}, which has no training task yet; those of kind {known} have one"
        )
    return kind


def require_task(data: Path, kind: "Kind", task: str) -> None:
    """Raises UsageError for a task that does not learn from this kind of dataset, with those that do."""
    from datagen.kinds.registry import kinds

    if task in kind.tasks:
        return
    others = ", ".join(name for name, other in sorted(kinds().items()) if task in other.tasks) or "no kind that is here"
    raise UsageError(
        f"{data} is a dataset of kind {kind.name}, from which task {task} does not learn: "
        f"{', '.join(kind.tasks)} does, and {task} learns from {others}"
    )


def ensure_verified(console: Console, data: Path, kind: "Kind") -> None:
    """Verify the dataset unless these bytes have passed before. Raises UnverifiedData (exit 4), UsageError."""
    from datagen.store.reader import DatasetReader
    from datagen.train.verified import UnverifiedData, has_passed, note_passed

    reader = DatasetReader(data, kind.building.folders)
    if has_passed(reader):
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
    note_passed(reader, document.byte_digest)


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
            self.validation = f", validation {spelt(event.measure)} {event.validation:.3f}"
        text = (
            f"loss {event.loss:.3f}, {event.samples_per_s:.1f} samples/s, {event.memory_gib:.2f} GiB{self.validation}"
        )
        self.bar.update(self.task, total=event.steps, completed=event.step, text=text)
        due = event.step == event.steps or event.validation is not None or event.step % max(1, event.steps // 20) == 0
        if self.show and not self.console.is_terminal and due:
            self.console.print(f"step {event.step}/{event.steps}: {text}")


def run_evaluate(options: EvaluateOptions) -> None:
    """Evaluate, and write evaluation-<split>.json, .html and scores-<split>.csv."""
    need_torch()
    from datagen.train.evaluate import evaluate, evaluation_label
    from datagen.train.load import load_network
    from datagen.train.page import write_page
    from datagen.train.runtime import open_runtime

    console, run = open_console(), options.run
    kind = learned_kind(options.data)
    with open_runtime(options.device) as runtime:
        loaded = load_network(run, runtime.device, options.overrides or ())
        require_task(options.data, kind, loaded.task.name)
        found = evaluate(loaded, options.data, options.split, runtime, sweep=options.sweep)
        if not runtime.leads:
            return
        folder, label = options.out or (run if run.is_dir() else run.parent), evaluation_label(loaded, found.report)
        page = write_page(folder, f"evaluation-{label}", found, loaded)
        _write_table(folder / f"scores-{label}.csv", found, loaded)
    for note in found.report.get("notes", ()):
        say(console, "note", note)
    console.print(_figures(found.report))
    console.print(f"page: {page}", soft_wrap=True)
    if options.as_json:
        print_json(found.report)


def _write_table(path: Path, found: "Evaluation", loaded: "Loaded") -> None:
    """The scores of single samples, by the task's own columns or those of `datagen view --scores`."""
    from datagen.view.scores import write_scores

    judged = found.predictions
    if loaded.task.rows is not None:
        rows = loaded.task.rows(judged)
        with path.open("w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        return
    named = [getattr(sample, "query_path", "") for sample in judged.samples]
    if all(named):
        write_scores(path, zip(named, judged.label.tolist(), judged.score.tolist(), strict=True))


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
