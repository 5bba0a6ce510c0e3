"""Subtract a roughened sphere or box from a part; know which faces the cut made."""

from dataclasses import dataclass

import manifold3d
import numpy as np
from scipy.spatial import cKDTree

from datagen.core.shape import Mesh, concatenate
from datagen.geometry.solid import SolidPart, to_manifold


@dataclass(frozen=True, eq=False)
class Cut:
    """What is left: the mesh, which faces (F,) the cutter made, and the share of volume removed."""

    mesh: Mesh
    made_by_cutter: np.ndarray
    removed: float


def cutter_mesh(
    primitive: str,
    centre: np.ndarray,
    half_extents: np.ndarray,
    rotation: np.ndarray,
    roughness: float,
    noise_seed: int,
) -> Mesh:
    """A closed, lumpy sphere or box: `half_extents` (3,) in its own axes, `rotation` (3, 3) to the object.

    Each vertex moves along its radius by up to `roughness` times the size: smooth lumps plus a finer
    grain, from plane waves of a seeded set, so that a vertex shared by faces moves once.
    """
    unit = _sphere() if primitive == "sphere" else _box()
    rng = np.random.Generator(np.random.PCG64(noise_seed))
    direction = unit.vertices / np.linalg.norm(unit.vertices, axis=1, keepdims=True)
    noise = _plane_waves(direction, rng, 2.0, 10) + 0.6 * _plane_waves(direction, rng, 9.0, 24)
    vertices = unit.vertices * (1 + roughness * noise[:, None])
    return Mesh((vertices * half_extents) @ rotation.T + centre, unit.faces)


def subtract(solid: SolidPart, cutter: Mesh) -> Cut | None:
    """Every component minus the cutter; None when nothing is left."""
    tool = to_manifold(cutter)
    if tool is None:
        return None
    tool = tool.as_original()
    tool_id = tool.original_id()
    meshes, made = [], []
    volume = 0.0
    for component in solid.manifolds:
        rest = component - tool
        if rest.is_empty() or rest.volume() <= 1e-9:
            continue
        volume += rest.volume()
        out = rest.to_mesh()
        meshes.append(Mesh(np.asarray(out.vert_properties)[:, :3], np.asarray(out.tri_verts).astype(np.int64)))
        made.append(_faces_of(out, tool_id))
    if not meshes:
        return None
    return Cut(concatenate(meshes), np.concatenate(made), 1.0 - volume / solid.volume)


def inside(cutter: Mesh, centre: np.ndarray, points: np.ndarray) -> np.ndarray:
    """True (N,) for points within a cutter that is star-shaped about `centre` (all of ours are)."""
    rays, surface = points - centre, cutter.vertices - centre
    radius = np.linalg.norm(surface, axis=1)
    tree = cKDTree(surface / radius[:, None])
    length = np.linalg.norm(rays, axis=1)
    _, nearest = tree.query(rays / np.maximum(length[:, None], 1e-12), k=3)
    return length < radius[nearest].mean(axis=1)


def _faces_of(out: manifold3d.Mesh, original_id: int) -> np.ndarray:
    made = np.zeros(len(out.tri_verts), dtype=bool)
    for k, run_id in enumerate(out.run_original_id):
        if run_id == original_id:
            made[out.run_index[k] // 3 : out.run_index[k + 1] // 3] = True
    return made


def _plane_waves(points: np.ndarray, rng: np.random.Generator, frequency: float, count: int) -> np.ndarray:
    waves = rng.normal(size=(count, 3)) * frequency
    phases = rng.uniform(0, 2 * np.pi, count)
    return np.sin(points @ waves.T + phases).sum(axis=1) * np.sqrt(2 / count) * 0.5


def _sphere() -> Mesh:
    sphere = manifold3d.Manifold.sphere(1.0, 64).to_mesh()
    return Mesh(np.asarray(sphere.vert_properties)[:, :3], np.asarray(sphere.tri_verts).astype(np.int64))


def _box() -> Mesh:
    box = manifold3d.Manifold.cube((2.0, 2.0, 2.0), True).refine(16).to_mesh()
    return Mesh(np.asarray(box.vert_properties)[:, :3], np.asarray(box.tri_verts).astype(np.int64))
