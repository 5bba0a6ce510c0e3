"""Bump, bend, twist and free deformation: one smooth field moves every part alike (section 4.1)."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.anomalies.objects.common import displaced, numbers
from datagen.core.anomaly import Rejected
from datagen.core.oddity import OddShape, OddSpec
from datagen.core.shape import Mesh, Part, Shape, Skin, concatenate
from datagen.geometry.refine import refined, skin_at
from datagen.geometry.sample import sample_surface
from datagen.recipe.scenes import DeformRecipe

Field = Callable[[np.ndarray], np.ndarray]
"""Points (N, 3) to where they go."""
MAX_EDGE = 0.05
"""Longest edge that is bent, object units: chords of a 40-degree bend stay within a pixel."""
LATTICE = 3
MOVED = 0.004
"""Share of D by which a face's corner has to move to count as changed."""


def propose(shape: Shape, kind: str, recipe: DeformRecipe, rng: np.random.Generator) -> OddSpec:
    """Parameters of the field: where and how much, in the shape's frame and units of D."""
    if kind == "bump":
        return _bump(shape, recipe, rng)
    if kind == "deformation":
        moves = rng.uniform(-1, 1, (LATTICE**3, 3))
        size = rng.uniform(*recipe.free) / np.linalg.norm(moves, axis=1).max()
        return OddSpec(kind, 0, {"moves": [numbers(row) for row in moves * size]})
    extents = shape.bounds[1] - shape.bounds[0]
    # The long axes show a bend or a twist; a short one hardly does.
    along = int(rng.choice(np.flatnonzero(extents >= 0.6 * extents.max())))
    angle = float(rng.uniform(*recipe.angle_deg) * rng.choice([-1.0, 1.0]))
    towards = rng.normal(size=3)
    towards[along] = 0
    return OddSpec(kind, 0, {"axis": along, "angle_deg": round(angle, 9),
                             "towards": numbers(towards / np.linalg.norm(towards))})  # fmt: skip


def _bump(shape: Shape, recipe: DeformRecipe, rng: np.random.Generator) -> OddSpec:
    whole = concatenate([part.mesh for part in shape.parts])
    points, faces = sample_surface(whole, 200, rng)
    a, b, c = whole.triangles[faces].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    outward = np.einsum("ni,ni->n", normals, points - shape.centre)
    normals *= np.where(outward < 0, -1.0, 1.0)[:, None]
    # A bump below is never seen: the object stands on it.
    k = int(np.flatnonzero(normals[:, 2] > -0.4)[0]) if (normals[:, 2] > -0.4).any() else 0
    height = float(rng.uniform(*recipe.bump) * rng.choice([1.0, 1.0, 1.0, -0.8]))
    values = {"centre": numbers(points[k]), "normal": numbers(normals[k]), "height": round(height, 9),
              "width": round(float(rng.uniform(*recipe.bump_width)), 9)}  # fmt: skip
    return OddSpec("bump", 0, values)


def field_of(shape: Shape, spec: OddSpec) -> Field:
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


def apply(shape: Shape, spec: OddSpec, recipe: DeformRecipe) -> OddShape | Rejected:
    """Every part, refined and moved by the field; rejected if it hardly differs."""
    field = field_of(shape, spec)
    parts, changed = [], {}
    for part in shape.parts:
        mesh, skin = fine(part)
        moved = Mesh(field(np.array(mesh.vertices)), mesh.faces)
        shift = np.linalg.norm(moved.vertices - mesh.vertices, axis=1) > MOVED * shape.diagonal
        changed[part.part_id] = shift[mesh.faces].any(axis=1)
        parts.append(replace(part, mesh=moved, skin=skin))
    return displaced(shape, spec, replace(shape, parts=tuple(parts)), changed, recipe.min_distance, "field")


def fine(part: Part, max_edge: float = MAX_EDGE) -> tuple[Mesh, Skin | None]:
    """A part fine enough to bend, its skin on the finer faces."""
    mesh, parent = refined(part.mesh, max_edge)
    if part.skin is None:
        return mesh, None
    return mesh, skin_at(part.mesh, part.skin, parent, mesh.triangles)
