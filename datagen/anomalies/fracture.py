"""Fracture and crack: a noisy cell breaks off, or breaks off and stays, slightly displaced (section A.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module

import manifold3d
import numpy as np
from scipy.spatial.transform import Rotation

from datagen.anomalies.common import INSIDE, broken_skin, comes_loose, numbers, rebuilt, with_inside
from datagen.anomalies.operator import Setting
from datagen.anomalies.sizes import drawn, no_unit
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.errors import MissingDependency
from datagen.core.rng import unit_vector
from datagen.core.shape import Mesh, Part, Shape, Skin, concatenate
from datagen.geometry.proximity import nearest_faces
from datagen.geometry.refine import joined_skins
from datagen.geometry.sample import sample_surface
from datagen.geometry.shatter import Cell, Fragment, carve
from datagen.geometry.solid import SolidPart, solidify_part
from datagen.recipe.anomalies import FractureRecipe

LOOSE = 0.012
CRUMBS = 0.02
"""Share of the surface that may hang loose after a fracture: splinters, which the eye takes for what they are."""
Fragments = Sequence[tuple[np.ndarray, np.ndarray]]
Plugin = Callable[[np.ndarray, np.ndarray, int], Fragments]
"""(vertices (V, 3), faces (F, 3), seed) -> fragments as (vertices, faces), closed, in the same frame."""


@dataclass(frozen=True)
class Fracture:
    """Breaks a cell off the object: gone (`fracture`), or still there, slightly displaced (`crack`)."""

    name: str
    on_part = False
    needs = frozenset[str]()

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """A cell about a random surface point, sized to hold the aimed share of the surface."""
        settings: FractureRecipe = setting.policy.settings(self.name)
        if getattr(settings, "mm", None) is not None and not shape.mm:
            return no_unit(shape)
        if setting.plugin:
            values: dict[str, object] = {"plugin": setting.plugin, "seed": int(rng.integers(2**31))}
        else:
            values = _cell(shape, settings, rng)
        return AnomalySpec(self.name, values={**values, **_crack(self.name, shape, settings, rng)})

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """What is left of the shape, or both halves with one displaced; judged by result, not by status."""
        settings: FractureRecipe = setting.policy.settings(self.name)
        broken = _by_plugin(shape, spec) if "plugin" in spec.values else _by_cell(shape, spec)
        if isinstance(broken, Rejected):
            return broken
        if not settings.removed[0] <= broken.share <= settings.removed[1]:
            return Rejected("removed_share", f"{broken.share:.3f} of the volume breaks off")
        made = _cracked(shape, spec, broken) if self.name == "crack" else _fractured(shape, spec, broken)
        return made if isinstance(made, Rejected) else replace(made, shape=with_inside(made.shape))


def _cell(shape: Shape, settings: FractureRecipe, rng: np.random.Generator) -> dict[str, object]:
    """Directions and offsets of the cell's faces, and their noise."""
    whole = concatenate([part.mesh for part in shape.parts])
    points, _ = sample_surface(whole, 3000, rng)
    anchor = points[rng.integers(len(points))]
    outward = anchor - shape.centre
    first = outward / max(float(np.linalg.norm(outward)), 1e-9) + 0.5 * unit_vector(rng)
    first = first / np.linalg.norm(first)
    directions = [first]
    for _ in range(int(rng.integers(settings.cells[0], settings.cells[1] + 1)) - 1):
        other = first + 0.9 * unit_vector(rng)
        directions.append(other / np.linalg.norm(other))
    normals = np.array(directions)
    slopes = np.maximum(normals @ first, 0.3)
    depth = ((points - anchor) @ normals.T / slopes).min(axis=1)
    share = rng.uniform(*settings.aimed)
    start = anchor + first * float(np.quantile(depth, 1 - share))
    return {
        "directions": [numbers(n) for n in normals],
        "offsets": numbers(normals @ start),
        "roughness": round(float(rng.uniform(*settings.roughness)) * shape.diagonal, 9),
        "seed": int(rng.integers(2**31)),
    }


def _crack(kind: str, shape: Shape, settings: FractureRecipe, rng: np.random.Generator) -> dict[str, object]:
    if kind != "crack":
        return {}
    if (span := getattr(settings, "mm", None)) is not None:
        # No turn, no slide: it opens by so much all along.
        return {"gap": round(drawn(span, rng) * shape.mm / shape.diagonal, 9), "slide": [0.0] * 3, "turn": [0.0] * 3}
    gap, slide = rng.uniform(*settings.gap), unit_vector(rng)
    slid = numbers(slide * gap * rng.uniform(0.3, 1.0))
    turn = numbers(unit_vector(rng) * np.radians(rng.uniform(*settings.turn_deg)))
    return {"gap": round(float(gap), 9), "slide": slid, "turn": turn}


class _Broken:
    """Both sides of a break, by part: what stays, what breaks off; parts that are untouched are in neither."""

    def __init__(self) -> None:
        self.rest: dict[int, Fragment | None] = {}
        self.off: dict[int, Fragment | None] = {}
        self.kept_volume = self.off_volume = 0.0
        self.methods: set[str] = set()
        self.normal = np.array([0.0, 0.0, 1.0])

    @property
    def share(self) -> float:
        return self.off_volume / max(self.off_volume + self.kept_volume, 1e-12)


def _by_cell(shape: Shape, spec: AnomalySpec) -> _Broken | Rejected:
    values = spec.values
    directions = np.array(values["directions"])
    rows, offsets = tuple(tuple(row) for row in directions.tolist()), tuple(values["offsets"])
    cell = Cell(rows, offsets, values["roughness"], int(values["seed"]))
    tool = cell.solid(shape.centre, 1.3)
    broken = _Broken()
    broken.normal = directions[0]
    margin = 3.5 * cell.roughness
    for part in shape.parts:
        depth = (part.mesh.vertices @ directions.T - np.array(cell.offsets)).min(axis=1)
        if depth.max() < -margin:
            broken.kept_volume += _volume(part.mesh)
            continue
        if depth.min() > margin:
            broken.off_volume += _volume(part.mesh)
            broken.rest[part.part_id] = None
            broken.off[part.part_id] = Fragment(part.mesh, np.zeros(len(part.mesh.faces), bool), part.skin, 0.0)
            continue
        solid = solidify_part(part.mesh)
        if solid is None:
            return Rejected("no_solid", f"no repair path gave a solid of part {part.part_id}")
        broken.methods.add(solid.method)
        _take(broken, part, solid, tool)
    return broken


def _take(broken: _Broken, part: Part, solid: SolidPart, tool: manifold3d.Manifold) -> None:
    inside = f"{INSIDE}:{part.skin.materials[0]}" if part.skin else None
    rest = carve(solid, part.mesh, part.skin, tool, inside, "rest")
    off = carve(solid, part.mesh, part.skin, tool, inside, "piece")
    broken.kept_volume += rest.volume if rest else 0.0
    broken.off_volume += off.volume if off else 0.0
    if off is not None:
        broken.rest[part.part_id], broken.off[part.part_id] = rest, off


def _volume(mesh: Mesh) -> float:
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    return abs(float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6)


def _by_plugin(shape: Shape, spec: AnomalySpec) -> _Broken | Rejected:
    """Fragments by the user's own tool (fracture-modes, say), on the part with the largest volume."""
    part = max(shape.parts, key=lambda p: (_volume(p.mesh), -p.part_id))
    solid = solidify_part(part.mesh)
    if solid is None:
        return Rejected("no_solid", f"no repair path gave a solid of part {part.part_id}")
    whole = solid.mesh()
    fragments = open_plugin(spec.values["plugin"])(np.array(whole.vertices), np.array(whole.faces), spec.values["seed"])
    meshes = sorted((Mesh(v, f) for v, f in fragments), key=lambda m: (_volume(m), m.digest))
    if len(meshes) < 2:
        return Rejected("one_piece", "the fracture source gave a single fragment")
    broken = _Broken()
    broken.methods.add(f"plugin {solid.method}")
    off, rest = meshes[-2], concatenate([*meshes[:-2], meshes[-1]])
    broken.normal = off.centre - rest.centre
    broken.normal /= max(float(np.linalg.norm(broken.normal)), 1e-9)
    for target, mesh in ((broken.rest, rest), (broken.off, off)):
        target[part.part_id] = _fragment(part, mesh)
    broken.kept_volume = sum(_volume(m) for m in meshes) - _volume(off)
    broken.kept_volume += sum(_volume(p.mesh) for p in shape.parts if p.part_id != part.part_id)
    broken.off_volume = _volume(off)
    return broken


def _fragment(part: Part, mesh: Mesh) -> Fragment:
    """A fragment with its broken faces told by their distance from the part's surface."""
    centres = mesh.triangles.mean(axis=1)
    source = nearest_faces(part.mesh, centres)
    corner = part.mesh.triangles[source, 0]
    a, b, c = part.mesh.triangles[source].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    cut = np.abs(np.einsum("ni,ni->n", centres - corner, normal)) > 2e-3
    return Fragment(mesh, cut, broken_skin(part, mesh, cut), _volume(mesh))


def open_plugin(name: str) -> Plugin:
    """The user's fracture source. Raises MissingDependency."""
    module, _, function = name.partition(":")
    try:
        return getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise MissingDependency(f"anomaly.plugin {name}: {error}; install it, or clear the key") from error


def _fractured(shape: Shape, spec: AnomalySpec, broken: _Broken) -> AnomalousShape | Rejected:
    new: dict[int, tuple[Mesh, Skin | None]] = {}
    changed: dict[int, np.ndarray] = {}
    gone = []
    for part_id, piece in broken.rest.items():
        if piece is None:
            gone.append(part_id)
        else:
            new[part_id], changed[part_id] = (piece.mesh, piece.skin), piece.cut
    if len(gone) == len(shape.parts):
        return Rejected("nothing_left", "every part breaks off")
    if not any(faces.any() for faces in changed.values()):
        return Rejected("no_cut_face", "only whole parts would go")
    after = rebuilt(shape, new, gone)
    method, measures = " ".join(sorted(broken.methods)), {"removed": broken.share}
    made = AnomalousShape(spec, shape, after, changed, broken.share, tuple(gone), method, measures)
    return comes_loose(shape, after, LOOSE, CRUMBS) or made


def _cracked(shape: Shape, spec: AnomalySpec, broken: _Broken) -> AnomalousShape | Rejected:
    faces = [piece for piece in broken.off.values() if piece is not None]
    cuts = [piece.mesh.triangles[piece.cut].mean(axis=1) for piece in faces if piece.cut.any()]
    if not cuts:
        return Rejected("no_cut_face", "only whole parts would crack off")
    pivot = np.concatenate(cuts).mean(axis=0)
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(spec.values["turn"]).as_matrix()
    shift = np.array(spec.values["slide"]) + spec.values["gap"] * broken.normal
    T[:3, 3] = pivot - T[:3, :3] @ pivot + shift * shape.diagonal
    new: dict[int, tuple[Mesh, Skin | None]] = {}
    changed: dict[int, np.ndarray] = {}
    for part_id, off in broken.off.items():
        rest = broken.rest[part_id]
        if off is None:
            continue
        moved = (off.mesh.transformed(T), off.skin)
        if rest is None:
            new[part_id], changed[part_id] = moved, np.ones(len(off.mesh.faces), bool)
        else:
            new[part_id] = joined_skins([(rest.mesh, rest.skin), moved])
            changed[part_id] = np.concatenate([rest.cut, np.ones(len(off.mesh.faces), bool)])
    after = rebuilt(shape, new)
    wide = float(np.linalg.norm(shift))
    method, measures = " ".join(sorted(broken.methods)), {"removed": broken.share, "shift": wide}
    made = AnomalousShape(spec, shape, after, changed, wide, (), method, measures)
    return comes_loose(shape, after, LOOSE + 1.5 * wide, CRUMBS) or made
