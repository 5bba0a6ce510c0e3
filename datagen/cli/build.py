"""`datagen build`: recipe and collection in, progress and a closing summary out."""

import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.cli.options import BuildOptions
from datagen.core.clutter import real
from datagen.core.errors import UsageError
from datagen.kinds.registry import load_recipe, make_plan, open_shapes
from datagen.pipeline.assets import open_assets
from datagen.pipeline.build import Executor, Scope, build
from datagen.pipeline.cores import usable_cores
from datagen.pipeline.plan import Plan
from datagen.pipeline.run_serial import SerialExecutor
from datagen.pipeline.status import missing_shards, ranges
from datagen.pipeline.summary import Summary
from datagen.pipeline.worker import Outcome, Site
from datagen.recipe.loader import DatasetRecipe, find_recipe
from datagen.render.protocol import FAKE_NOTE, RENDERERS, open_renderer
from datagen.shapes.built_in import STAND_INS
from datagen.store.log import read_folder


def run_build(options: BuildOptions) -> bool:
    """Build, and return whether anything was quarantined, or no picture came out.

    Raises UsageError, RecipeError and what a build raises.
    """
    shard = parse_shard(options.shard)
    console = open_console()
    recipe = load_recipe(find_recipe(options.recipe), tuple(options.overrides or ()), options.seed)
    shapes = collection_name(options.shapes, recipe)
    plan = make_plan(recipe, open_shapes(recipe, shapes, options.data_root), options.limit)
    if options.renderer not in RENDERERS:
        open_renderer(options.renderer)
    if plan.source.stand_in:
        say(console, "note", plan.building.stand_in_note)
    for note in plan.notes:
        say(console, "note", note)
    _check(plan, options)
    if options.data_root and plan.source.stand_in and not plan.source.root.is_relative_to(options.data_root):
        say(console, "note", f"--data-root {options.data_root} holds no {shapes}; the built-in collection is used")
    layout = plan.layout if options.layout is None else options.layout
    if layout not in ("loose", "shards"):
        raise UsageError(f"unknown layout '{layout}'; the layouts are loose, shards")
    out = options.out
    if options.missing:
        left = missing_shards(plan, out, shard[1])
        console.print(f"{len(left)} of {shard[1]} shards have jobs left")
        sys.stdout.write(ranges(left) + "\n")
        return False
    if options.dry_run:
        for entry in open_assets(plan)[1]:
            say(console, "warning", entry.line)
        figures = plan.building.estimate(plan, options.renderer)
        print_json(figures) if options.as_json else open_console(stderr=False).print(_figures(figures))
        return False
    if options.renderer == "fake":
        say(console, "note", FAKE_NOTE)
    console.print(f"building into {out}", soft_wrap=True)
    skip = tuple(options.skip or ())
    threads = options.threads or (1 if options.executor == "ray" else usable_cores())
    memory = int(options.job_gib * 2**30) if options.job_gib else None
    progress = Reporter(console, plan, skip)
    with progress:
        summary = build(
            Site(plan, out, options.renderer, threads, layout, memory),
            open_executor(options.executor, options.workers, options.job_minutes),
            progress.watch,
            Scope(skip, shard, also_done=options.also_done),
            launch={"shapes": shapes, "data_root": str(options.data_root) if options.data_root else None},
        )
    if options.limit is not None and summary.shapes > len(plan.shapes):
        say(
            console,
            "note",
            f"these are figures of the whole folder, which holds more than --limit {options.limit}",
        )
    _close(console, out, summary)
    for job_id in quarantined_jobs(out):
        console.print(f"reproduce: datagen repro {shlex.quote(str(out))} {job_id[:16]}", soft_wrap=True)
    if options.as_json:
        print_json(summary.to_json())
    is_empty = not summary.images and shard[1] == 1
    if is_empty:
        say(console, "error", "no picture came out; what was rejected, and why, is told above")
    return bool(summary.quarantined) or is_empty


def _check(plan: Plan[Any], options: BuildOptions) -> None:
    """Raises UsageError for an output inside the collection, or a shape to skip that is none of it."""
    home = real(plan.source.root)
    if home.is_dir() and real(options.out).is_relative_to(home):
        raise UsageError(
            f"--out {options.out} lies in the collection {home}, whose shapes it would join; choose another"
        )
    unknown = sorted({*(options.skip or ())} - {entry.shape_id for entry in plan.entries})
    if unknown:
        raise UsageError(f"--skip {unknown[0]}: the collection has no such shape")


def collection_name(shapes: str | None, recipe: DatasetRecipe) -> str:
    """What --shapes says, else the recipe's own collection. Raises UsageError where neither does."""
    named = shapes or getattr(recipe, "shapes", "")
    if not named:
        raise UsageError(f"no shapes; give --shapes a folder, a mesh file or a collection such as {STAND_INS}")
    return named


def open_executor(name: str, workers: int | None, job_minutes: float) -> Executor:
    """`ray` or `serial`. Raises UsageError for another name."""
    if name == "serial":
        return SerialExecutor()
    if name == "ray":
        from datagen.pipeline.run_ray import RayExecutor

        return RayExecutor(workers, 60 * job_minutes)
    raise UsageError(f"unknown executor '{name}'; the executors are ray, serial")


def parse_shard(text: str) -> tuple[int, int]:
    """`I/N` as (index, count). Raises UsageError."""
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise UsageError(f"--shard {text}: write it as I/N with 0 <= I < N")
    return int(index), int(count)


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


class Reporter:
    """A bar on a terminal, a line every 30 s otherwise: images, rejections, rate, time left."""

    def __init__(self, console: Console, plan: Plan, skip: Sequence[str]) -> None:
        self.console = console
        self.total = sum(job.shape_id not in skip for job in plan.jobs())
        self.done = self.images = self.rejected = self.there = 0
        self.start = self.last = time.monotonic()
        self.failed: dict[str, str] = {}
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("jobs, {task.fields[images]} images, {task.fields[rejected]} rejected, {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("building", total=self.total, images=0, rejected=0, rate="")

    def __enter__(self) -> "Reporter":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def watch(self, outcome: Outcome) -> None:
        """Take note of one job."""
        self.done += 1
        if outcome.skipped:
            self.there += 1
        elif self.there == self.done - 1 > 0:
            self.console.print(f"going on: {self.there} of {self.total} jobs are there")
        self.images += outcome.images
        self.rejected += outcome.rejected
        if outcome.error and self.failed.get(outcome.job.shape_id) != outcome.error:
            self.failed[outcome.job.shape_id] = outcome.error
            self.console.print(f"quarantined {outcome.job.shape_id}: {outcome.error}", soft_wrap=True)
        rate = f"{self.images / max(time.monotonic() - self.start, 1e-6):.2f} images/s"
        self.bar.update(self.task, advance=1, images=self.images, rejected=self.rejected, rate=rate)
        if not self.console.is_terminal and time.monotonic() - self.last > 30:
            self.last = time.monotonic()
            left = (self.last - self.start) / self.done * (self.total - self.done)
            self.console.print(
                f"{self.done}/{self.total} jobs, {self.images} images, {self.rejected} rejected, "
                f"{rate}, {left:.0f} s left",
            )


def quarantined_jobs(out: Path) -> list[str]:
    """Ids of jobs in quarantine, one a shape, at most five: they tend to share their cause."""
    first: dict[str, str] = {}
    for job_id, entry in sorted(read_folder(out / "log").items()):
        if entry.quarantined:
            first.setdefault(entry.rows[0].shape_id, job_id)
    return list(first.values())[:5]


def _close(console: Console, out: Path, summary: Summary) -> None:
    table = Table(title="proposals by kind", title_justify="left")
    for name in ("kind", summary.counted, "proposals", "accepted", "rate", "rejected because"):
        table.add_column(name)
    for kind, tally in summary.kinds.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in tally.reasons.most_common(4))
        rate = f"{tally.accepted / tally.proposals:.0%}" if tally.proposals else "-"
        count = str(summary.families.get(kind, 0))
        table.add_row(kind, count, str(tally.proposals), str(tally.accepted), rate, reasons)
    console.print(table)
    splits = ", ".join(f"{count} {split}" for split, count in summary.splits.items())
    parted = f": {splits}" if splits else ""
    console.print(f"{summary.images} images ({summary.anomalous} anomalous) of {summary.shapes} shapes{parted}")
    if summary.rejected_views:
        reasons = ", ".join(f"{reason} {count}" for reason, count in summary.rejected_views.items())
        console.print(f"views and pictures rejected later: {reasons}")
    if summary.quarantined:
        console.print(f"{len(summary.quarantined)} shapes quarantined; running again tries them again")
    for entry in summary.warnings:
        say(console, "warning", entry.line)
    console.print(f"dataset: {out}", soft_wrap=True)


def _figures(figures: dict[str, object]) -> Table:
    table = Table(title="dry run", show_header=False, title_justify="left")
    for key, value in figures.items():
        table.add_row(key.replace("_", " "), str(value))
    return table
