"""Meshes, parts and shapes.

Frame inside the program: +Z up, front -Y, standing on the ground (min z = 0), bounding-box
centre above the origin, bounding-sphere radius about that centre 1 (`Shape.normalised`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from datagen.core.errors import MeshLoadError, ShapeError
from datagen.core.ids import arrays_hash, content_hash
from datagen.core.joint import Joint, joints_at, part_motions
from datagen.core.material import Material

REMAINDER_PATH = "remainder"
"""Semantic path of meshes that no label claims; rendered, never made anomalous."""


@dataclass(frozen=True, eq=False, repr=False)
class Mesh:
    """Triangles: vertices (V, 3) float64, faces (F, 3) int32, both read-only.

    Raises MeshLoadError when a shape, an index or a coordinate is impossible.
    """

    vertices: np.ndarray
    faces: np.ndarray

    def __post_init__(self) -> None:
        vertices = np.array(self.vertices, dtype=np.float64)
        faces = np.array(self.faces, dtype=np.int32)
        if vertices.ndim != 2 or vertices.shape[1:] != (3,) or faces.ndim != 2 or faces.shape[1:] != (3,):
            raise MeshLoadError(f"vertices {vertices.shape} and faces {faces.shape} are no triangle mesh")
        if len(vertices) == 0 or len(faces) == 0:
            raise MeshLoadError(f"the mesh is empty ({len(vertices)} vertices, {len(faces)} faces)")
        if not np.isfinite(vertices).all():
            raise MeshLoadError(f"{int((~np.isfinite(vertices)).any(axis=1).sum())} vertices are not finite")
        if faces.min() < 0 or faces.max() >= len(vertices):
            raise MeshLoadError(f"a face names a vertex outside 0..{len(vertices) - 1}")
        for name, array in (("vertices", vertices), ("faces", faces)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        return f"Mesh({len(self.vertices)} vertices, {len(self.faces)} faces)"

    @cached_property
    def bounds(self) -> np.ndarray:
        """Axis-aligned bounds of the vertices that faces use, shape (2, 3)."""
        used = self.vertices[np.unique(self.faces)]
        return np.stack([used.min(axis=0), used.max(axis=0)])

    @property
    def centre(self) -> np.ndarray:
        """Bounding-box centre, shape (3,)."""
        return self.bounds.mean(axis=0)

    @property
    def extents(self) -> np.ndarray:
        """Bounding-box edge lengths, shape (3,)."""
        return self.bounds[1] - self.bounds[0]

    @property
    def diagonal(self) -> float:
        """Bounding-box diagonal."""
        return float(np.linalg.norm(self.extents))

    @cached_property
    def triangles(self) -> np.ndarray:
        """Corner positions, shape (F, 3, 3)."""
        return self.vertices[self.faces]

    @cached_property
    def face_areas(self) -> np.ndarray:
        """Triangle areas, shape (F,)."""
        a, b, c = self.triangles.transpose(1, 0, 2)
        return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2

    @property
    def area(self) -> float:
        """Surface area: the sum of triangle areas."""
        return float(self.face_areas.sum())

    @cached_property
    def digest(self) -> str:
        """Content hash of the arrays."""
        return arrays_hash(self.vertices, self.faces)

    def transformed(self, T: np.ndarray) -> "Mesh":
        """The mesh under a 4 x 4 affine transform; winding is kept for reflections by flipping faces."""
        vertices = self.vertices @ T[:3, :3].T + T[:3, 3]
        faces = self.faces[:, ::-1] if np.linalg.det(T[:3, :3]) < 0 else self.faces
        return Mesh(vertices, faces)


def concatenate(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh of all triangles, in order."""
    vertices, faces, offset = [], [], 0
    for mesh in meshes:
        vertices.append(mesh.vertices)
        faces.append(mesh.faces + offset)
        offset += len(mesh.vertices)
    if not vertices:
        raise MeshLoadError("there is no mesh to join")
    return Mesh(np.concatenate(vertices), np.concatenate(faces))


@dataclass(frozen=True, eq=False, repr=False)
class Skin:
    """What a part's surface looks like where the source says so: materials by face, and texture coordinates.

    `slot` (F,) indexes `materials` (ids in the shape's palette); `uv` (F, 3, 2) in repeats of the texture at each
    face corner, NaN where a face has none. `color` (F, 3, 3), linear, multiplies the base colours of materials that
    ask for it.
    """

    materials: tuple[str, ...]
    slot: np.ndarray
    uv: np.ndarray | None = None
    color: np.ndarray | None = None

    def __post_init__(self) -> None:
        slot = np.array(self.slot, dtype=np.int32)
        if slot.ndim != 1 or (len(slot) and (slot.min() < 0 or slot.max() >= len(self.materials))):
            raise MeshLoadError(f"a face wears material {slot.max()} of {len(self.materials)}")
        slot.flags.writeable = False
        object.__setattr__(self, "slot", slot)
        for name, width in (("uv", 2), ("color", 3)):
            if getattr(self, name) is None:
                continue
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (len(slot), 3, width):
                raise MeshLoadError(f"{name} {values.shape} of corners does not fit {len(slot)} faces")
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @cached_property
    def digest(self) -> str:
        """Content hash of materials, slots, coordinates and colours."""
        uv = np.zeros(0) if self.uv is None else self.uv
        arrays = (self.slot, uv) if self.color is None else (self.slot, uv, self.color)
        return content_hash([list(self.materials), arrays_hash(*arrays)])

    def of(self, faces: np.ndarray) -> "Skin":
        """The skin of some of the faces, by mask or number."""
        uv, color = (None if values is None else values[faces] for values in (self.uv, self.color))
        return Skin(self.materials, self.slot[faces], uv, color)


@dataclass(frozen=True)
class Part:
    """One semantic leaf of a shape. `part_id` is unique within the shape and > 0."""

    part_id: int
    name: str
    path: str
    part_class: str
    mesh: Mesh
    group: str = ""
    """Parts with one non-empty group belong together (four legs, all slats) and share a material."""
    skin: Skin | None = None
    """How the source dresses it; None where the program chooses materials."""


@dataclass(frozen=True)
class Shape:
    """A part tree flattened to its leaves, with where it came from."""

    shape_id: str
    source: str
    parts: tuple[Part, ...]
    model_id: str = ""
    category: str = ""
    licence: str = "unknown"
    provenance: str = ""
    warnings: tuple[str, ...] = ()
    T_shape_source: tuple[tuple[float, ...], ...] = field(default=tuple(map(tuple, np.eye(4).tolist())))
    """4 x 4 similarity from the source file's frame to this one."""
    palette: Mapping[str, Material] = field(default_factory=dict)
    """Materials that skins name, by id."""
    joints: tuple[Joint, ...] = ()
    """How parts move, those that carry others first; at rest where the shape stands."""
    rest_bounds: tuple[tuple[float, ...], ...] = ()
    """Of a posed shape: the bounds (2, 3) at rest, which give its centre and its scale."""
    source_mm: float = 0.0
    """Millimetres of a unit of the source file; 0 where nothing says."""

    def __post_init__(self) -> None:
        if not self.parts:
            raise ShapeError(f"{self.shape_id} has no part with a surface")
        ids = [part.part_id for part in self.parts]
        if len(set(ids)) != len(ids) or min(ids) <= 0:
            raise ShapeError(f"{self.shape_id} has duplicate or non-positive part ids")

    @cached_property
    def bounds(self) -> np.ndarray:
        """Axis-aligned bounds over all parts, shape (2, 3); of a posed shape those at rest."""
        if self.rest_bounds:
            return np.array(self.rest_bounds)
        bounds = np.stack([part.mesh.bounds for part in self.parts])
        return np.stack([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)])

    @property
    def centre(self) -> np.ndarray:
        """Bounding-box centre, shape (3,)."""
        return self.bounds.mean(axis=0)

    @property
    def diagonal(self) -> float:
        """Bounding-box diagonal D, the unit of every anomaly magnitude."""
        return float(np.linalg.norm(self.bounds[1] - self.bounds[0]))

    @property
    def mm(self) -> float:
        """Object units in a true millimetre of the part; 0 where the source says no unit."""
        if not self.source_mm:
            return 0.0
        scale = np.cbrt(abs(np.linalg.det(np.array(self.T_shape_source)[:3, :3])))
        return float(scale / self.source_mm)

    @cached_property
    def area(self) -> float:
        """Surface area of all parts."""
        return sum(part.mesh.area for part in self.parts)

    @cached_property
    def digest(self) -> str:
        """Content hash: labels and geometry, not where the files lie."""
        return content_hash(
            [
                self.shape_id,
                self.model_id,
                [[p.part_id, p.path, p.part_class, p.mesh.digest] for p in self.parts],
            ]
        )

    def part(self, part_id: int) -> Part:
        """The part with this id. Raises KeyError."""
        for part in self.parts:
            if part.part_id == part_id:
                return part
        raise KeyError(part_id)

    def transformed(self, T: np.ndarray) -> "Shape":
        """Every part and joint under one 4 x 4 transform, recorded in `T_shape_source`.

        A posed shape is scaled and shifted only: its bounds at rest are a box.
        """
        parts = tuple(replace(part, mesh=part.mesh.transformed(T)) for part in self.parts)
        T_shape_source = T @ np.array(self.T_shape_source)
        joints = tuple(joint.transformed(T) for joint in self.joints)
        rest = np.array(self.rest_bounds)
        rest = np.sort(rest @ T[:3, :3].T + T[:3, 3], axis=0) if len(rest) else rest
        return replace(
            self,
            parts=parts,
            T_shape_source=tuple(map(tuple, T_shape_source.tolist())),
            joints=joints,
            rest_bounds=tuple(map(tuple, rest.tolist())),
        )

    def posed(self, values: Mapping[str, float]) -> "Shape":
        """The shape with its joints at these values, by name, the others at rest; centre and scale stay."""
        motions = part_motions(self.joints, values)
        if not motions:
            return self
        moved = (
            replace(part, mesh=part.mesh.transformed(motions[part.part_id])) if part.part_id in motions else part
            for part in self.parts
        )
        bounds = tuple(map(tuple, self.bounds.tolist()))
        return replace(self, parts=tuple(moved), joints=joints_at(self.joints, values), rest_bounds=bounds)

    def normalised(self) -> "Shape":
        """Scaled to bounding-sphere radius 1 about the bounding-box centre and stood on the ground.

        Raises ShapeError when the shape has no extent.
        """
        centre = self.centre
        radius = max(
            float(np.linalg.norm(part.mesh.vertices[np.unique(part.mesh.faces)] - centre, axis=1).max())
            for part in self.parts
        )
        if radius <= 1e-12:
            raise ShapeError(f"{self.shape_id} has no extent; check the units of its files")
        scale = 1.0 / radius
        T = np.eye(4)
        T[:3, :3] *= scale
        T[:3, 3] = -scale * centre
        T[2, 3] = -scale * self.bounds[0, 2]
        return self.transformed(T)


T_INSIDE_FROM_PUBLISHED = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=np.float64)
"""Published frame (y up, front +z) to the frame inside (z up, front -y): (x, y, z) -> (x, -z, y)."""
T_PUBLISHED_FROM_INSIDE = T_INSIDE_FROM_PUBLISHED.T.copy()
