"""`datagen inspect`: a collection's health before anything is built."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count as counted
from itertools import islice
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from datagen.cli.build import print_json
from datagen.cli.console import console as open_console
from datagen.cli.console import say
from datagen.core.shape import Shape
from datagen.kinds.registry import building_of, load_recipe, open_shapes
from datagen.pipeline.inspection import InspectedPart, InspectedShape, inspect_collection, triable
from datagen.recipe.loader import find_recipe
from datagen.recipe.station import read_station
from datagen.scenes.cameras import picture_px_per_mm, refuse_below

REFUSED = 3
"""Exit code where a shape will be refused."""


@dataclass(frozen=True)
class InspectOptions:
    """What `datagen inspect` is told."""

    shapes: str
    data_root: Path | None
    recipe: str
    sets: Sequence[str]
    limit: int | None
    tries: int
    station: Path | None
    defect_px: int
    as_json: bool


def run_inspect(options: InspectOptions) -> int:
    """Print a table a shape, and on stderr which one is looked at; 3 where one cannot be read, else 0.

    Raises UsageError, RecipeError, EmptyCollection.
    """
    found = load_recipe(find_recipe(options.recipe), options.sets)
    station = read_station(options.station) if options.station else None
    source = open_shapes(found, options.shapes, options.data_root)
    limit = options.limit
    known = len(source.entries())
    building = building_of(found)
    setting = building.alone(found) if building.alone else None
    kinds = triable(found.anomaly.made) if setting else ()
    console = open_console(stderr=False)
    told, refused = [], 0
    count = min(known, limit or known)
    progress, begun = open_console(), counted(1)

    def note(shape_id: str) -> None:
        progress.print(f"looking at {shape_id}, {next(begun)} of {count}", soft_wrap=True, style="dim")

    def px_per_mm(shape: Shape) -> float:
        if not hasattr(found, "query"):
            return 0.0
        query = found.query.model_copy(update={"station": station})
        refuse_below(query, shape)
        return picture_px_per_mm(shape, query)

    looked = inspect_collection(source, kinds, setting, found.seed, options.tries, station, px_per_mm, note)
    for shape in islice(looked, limit):
        refused += bool(shape.problem)
        if options.as_json:
            told.append(shape.to_json())
            continue
        _print(console, shape, kinds)
        if shape.station:
            console.print(_station_table(shape, options.defect_px))
        if shape.picture_px_per_mm:
            smallest = options.defect_px**0.5 / shape.picture_px_per_mm
            console.print(
                f"the recipe's pictures of {found.query.size_px} px have {shape.picture_px_per_mm:.2f} px a mm at its "
                f"middle: {smallest:.2f} mm; a larger query.size_px shows smaller ones",
                soft_wrap=True,
            )
    if options.as_json:
        print_json(told)
    else:
        say(console, "error" if refused else "note", f"{count} of {known} shapes looked at, {refused} will be refused")
    return REFUSED if refused else 0


def _print(console: Console, shape: InspectedShape, kinds: Sequence[str]) -> None:
    if shape.problem:
        say(console, "error", f"{shape.shape_id}: {shape.problem}")
        return
    size = " x ".join(f"{edge:g}" for edge in shape.size)
    unit = shape.unit or "in the units of its file"
    title = f"{shape.shape_id}: {size} {unit}, {shape.faces:,} faces, {len(shape.parts)} parts"
    table = _table(title, ("part", "class", "size", "faces", "surface"))
    for part in shape.parts:
        table.add_row(*map(Text, _row(part)))
    console.print(table)
    if kinds:
        _print_tried(console, shape.parts, kinds)
    for warning in shape.warnings:
        say(console, "note", f"{shape.shape_id}: {warning}")


def _print_tried(console: Console, parts: Sequence[InspectedPart], kinds: Sequence[str]) -> None:
    table = _table("proposals taken, of those tried", ("part", *kinds))
    reasons: dict[str, list[str]] = {}
    for part in parts:
        tried = {one.kind: one for one in part.tried}
        cells = [f"{tried[kind].taken}/{tried[kind].tries}" if kind in tried else "" for kind in kinds]
        table.add_row(*map(Text, (part.name, *cells)))
        for kind, one in tried.items():
            if one.why:
                reasons.setdefault(f"{kind} {one.why}", []).append(part.name)
    console.print(table)
    for reason, names in reasons.items():
        console.print(f"  {reason}: {', '.join(names)}", soft_wrap=True, markup=False, highlight=False)


def _table(title: str, columns: Sequence[str]) -> Table:
    """An empty table without rulings: kinds of anomaly are many, consoles narrow."""
    table = Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in columns:
        table.add_column(name)
    return table


def _station_table(shape: InspectedShape, defect_px: int) -> Table:
    title = f"{shape.shape_id} through the station; a defect has to cover {defect_px} px, seen from ahead"
    names = ("camera", "distance (mm)", "px a mm: least, median, most", "smallest defect (mm)", "fills", "whole")
    table = _table(title, names)
    for seen in shape.station:
        scale = ", ".join(f"{value:.2f}" for value in seen.px_per_mm)
        smallest = f"{seen.smallest_mm(defect_px):.2f}"
        whole = "yes" if seen.whole else "cut at the border"
        table.add_row(seen.camera, f"{seen.distance_mm:.1f}", scale, smallest, f"{seen.share:.1%}", whole)
    return table


def _row(part: InspectedPart) -> list[str]:
    size = " x ".join(f"{edge:g}" for edge in part.size)
    surface = part.problem if part.health is None else "; ".join(part.health.words()) or "sound"
    faces = str(part.health.faces) if part.health else "0"
    return [part.name, part.part_class, size, faces, surface]
