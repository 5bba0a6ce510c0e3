"""What the operators on objects share: rebuilding shapes, choosing parts, limits that hold for all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from datagen.core.anomaly import Rejected
from datagen.core.oddity import OddShape, OddSpec
from datagen.core.shape import REMAINDER_PATH, Mesh, Part, Shape, Skin, concatenate
from datagen.geometry.pieces import loose_area
from datagen.geometry.proximity import closest
from datagen.geometry.sample import grid_samples

MAX_REACH = 1.45
"""A changed object that reaches further than this from its centre (bounding sphere 1) is refused."""


def numbers(values: np.ndarray | Sequence[float]) -> list[float]:
    """Plain floats, rounded so that a spec is the same text on every machine."""
    return np.round(np.asarray(values, dtype=float), 9).tolist()


def rebuilt(shape: Shape, new: Mapping[int, tuple[Mesh, Skin | None]], gone: Sequence[int] = ()) -> Shape:
    """The shape with some parts' mesh and skin replaced and others gone; order and ids stay.

    Raises ShapeError when nothing is left.
    """
    parts = []
    for part in shape.parts:
        if part.part_id in gone:
            continue
        mesh, skin = new.get(part.part_id, (part.mesh, part.skin))
        parts.append(replace(part, mesh=mesh, skin=skin))
    return replace(shape, parts=tuple(parts))


def joined_skins(pieces: Sequence[tuple[Mesh, Skin | None]]) -> tuple[Mesh, Skin | None]:
    """Several meshes with their skins as one."""
    mesh = concatenate([piece for piece, _ in pieces])
    skins = [skin for _, skin in pieces]
    if any(skin is None for skin in skins):
        return mesh, None
    names = tuple(dict.fromkeys(name for skin in skins if skin for name in skin.materials))
    slot, uv, color = [], [], []
    for piece, skin in pieces:
        assert skin is not None
        slot.append(np.array([names.index(name) for name in skin.materials])[skin.slot])
        uv.append(np.full((len(piece.faces), 3, 2), np.nan) if skin.uv is None else skin.uv)
        color.append(np.ones((len(piece.faces), 3, 3)) if skin.color is None else skin.color)
    has_uv = any(skin is not None and skin.uv is not None for skin in skins)
    has_color = any(skin is not None and skin.color is not None for skin in skins)
    joined_uv = np.concatenate(uv) if has_uv else None
    return mesh, Skin(names, np.concatenate(slot), joined_uv, np.concatenate(color) if has_color else None)


def usable_parts(shape: Shape, area: tuple[float, float]) -> list[Part]:
    """Parts whose share of the surface lies in a range; never the remainder of a segmentation."""
    low, high = area
    return [p for p in shape.parts if p.path != REMAINDER_PATH and low <= p.mesh.area / shape.area <= high]


def choose(parts: Sequence[Part], rng: np.random.Generator) -> Part:
    """One of them, each alike."""
    return parts[int(rng.integers(len(parts)))]


def displaced(shape: Shape, spec: OddSpec, after: Shape, changed: Mapping[int, np.ndarray], least: float,
              method: str = "") -> OddShape | Rejected:  # fmt: skip
    """The result of moving surface: severity is the mean distance of the changed surface from the old one over D.

    Rejected when it hardly differs (a turn about an axis of symmetry) or reaches absurdly far.
    """
    touched = [
        Mesh(part.mesh.vertices, part.mesh.faces[changed[part.part_id]])
        for part in after.parts
        if part.part_id in changed and changed[part.part_id].any()
    ]
    if not touched:
        return Rejected("hardly_changed", "no face moves")
    old = concatenate([part.mesh for part in shape.parts])
    _, distance = closest(old, grid_samples(concatenate(touched), 1500))
    severity = float(distance.mean()) / shape.diagonal
    if severity < least:
        return Rejected("hardly_changed", f"the changed surface lies {severity:.4f} of D from the old one")
    new = concatenate([part.mesh for part in after.parts])
    reach = float(np.linalg.norm(new.vertices[np.unique(new.faces)] - shape.centre, axis=1).max())
    if reach > MAX_REACH:
        return Rejected("too_large", f"reaches {reach:.2f} of {MAX_REACH}")
    measures = {"mean_distance": severity, "p99_distance": float(np.percentile(distance, 99)) / shape.diagonal}
    return OddShape(spec, shape, after, changed, severity, method=method, measures=measures)


def comes_loose(before: Shape, after: Shape, reach: float, crumbs: float = 1e-4) -> Rejected | None:
    """Rejection when more of the surface hangs loose than before; `crumbs` of it (a share) may."""
    loose = [loose_area([part.mesh for part in s.parts], reach * before.diagonal) for s in (before, after)]
    # What is gone makes the same loose piece a larger share of the rest.
    if loose[1] > loose[0] * max(1.0, before.area / after.area) + crumbs:
        return Rejected("comes_loose", f"{loose[1]:.3f} of the surface hangs loose, {loose[0]:.3f} before")
    return None
