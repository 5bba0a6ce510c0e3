"""A look at a collection before anything is built: size, parts, what is wrong with them, what can be done to them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from datagen.anomalies.operator import Setting
from datagen.anomalies.registry import apply, operators
from datagen.core.anomaly import Rejected
from datagen.core.errors import DatagenError
from datagen.core.rng import stream
from datagen.core.shape import Part, Shape
from datagen.geometry.health import Health, health
from datagen.recipe.station import StationRecipe
from datagen.scenes.station import Seen, look_through
from datagen.shapes.source import Source

TRIES = 4


@dataclass(frozen=True)
class Tried:
    """How often an operator could change a part, and why not where it could not: the most frequent reason."""

    kind: str
    taken: int
    tries: int
    why: str = ""


@dataclass(frozen=True)
class InspectedPart:
    """A part by its name and class, its surface, and what each operator could do to it."""

    part_id: int
    name: str
    part_class: str
    size: tuple[float, float, float]
    """Edges of its bounds, in millimetres, or in the units of the source where nothing says them."""
    health: Health | None
    problem: str
    """Why its surface cannot be looked at."""
    tried: tuple[Tried, ...]


@dataclass(frozen=True)
class InspectedShape:
    """A shape of the collection; `problem` says why it will be refused, '' where it will not."""

    shape_id: str
    category: str
    size: tuple[float, float, float]
    """Edges of its bounds, in millimetres, or in the units of the source where nothing says them."""
    faces: int
    parts: tuple[InspectedPart, ...]
    warnings: tuple[str, ...]
    problem: str = ""
    station: tuple[Seen, ...] = ()
    """What each camera of a station sees of it."""
    picture_px_per_mm: float = 0.0
    """Pixels per millimetre at its middle in the pictures that a recipe makes with the station's nearest camera."""
    unit: str = ""
    """mm, or '' where nothing says the unit of the source."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def inspect_collection(
    source: Source,
    kinds: Sequence[str],
    setting: Setting | None,
    seed: int = 0,
    tries: int = TRIES,
    station: StationRecipe | None = None,
    px_per_mm: Callable[[Shape], float] = lambda shape: 0.0,
    note: Callable[[str], None] = lambda shape_id: None,
) -> Iterator[InspectedShape]:
    """Every shape of a source by itself: swaps and neighbours, which need a collection's plan, are not tried.

    `px_per_mm` tells those of the recipe's pictures of a shape, asked where there is a station. `note` hears of each
    shape before it is read. Raises UsageError for a camera of the station that can see nothing.
    """
    for entry in source.entries():
        note(entry.shape_id)
        try:
            shape = source.load(entry.shape_id)
        except DatagenError as error:
            nothing = (0.0, 0.0, 0.0)
            yield InspectedShape(entry.shape_id, entry.category, nothing, 0, (), (), str(error))
            continue
        seen = tuple(look_through(station, shape)) if station else ()
        pictures = px_per_mm(shape) if station else 0.0
        inspected = _inspected(shape, kinds, setting, seed, tries)
        yield replace(inspected, station=seen, picture_px_per_mm=pictures)


def _inspected(shape: Shape, kinds: Sequence[str], setting: Setting | None, seed: int, tries: int) -> InspectedShape:
    scale = shape.mm or float(abs(np.linalg.det(np.array(shape.T_shape_source)[:3, :3])) ** (1 / 3)) or 1.0
    parts = []
    for part in shape.parts:
        found, problem = None, ""
        try:
            found = health(part.mesh)
        except DatagenError as error:
            problem = str(error)
        tried = tuple(_tried(shape, part, kind, setting, seed, tries) for kind in kinds) if setting else ()
        size = _edges(part.mesh.extents / scale)
        parts.append(InspectedPart(part.part_id, part.name, part.part_class, size, found, problem, tried))
    size = _edges((shape.bounds[1] - shape.bounds[0]) / scale)
    faces = sum(len(part.mesh.faces) for part in shape.parts)
    told, unit = tuple(shape.warnings), "mm" if shape.mm else ""
    return InspectedShape(shape.shape_id, shape.category, size, faces, tuple(parts), told, unit=unit)


def _edges(extents: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(f"{value:.4g}") for value in extents)
    return x, y, z


def _tried(shape: Shape, part: Part, kind: str, setting: Setting, seed: int, tries: int) -> Tried:
    operator = operators()[kind]
    reasons: Counter[str] = Counter()
    taken = 0
    for attempt in range(tries):
        rng = stream(seed, "inspect", shape.shape_id, part.part_id, kind, attempt)
        try:
            spec = operator.propose(shape, part if operator.on_part else None, rng, setting)
            made = spec if isinstance(spec, Rejected) else apply(shape, spec, setting)
        except DatagenError as error:
            made = Rejected("failed", str(error))
        if isinstance(made, Rejected):
            reasons[made.reason] += 1
        else:
            taken += 1
    why = reasons.most_common(1)[0][0] if reasons else ""
    return Tried(kind, taken, tries, why)


def triable(kinds: Sequence[str]) -> tuple[str, ...]:
    """Kinds whose operator changes a part by itself: no donors, neighbours or materials are at hand."""
    known = operators()
    return tuple(kind for kind in kinds if kind in known and known[kind].on_part and not known[kind].needs)
