"""Embree ray casting with exact depth.

Embree answers in single precision: hits are taken from it, distances are recomputed from the
triangle's plane in float64, and a lone miss between hits is shot again (rendering-facts.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh

from datagen.core.shape import Mesh


@dataclass(frozen=True, eq=False)
class Hits:
    """For N rays: face index into the scene's joined triangles (-1 = miss), distance t (inf = miss), and
    barycentric uv (N, 2) in single precision: the hit is about (1 - u - v) a + u b + v c."""

    face: np.ndarray
    t: np.ndarray
    uv: np.ndarray


class RayScene:
    """Meshes with ids, ready for rays."""

    def __init__(self, meshes: Sequence[tuple[int, Mesh]]) -> None:
        self.triangles = np.concatenate([mesh.triangles for _, mesh in meshes])
        counts = [len(mesh.faces) for _, mesh in meshes]
        self.ids = np.repeat(np.array([i for i, _ in meshes], dtype=np.int32), counts)
        self.local_face = np.concatenate([np.arange(n, dtype=np.int32) for n in counts])
        a, b, c = self.triangles.transpose(1, 0, 2)
        normals = np.cross(b - a, c - a)
        self.normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        self.bounds = np.stack([self.triangles.min(axis=(0, 1)), self.triangles.max(axis=(0, 1))])
        self._scene = rtcore_scene.EmbreeScene()
        self._mesh = TriangleMesh(self._scene, self.triangles.astype(np.float32))

    def cast(self, origins: np.ndarray, directions: np.ndarray) -> Hits:
        """Nearest hits of rays with origins (N, 3) and unit directions (N, 3)."""
        result = self._scene.run(origins.astype(np.float32), directions.astype(np.float32), output=True)
        face = result["primID"].astype(np.int64)
        t = np.full(len(face), np.inf)
        hit = face >= 0
        t[hit] = self._plane_distance(face[hit], origins[hit], directions[hit], result["tfar"][hit])
        return Hits(face, t, np.stack([result["u"], result["v"]], axis=1))

    def _plane_distance(self, face: np.ndarray, o: np.ndarray, d: np.ndarray, t_single: np.ndarray) -> np.ndarray:
        normal, corner = self.normals[face], self.triangles[face, 0]
        slope = np.einsum("ni,ni->n", d, normal)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.einsum("ni,ni->n", corner - o, normal) / slope
        # A grazing plane amplifies rounding: there the single-precision distance is the better one.
        unsafe = ~np.isfinite(t) | (np.abs(t - t_single) > 1e-3 * np.maximum(1.0, t_single))
        return np.where(unsafe, t_single, t)

    def visible(self, points: np.ndarray, eye: np.ndarray, tolerance: float = 1e-4) -> np.ndarray:
        """True (N,) where nothing lies more than `tolerance` in front of a surface point seen from `eye`."""
        rays = points - eye
        length = np.linalg.norm(rays, axis=1)
        hits = self.cast(np.broadcast_to(eye, points.shape), rays / length[:, None])
        return hits.t > length - tolerance
