"""Scratch, dent and burr: a spot of one part's surface pushed in or out, by sizes in true millimetres."""

from dataclasses import dataclass

import numpy as np

from datagen.anomalies.common import numbers, rebuilt
from datagen.anomalies.operator import Setting
from datagen.anomalies.sizes import drawn, no_unit
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.rng import unit_vector
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.clean import weld
from datagen.geometry.deviation import furthest
from datagen.geometry.refine import refined, skin_at
from datagen.geometry.sample import sample_surface
from datagen.recipe.anomalies import LocalRecipe

FINE = 8
"""Edges across the width of a defect: its cross-section is as smooth as that."""
SHARP_DEG = 30.0
"""A burr stands on an edge whose faces meet at more than this."""
FACING = 0.3
"""Only surface whose normal is this near the direction of the push (cosine) moves with it."""
MOVED = 0.02
"""Share of the depth by which a corner has to move for its faces to count as changed."""
GRAIN = 4
"""Waves along a burr: it is torn, no smooth bar."""


@dataclass(frozen=True)
class Local:
    """Pushes the surface about one point: a groove (`scratch`), a bowl (`dent`), a ridge on a sharp edge (`burr`)."""

    name: str
    on_part = True
    needs = frozenset[str]()

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """Where, along what, and how deep, long and wide; lengths in object units. Rejected without a unit."""
        assert part is not None
        settings: LocalRecipe = setting.policy.settings(self.name)
        if not shape.mm:
            return no_unit(shape)
        place = _edge(part.mesh, rng) if self.name == "burr" else _spot(part.mesh, rng)
        if place is None:
            return Rejected("no_edge", f"part {part.part_id} has no sharp edge for a burr")
        centre, normal, along = place
        depth, length, width = (
            round(drawn(span, rng) * shape.mm, 9) for span in (settings.depth_mm, settings.length_mm, settings.width_mm)
        )
        across = float(np.linalg.norm(part.mesh.extents))
        if length > across:
            told = f"{length / shape.mm:.4g} mm on part {part.part_id}, which is {across / shape.mm:.4g} mm across"
            return Rejected("too_long", told)
        values = {
            "centre": numbers(centre),
            "normal": numbers(normal),
            "along": numbers(along),
            "depth": depth,
            "length": length,
            "width": width,
            "phases": numbers(rng.uniform(0, 2 * np.pi, GRAIN)),
        }
        return AnomalySpec(self.name, part.part_id, part.part_class, values)

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The part, finer about the spot and pushed there. Severity is the depth that is measured, over D."""
        part, pushed = shape.part(spec.part_id), _Push(self.name, spec)
        mesh, parent = refined(part.mesh, pushed.edge, pushed.touches)
        amount = pushed.amount(mesh)
        moved = Mesh(mesh.vertices + amount[:, None] * pushed.direction, mesh.faces)
        changed = (np.abs(amount) > MOVED * pushed.depth)[mesh.faces].any(axis=1)
        if not changed.any():
            return Rejected("hardly_changed", "no corner of the surface lies in the defect")
        depth = furthest(Mesh(moved.vertices, moved.faces[changed]), part.mesh)
        if depth < 0.5 * pushed.depth:
            return Rejected("hardly_changed", f"the surface moves {depth / pushed.depth:.2f} of the depth")
        skin = None if part.skin is None else skin_at(part.mesh, part.skin, parent, mesh.triangles)
        return AnomalousShape(
            spec=spec,
            normal=shape,
            shape=rebuilt(shape, {part.part_id: (moved, skin)}),
            changed={part.part_id: changed},
            severity=depth / shape.diagonal,
            method="local",
            measures={"depth": depth},
            local=True,
        )


class _Push:
    """The displacement of a spec: a profile over the plane through its centre, along one direction."""

    def __init__(self, kind: str, spec: AnomalySpec) -> None:
        values = spec.values
        self.kind = kind
        self.centre, normal, along = (np.array(values[key]) for key in ("centre", "normal", "along"))
        self.depth, self.length, self.width = (float(values[key]) for key in ("depth", "length", "width"))
        self.phases = np.array(values["phases"])
        self.normal = normal
        self.axes = np.stack([along, np.cross(normal, along), normal])
        self.direction = normal if kind == "burr" else -normal
        self.edge = min(self.width, self.length) / FINE
        reach = max(0.5 * self.length, 0.5 * self.width)
        self.half = np.array([0.5 * self.length, 0.5 * self.width, reach])

    def touches(self, edges: np.ndarray) -> np.ndarray:
        """Which edges (N, 2, 3) may lie in the defect: boxes about them meet its box."""
        ends = (edges - self.centre) @ self.axes.T
        middle, half = ends.mean(axis=1), np.abs(ends[:, 0] - ends[:, 1]) / 2
        return np.asarray((np.abs(middle) <= half + self.half + 2 * self.edge).all(axis=1))

    def amount(self, mesh: Mesh) -> np.ndarray:
        """How far each vertex (V,) moves.

        Where a dent reaches over an edge, the wall below is pushed down as far as the dent goes, or it would fold.
        """
        u, v, w = ((mesh.vertices - self.centre) @ self.axes.T).T
        amount = self.depth * self._profile(2 * u / self.length, 2 * v / self.width) * (np.abs(w) <= self.half[2])
        below = np.zeros_like(amount) if self.kind == "burr" else np.clip(amount + np.minimum(w, 0.0), 0.0, None)
        return np.asarray(np.where(_facing(mesh, self.normal) > FACING, amount, below))

    def _profile(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """0..1 over the plane: `u` along and `v` across, both -1..1 within the defect."""
        if self.kind == "dent":
            return np.asarray(np.clip(1 - u**2 - v**2, 0, None) ** 2)
        across = np.where(np.abs(v) < 1, np.cos(0.5 * np.pi * v) ** 2, 0.0)
        ends = np.clip((1 - np.abs(u)) / 0.25, 0, 1)
        if self.kind == "scratch":
            return np.asarray(across * ends)
        waves = np.arange(1, GRAIN + 1)
        torn = np.sin(np.pi * np.outer(u, waves) * 1.5 + self.phases).mean(axis=1)
        return np.asarray(across * ends * np.clip(0.8 + 0.5 * torn, 0.2, 1.0))


def _facing(mesh: Mesh, normal: np.ndarray) -> np.ndarray:
    """Cosine (V,) between a direction and the normal of the face of each vertex that faces it most."""
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    crossed = np.cross(b - a, c - a)
    cosine = crossed @ normal / np.maximum(np.linalg.norm(crossed, axis=1), 1e-30)
    most = np.full(len(mesh.vertices), -1.0)
    np.maximum.at(most, mesh.faces.reshape(-1), np.repeat(cosine, 3))
    return most


def _outward(mesh: Mesh) -> float:
    """1 where the faces are wound outwards, -1 where inwards: the sign of the volume."""
    a, b, c = (mesh.triangles - mesh.centre).transpose(1, 0, 2)
    return -1.0 if float(np.einsum("ij,ij->", a, np.cross(b, c))) < 0 else 1.0


def _spot(mesh: Mesh, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A point of the surface, its outward normal, and a direction along the surface."""
    (point,), (face,) = sample_surface(mesh, 1, rng)
    a, b, c = mesh.triangles[face]
    normal = np.cross(b - a, c - a)
    normal = normal / max(float(np.linalg.norm(normal)), 1e-30) * _outward(mesh)
    along = np.cross(normal, unit_vector(rng))
    return point, normal, along / max(float(np.linalg.norm(along)), 1e-12)


def _edge(mesh: Mesh, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A point of a sharp outer edge, the mean of its faces' outward normals, and the direction along it."""
    joined = weld(mesh)
    faces, vertices = joined.faces, joined.vertices
    a, b, c = joined.triangles.transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30) * _outward(joined)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort((owner, edges[:, 1], edges[:, 0]))
    same = (edges[order][1:] == edges[order][:-1]).all(axis=1)
    first, second = owner[order][:-1][same], owner[order][1:][same]
    pairs = edges[order][:-1][same]
    start, end = vertices[pairs[:, 0]], vertices[pairs[:, 1]]
    opposite = vertices[faces[second]].mean(axis=1) - start
    is_outer = np.einsum("ni,ni->n", normals[first], opposite) < 0
    sharp = is_outer & (np.einsum("ni,ni->n", normals[first], normals[second]) < np.cos(np.radians(SHARP_DEG)))
    length = np.linalg.norm(end - start, axis=1) * sharp
    if length.sum() <= 0:
        return None
    k = int(rng.choice(len(length), p=length / length.sum()))
    normal = normals[first[k]] + normals[second[k]]
    along = (end[k] - start[k]) / np.linalg.norm(end[k] - start[k])
    return start[k] + rng.random() * (end[k] - start[k]), normal / np.linalg.norm(normal), along
