"""Bump, bend, twist and free deformation: one smooth field moves every part alike (section 4.1)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.anomalies.common import displaced, numbers
from datagen.anomalies.operator import Setting
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.shape import Mesh, Part, Shape, Skin, concatenate
from datagen.geometry.refine import refined, skin_at
from datagen.geometry.sample import sample_surface
from datagen.recipe.anomalies import DeformRecipe

FIELDS = ("bump", "bend", "twist", "deformation")
Field = Callable[[np.ndarray], np.ndarray]
"""Points (N, 3) to where they go."""
MAX_EDGE = 0.05
"""Longest edge that is bent, object units: chords of a 40-degree bend stay within a pixel."""
LATTICE = 3
MOVED = 0.004
"""Share of D by which a face's corner has to move to count as changed."""


@dataclass(frozen=True)
class Deform:
    """Moves every part by one smooth field, whose name is one of FIELDS."""

    name: str
    on_part = False
    needs = frozenset[str]()

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """Parameters of the field: where and how much, in the shape's frame and units of D."""
        settings: DeformRecipe = setting.policy.settings(self.name)
        if self.name == "bump":
            return _bump(shape, settings, rng)
        if self.name == "deformation":
            moves = rng.uniform(-1, 1, (LATTICE**3, 3))
            size = rng.uniform(*settings.free) / np.linalg.norm(moves, axis=1).max()
            return AnomalySpec(self.name, values={"moves": [numbers(row) for row in moves * size]})
        extents = shape.bounds[1] - shape.bounds[0]
        # The long axes show a bend or a twist; a short one hardly does.
        along = int(rng.choice(np.flatnonzero(extents >= 0.6 * extents.max())))
        angle = float(rng.uniform(*settings.angle_deg) * rng.choice([-1.0, 1.0]))
        towards = rng.normal(size=3)
        towards[along] = 0
        towards /= np.linalg.norm(towards)
        values = {"axis": along, "angle_deg": round(angle, 9), "towards": numbers(towards)}
        return AnomalySpec(self.name, values=values)

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """Every part, refined and moved by the field; rejected if it hardly differs."""
        field = field_of(shape, spec)
        parts, changed = [], {}
        for part in shape.parts:
            mesh, skin = refined_part(part)
            moved = Mesh(field(np.array(mesh.vertices)), mesh.faces)
            shift = np.linalg.norm(moved.vertices - mesh.vertices, axis=1) > MOVED * shape.diagonal
            changed[part.part_id] = shift[mesh.faces].any(axis=1)
            parts.append(replace(part, mesh=moved, skin=skin))
        least = setting.policy.settings(self.name).min_distance
        return displaced(shape, spec, replace(shape, parts=tuple(parts)), changed, least, "field")


def _bump(shape: Shape, settings: DeformRecipe, rng: np.random.Generator) -> AnomalySpec:
    whole = concatenate([part.mesh for part in shape.parts])
    points, faces = sample_surface(whole, 200, rng)
    a, b, c = whole.triangles[faces].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    outward = np.einsum("ni,ni->n", normals, points - shape.centre)
    normals *= np.where(outward < 0, -1.0, 1.0)[:, None]
    # A bump below is never seen: the object stands on it.
    k = int(np.flatnonzero(normals[:, 2] > -0.4)[0]) if (normals[:, 2] > -0.4).any() else 0
    height = float(rng.uniform(*settings.bump) * rng.choice([1.0, 1.0, 1.0, -0.8]))
    width = round(float(rng.uniform(*settings.bump_width)), 9)
    centre, normal = numbers(points[k]), numbers(normals[k])
    values = {"centre": centre, "normal": normal, "height": round(height, 9), "width": width}
    return AnomalySpec("bump", values=values)


def field_of(shape: Shape, spec: AnomalySpec) -> Field:
    """The field of a spec."""
    values, D = spec.values, shape.diagonal
    if spec.kind == "bump":
        centre, push = np.array(values["centre"]), np.array(values["normal"]) * values["height"] * D
        width = values["width"] * D
        return lambda p: p + np.exp(-((p - centre) ** 2).sum(axis=1) / (2 * width**2))[:, None] * push
    if spec.kind == "deformation":
        return _lattice(shape, np.array(values["moves"]) * D)
    u = np.eye(3)[values["axis"]]
    length = float((shape.bounds[1] - shape.bounds[0])[values["axis"]])
    angle, centre = np.radians(values["angle_deg"]), shape.centre
    if spec.kind == "twist":

        def twist(p: np.ndarray) -> np.ndarray:
            turns = ((p - centre) @ u / length * angle)[:, None] * u
            return Rotation.from_rotvec(turns).apply(p - centre) + centre

        return twist
    v = np.array(values["towards"])
    radius = length / angle

    def bend(p: np.ndarray) -> np.ndarray:
        x, y = (p - centre) @ u, (p - centre) @ v
        flat = (p - centre) - x[:, None] * u - y[:, None] * v
        turn = x / radius
        return (
            centre
            + flat
            + ((radius - y) * np.sin(turn))[:, None] * u
            + (radius - (radius - y) * np.cos(turn))[:, None] * v
        )

    return bend


def _lattice(shape: Shape, moves: np.ndarray) -> Field:
    """Gaussian weights of a 3 x 3 x 3 lattice over the bounding box."""
    low, high = shape.bounds
    steps = np.linspace(0, 1, LATTICE)
    nodes = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    extent = np.maximum(high - low, 0.05 * shape.diagonal)

    def move(p: np.ndarray) -> np.ndarray:
        local = (p - low) / extent
        squared = ((local[:, None] - nodes[None]) ** 2).sum(axis=2)
        weight = np.exp(-squared / (2 * 0.28**2))
        return p + (weight / weight.sum(axis=1, keepdims=True)) @ moves

    return move


def refined_part(part: Part, max_edge: float = MAX_EDGE) -> tuple[Mesh, Skin | None]:
    """A part fine enough to bend, its skin on the finer faces."""
    mesh, parent = refined(part.mesh, max_edge)
    if part.skin is None:
        return mesh, None
    return mesh, skin_at(part.mesh, part.skin, parent, mesh.triangles)
