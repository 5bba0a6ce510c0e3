"""What differs, in a sentence: the part of the reference that the change map covers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datagen.core.shape import Part

LEAST = 0.15
"""Probability of a change below which a map tells of none; above, a place counts from half of the map's largest."""
LEAST_PX = 4e-4
"""Share of the picture below which a change is too small to be named."""
MOSTLY = 0.5
"""Share of a part, or of a change, from which it is most of it."""
SIDED = 0.12
"""How far a part's middle lies to a side of its namesakes', as a share of the object's extent, to be called by it."""
SIDES = (("left", "right"), ("rear", "front"), ("upper", "lower"))
"""Words for the positive and the negative side of x, y and z: the object faces -y, and left is its own."""

GENERIC = re.compile(r"(component|part|piece|mesh|object|node|geometry|segment|remainder)?[-_ .]?\d*", re.IGNORECASE)
"""Names that say nothing of a part."""


@dataclass(frozen=True)
class SeenPart:
    """A part by the name that a sentence has for it, and its number in a picture of part ids."""

    part_id: int
    name: str


def have_names(parts: Sequence[Part]) -> bool:
    """Whether any part has a name of its own, rather than a number that it was given."""
    return any(not GENERIC.fullmatch(part.name.strip()) for part in parts)


def named(parts: Sequence[Part]) -> list[SeenPart]:
    """Parts by plain names; namesakes are told apart by the side that they are on, else by number."""
    plain = {part.part_id: part.name.replace("_", " ").strip() or "part" for part in parts}
    middle = {part.part_id: (part.mesh.vertices.max(0) + part.mesh.vertices.min(0)) / 2 for part in parts}
    low = np.min([part.mesh.vertices.min(0) for part in parts], axis=0)
    extent = np.max([part.mesh.vertices.max(0) for part in parts], axis=0) - low
    found = {}
    for name in dict.fromkeys(plain.values()):
        alike = [part_id for part_id in plain if plain[part_id] == name]
        if len(alike) == 1:
            found[alike[0]] = name
            continue
        centre = np.mean([middle[part_id] for part_id in alike], axis=0)
        words = {part_id: _side(middle[part_id] - centre, extent, name) for part_id in alike}
        for part_id in alike:
            same = [other for other in alike if words[other] == words[part_id]]
            number = f" {same.index(part_id) + 1}" if len(same) > 1 else ""
            found[part_id] = words[part_id] + number
    return [SeenPart(part.part_id, found[part.part_id]) for part in parts]


def _side(away: np.ndarray, extent: np.ndarray, name: str) -> str:
    words = [
        both[0] if away[axis] > 0 else both[1]
        for axis, both in enumerate(SIDES)
        if abs(away[axis]) > SIDED * max(float(extent[axis]), 1e-9)
    ]
    return " ".join([*words, name])


def sentence(change: np.ndarray, ids: np.ndarray, parts: Sequence[SeenPart], query_is_ground: np.ndarray) -> str:
    """What differs, for a change map (S, S) of probabilities.

    `ids` (S, S): the part that the reference shows at each pixel from the query's camera, 0 for background;
    `query_is_ground` (S, S) bool: where the query shows no object.
    """
    covered = change > max(LEAST, float(change.max()) / 2)
    if covered.mean() < LEAST_PX:
        return "nothing in particular: the difference is spread thinly"
    share = {part.part_id: _share(covered, ids == part.part_id) for part in parts}
    most = max(parts, key=lambda part: int((covered & (ids == part.part_id)).sum()))
    on_part = covered & (ids == most.part_id)
    if on_part.sum() < 0.15 * covered.sum():
        return f"something is there that the reference does not have, near the {_nearest(covered, ids, parts)}"
    if share[most.part_id] < MOSTLY:
        return f"{most.name}: differs from the reference in a part of it"
    gone = query_is_ground[on_part].mean()
    return f"{most.name}: {'nothing is' if gone > MOSTLY else 'not'} where the reference has it"


def _share(covered: np.ndarray, part: np.ndarray) -> float:
    return float((covered & part).sum() / max(int(part.sum()), 1))


def _nearest(covered: np.ndarray, ids: np.ndarray, parts: Sequence[SeenPart]) -> str:
    middle = np.argwhere(covered).mean(axis=0)
    places = np.argwhere(ids > 0)
    if not len(places):
        return "object"
    row, column = places[np.linalg.norm(places - middle, axis=1).argmin()]
    return next((part.name for part in parts if part.part_id == ids[row, column]), "object")
