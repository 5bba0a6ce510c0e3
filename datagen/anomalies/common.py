"""What the operators share: rebuilding shapes, moved parts, limits that hold for all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.shape import Mesh, Part, Shape, Skin, concatenate
from datagen.geometry.pieces import loose_area
from datagen.geometry.proximity import closest, exact_distances
from datagen.geometry.sample import grid_samples, surface_distance
from datagen.geometry.shatter import skin_left

DRAWS = 8
"""Draws that a proposal may make to put a part where the kind of dataset takes it."""
INSIDE = "inside"
"""Material id prefix of a broken face: the part's own colour, rough and a little lighter."""
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


def moved(
    shape: Shape,
    part: Part,
    spec: AnomalySpec,
    mesh: Mesh,
    method: str = "rigid",
    skin: Skin | None = None,
    exact: bool = False,
) -> AnomalousShape:
    """The result of putting `mesh` in the part's place, every face changed.

    `skin` is that of `mesh`; where none is given the part's own stays. Severity is the mean surface distance over D,
    between samples of both; `exact`: from samples of the new surface to the faces of the old, for small moves.
    """
    if exact:
        distance = exact_distances(part.mesh, grid_samples(mesh, 1500))
    else:
        distance = surface_distance(part.mesh, mesh)
    measures = {
        "mean_distance": float(distance.mean()),
        "p95_distance": float(np.percentile(distance, 95)),
    }
    return AnomalousShape(
        spec=spec,
        normal=shape,
        shape=rebuilt(shape, {part.part_id: (mesh, skin or part.skin)}),
        changed={part.part_id: np.ones(len(mesh.faces), dtype=bool)},
        severity=measures["mean_distance"] / shape.diagonal,
        method=method,
        measures=measures,
    )


def displaced(
    shape: Shape,
    spec: AnomalySpec,
    after: Shape,
    changed: Mapping[int, np.ndarray],
    least: float,
    method: str = "",
) -> AnomalousShape | Rejected:
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
    return AnomalousShape(spec, shape, after, changed, severity, method=method, measures=measures)


def comes_loose(before: Shape, after: Shape, reach: float, crumbs: float = 1e-4) -> Rejected | None:
    """Rejection when more of the surface hangs loose than before; `crumbs` of it (a share) may."""
    loose = [loose_area([part.mesh for part in s.parts], reach * before.diagonal) for s in (before, after)]
    # What is gone makes the same loose piece a larger share of the rest.
    if loose[1] > loose[0] * max(1.0, before.area / after.area) + crumbs:
        return Rejected("comes_loose", f"{loose[1]:.3f} of the surface hangs loose, {loose[0]:.3f} before")
    return None


def sunk(shape: Shape, mesh: Mesh, tolerance: float) -> Rejected | None:
    """Rejection of a mesh that goes deeper than `tolerance` below what the shape stands on."""
    low = float(mesh.bounds[0, 2])
    if low < shape.bounds[0, 2] - tolerance:
        return Rejected("below_ground", f"lowest point {low:.4f}")
    return None


def long_axis(mesh: Mesh) -> np.ndarray:
    """Unit direction (3,) in which the part extends furthest: the first principal axis of its surface."""
    points = grid_samples(mesh, 1000)
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    axis = axes[0]
    return axis * np.sign(axis[np.argmax(np.abs(axis))])


def broken_skin(part: Part, mesh: Mesh, cut: np.ndarray) -> Skin | None:
    """The part's skin on what is left of it: faces (F,) of `cut` wear its inside, the others what they lay in."""
    inside = f"{INSIDE}:{part.skin.materials[0]}" if part.skin else None
    return skin_left(part.mesh, part.skin, mesh, cut, inside)


def with_inside(shape: Shape) -> Shape:
    """The shape with the materials of its broken faces in the palette: the outer colour, lighter and matt."""
    named = {name for part in shape.parts if part.skin for name in part.skin.materials}
    palette = dict(shape.palette)
    for name in sorted(named - set(palette)):
        outer = palette[name.removeprefix(f"{INSIDE}:")]
        r, g, b = (0.75 * channel + 0.12 for channel in outer.mean_color)
        palette[name] = replace(
            outer,
            material_id=name,
            maps={},
            base_color=(r, g, b),
            mean_color=(r, g, b),
            roughness=0.85,
            metallic=0.6 * outer.metallic,
            coat=0.0,
            sheen=0.0,
            digest="",
        )
    return replace(shape, palette=palette)
