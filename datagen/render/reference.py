"""Textureless reference views: grey, lit from the camera, white ground-less background."""

import numpy as np

from datagen.core.camera import Camera
from datagen.core.scene import GeometryFrame
from datagen.core.shape import Mesh
from datagen.geometry.clean import corner_normals
from datagen.geometry.rays import RayScene
from datagen.render.raycast import cast_view

AMBIENT, HEADLIGHT = 62.0, 128.0
"""Grey levels: facing surfaces 190, grazing ones 62 (the published sample: mean about 147, none >= 250)."""
EDGE_SAMPLES = ((-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25))


class ReferenceShader:
    """Shades ray-cast frames of one shape with smooth normals and antialiased edges."""

    def __init__(self, scene: RayScene, meshes: list[Mesh]) -> None:
        self.scene = scene
        self.corners = np.concatenate([corner_normals(mesh) for mesh in meshes])

    def shaded(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Grey picture (H, W, 3) uint8 with R = G = B, and z-depth (H, W), 0 = background."""
        frame = cast_view(self.scene, camera)
        return self._picture(frame, camera), frame.depth

    def close(self) -> None:
        """Nothing to free."""

    def _picture(self, frame: GeometryFrame, camera: Camera) -> np.ndarray:
        size = camera.size_px
        rows, columns = np.nonzero(frame.silhouette)
        level = np.full((size, size), 255.0)
        level[rows, columns] = self._shoot(camera, columns + 0.5, rows + 0.5)
        rows, columns = np.nonzero(_edges(frame))
        level[rows, columns] = np.mean(
            [self._shoot(camera, columns + 0.5 + dx, rows + 0.5 + dy) for dx, dy in EDGE_SAMPLES], axis=0
        )
        grey = np.round(level).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)

    def _shoot(self, camera: Camera, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Grey level (N,) along rays through continuous pixel coordinates; 255 for background."""
        f, c = camera.focal_px, camera.size_px / 2
        rays = np.stack([(columns - c) / f, (c - rows) / f, -np.ones(len(columns))], axis=1)
        directions = (rays / np.linalg.norm(rays, axis=1, keepdims=True)) @ camera.T_world_camera[:3, :3].T
        origins = np.broadcast_to(camera.position, directions.shape)
        hits = self.scene.cast(origins, directions)
        level = np.full(len(columns), 255.0)
        hit = hits.face >= 0
        points = origins[hit] + hits.t[hit, None] * directions[hit]
        normals = self._normals(hits.face[hit], points)
        level[hit] = AMBIENT + HEADLIGHT * np.abs(np.einsum("ni,ni->n", normals, directions[hit]))
        return level

    def _normals(self, face: np.ndarray, points: np.ndarray) -> np.ndarray:
        a, b, c = self.scene.triangles[face].transpose(1, 0, 2)
        n = np.cross(b - a, c - a)
        area = np.maximum(np.einsum("ni,ni->n", n, n), 1e-30)
        u = np.einsum("ni,ni->n", np.cross(c - b, points - b), n) / area
        v = np.einsum("ni,ni->n", np.cross(a - c, points - c), n) / area
        weights = np.clip(np.stack([u, v, 1 - u - v], axis=1), 0, 1)
        normals = np.einsum("nc,nci->ni", weights, self.corners[face])
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)


def _edges(frame: GeometryFrame) -> np.ndarray:
    """Pixels next to a jump of silhouette, depth or normal."""
    edge = np.zeros(frame.depth.shape, dtype=bool)
    for axis in (0, 1):
        step = np.abs(np.diff(frame.depth, axis=axis)) > 0.02
        step |= np.linalg.norm(np.diff(frame.normal, axis=axis), axis=-1) > 0.5
        low, high = [slice(None)] * 2, [slice(None)] * 2
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        edge[tuple(low)] |= step
        edge[tuple(high)] |= step
    return edge
