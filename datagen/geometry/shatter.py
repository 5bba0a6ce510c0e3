"""Broken surfaces: noisy cells that manifold3d takes from a part, with the faces that the break made.

A cell is where 1 to 3 half-spaces meet; each of their faces is a height field of lumps and grain, so a break
looks torn and not sawn.
"""

from dataclasses import dataclass

import manifold3d
import numpy as np

from datagen.core.shape import Mesh, Skin
from datagen.geometry.proximity import nearest_faces
from datagen.geometry.refine import skin_at
from datagen.geometry.solid import SolidPart

GRID = 44
"""Cells along the edge of a cut face's height field: lumps of a fortieth of the object."""


@dataclass(frozen=True)
class Cell:
    """A region that breaks off: directions (K, 3) that point into it, offsets (K,) along them, noise."""

    directions: tuple[tuple[float, float, float], ...]
    offsets: tuple[float, ...]
    roughness: float
    seed: int

    def solid(self, centre: np.ndarray, reach: float) -> manifold3d.Manifold:
        """The region within `reach` of `centre` as one solid."""
        parts = [
            _half_space(np.array(n), d, centre, reach, self.roughness, self.seed + k)
            for k, (n, d) in enumerate(zip(self.directions, self.offsets, strict=True))
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole ^ part
        return whole


def _half_space(
    normal: np.ndarray, offset: float, centre: np.ndarray, reach: float, roughness: float, seed: int
) -> manifold3d.Manifold:
    """Points with normal . x > offset (plus noise), as a block over a height field."""
    rng = np.random.Generator(np.random.PCG64(seed))
    side = np.linspace(-1.0, 1.0, GRID + 1) * reach * 1.6
    x, y = np.meshgrid(side, side, indexing="ij")
    height = roughness * (_waves(x, y, reach, rng, 3.5, 8) + 0.55 * _waves(x, y, reach, rng, 14.0, 16))
    n = GRID + 1
    low = np.stack([x, y, height], axis=-1).reshape(-1, 3)
    high = np.stack([x, y, np.full_like(x, 3.2 * reach)], axis=-1).reshape(-1, 3)
    index = np.arange(n * n).reshape(n, n)
    a, b, c, d = (s.ravel() for s in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    floor = np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)])
    roof = floor[:, ::-1] + n * n
    rim = np.concatenate([index[:, 0], index[-1, 1:], index[-2::-1, -1], index[0, -2:0:-1]])
    after = np.roll(rim, -1)
    # Seen from above the rim runs (0,0) -> (n,0) -> (n,n) -> (0,n), counter-clockwise in (x, y).
    walls = np.concatenate([np.stack([rim, after, after + n * n], 1), np.stack([rim, after + n * n, rim + n * n], 1)])
    frame = _frame(normal)
    base = centre + normal * (offset - normal @ centre)
    vertices = np.concatenate([low, high]) @ frame.T + base
    faces = np.concatenate([floor, roof, walls])
    return manifold3d.Manifold(
        manifold3d.Mesh(np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.uint32))
    )


def _waves(
    x: np.ndarray, y: np.ndarray, reach: float, rng: np.random.Generator, frequency: float, count: int
) -> np.ndarray:
    total = np.zeros_like(x)
    for _ in range(count):
        k = rng.normal(size=2) * frequency / reach
        total += np.sin(k[0] * x + k[1] * y + rng.uniform(0, 2 * np.pi))
    return total * np.sqrt(2 / count)


def _frame(normal: np.ndarray) -> np.ndarray:
    """Right-handed axes (3, 3) as columns, the third along `normal`."""
    start = np.eye(3)[np.argmin(np.abs(normal))]
    u = np.cross(start, normal)
    u = u / np.linalg.norm(u)
    return np.stack([u, np.cross(normal, u), normal], axis=1)


@dataclass(frozen=True, eq=False)
class Fragment:
    """A part after a boolean: mesh, which faces (F,) the cut made, and its skin (None as the part's)."""

    mesh: Mesh
    cut: np.ndarray
    skin: Skin | None
    volume: float


def carve(
    solid: SolidPart, part: Mesh, skin: Skin | None, tool: manifold3d.Manifold, inside: str | None, keep: str
) -> Fragment | None:
    """What of a solid lies outside (`keep` 'rest') or inside ('piece') the tool; None if nothing does.

    New faces wear the material `inside`; the others keep the material and texture of the face they lie in.
    """
    tool = tool.as_original()
    tool_id = tool.original_id()
    meshes, cuts = [], []
    volume, base = 0.0, 0
    for component in solid.manifolds:
        result = component - tool if keep == "rest" else component ^ tool
        if result.is_empty() or result.volume() <= 1e-9:
            continue
        volume += result.volume()
        out = result.to_mesh()
        faces = np.asarray(out.tri_verts).astype(np.int64)
        cut = np.zeros(len(faces), dtype=bool)
        for k, run_id in enumerate(out.run_original_id):
            if run_id == tool_id:
                cut[out.run_index[k] // 3 : out.run_index[k + 1] // 3] = True
        vertices = np.asarray(out.vert_properties)[:, :3]
        meshes.append((vertices, faces + base))
        cuts.append(cut)
        base += len(vertices)
    if not meshes:
        return None
    mesh = Mesh(np.concatenate([v for v, _ in meshes]), np.concatenate([f for _, f in meshes]))
    cut = np.concatenate(cuts)
    return Fragment(mesh, cut, skin_left(part, skin, mesh, cut, inside), volume)


def skin_left(part: Mesh, skin: Skin | None, mesh: Mesh, cut: np.ndarray, inside: str | None) -> Skin | None:
    """The part's skin on what is left of it: each old face takes from the face that it lies in."""
    if skin is None:
        return None
    materials = skin.materials if inside is None else (*skin.materials, inside)
    slot = np.full(len(mesh.faces), len(materials) - 1, dtype=np.int32)
    uv = None if skin.uv is None else np.full((len(mesh.faces), 3, 2), np.nan)
    color = None if skin.color is None else np.ones((len(mesh.faces), 3, 3))
    old = ~cut
    if old.any():
        source = nearest_faces(part, mesh.triangles[old].mean(axis=1))
        left = skin_at(part, skin, source, mesh.triangles[old])
        slot[old] = left.slot
        if uv is not None and left.uv is not None:
            uv[old] = left.uv
        if color is not None and left.color is not None:
            color[old] = left.color
    return Skin(materials, slot, uv, color)
