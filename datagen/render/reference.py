"""Textureless reference views: grey, lit from the camera, white ground-less background."""

import numpy as np

from datagen.core.camera import Camera
from datagen.core.scene import GeometryFrame
from datagen.core.shape import Mesh
from datagen.geometry.clean import corner_normals
from datagen.geometry.rays import RayScene
from datagen.render.raycast import Sight, frame_of, look, pixel_rays

AMBIENT, HEADLIGHT = 62.0, 128.0
"""Grey levels: facing surfaces 190, grazing ones 62 (the published sample: mean about 147, none >= 250)."""
EDGE_SAMPLES = np.array([(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)])


class ReferenceShader:
    """Shades ray-cast frames of one shape with smooth normals and antialiased edges."""

    def __init__(self, scene: RayScene, meshes: list[Mesh]) -> None:
        self.scene = scene
        self.corners = np.concatenate([corner_normals(mesh) for mesh in meshes])

    def shaded(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Grey picture (H, W, 3) uint8 with R = G = B, and z-depth (H, W), 0 = background."""
        sight = look(self.scene, camera)
        frame = frame_of(self.scene, camera, sight)
        return self._picture(sight, frame, camera), frame.depth

    def close(self) -> None:
        """Nothing to free."""

    def _picture(self, sight: Sight, frame: GeometryFrame, camera: Camera) -> np.ndarray:
        level = np.full(frame.depth.shape, 255.0)
        rays = pixel_rays(camera)[sight.rows, sight.columns].reshape(-1, 3)
        inner = self._level(camera, rays, sight.face.reshape(-1), sight.uv.reshape(-1, 2))
        level[sight.rows, sight.columns] = inner.reshape(sight.face.shape)
        rows, columns = np.nonzero(_edges(frame))
        pixels = np.stack([columns, rows], axis=1) + 0.5
        samples = (pixels[None] + EDGE_SAMPLES[:, None]).reshape(-1, 2)
        level[rows, columns] = self._shoot(camera, samples).reshape(len(EDGE_SAMPLES), -1).mean(axis=0)
        grey = np.round(level).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)

    def _shoot(self, camera: Camera, pixels: np.ndarray) -> np.ndarray:
        """Grey level (N,) along rays through continuous pixel coordinates (N, 2)."""
        rays = camera.directions(pixels)
        directions = rays / np.sqrt(np.einsum("ni,ni->n", rays, rays))[:, None] @ camera.T_world_camera[:3, :3].T
        hits = self.scene.cast(np.broadcast_to(camera.position, directions.shape), directions)
        return self._level(camera, rays, hits.face, hits.uv)

    def _level(self, camera: Camera, rays: np.ndarray, face: np.ndarray, uv: np.ndarray) -> np.ndarray:
        """Grey level (N,) of hits of camera-frame rays (N, 3) of any length; 255 for background."""
        level = np.full(len(face), 255.0)
        hit = face >= 0
        directions = rays[hit] @ camera.T_world_camera[:3, :3].T
        corners = self.corners[face[hit]]
        u, v = uv[hit, 0, None], uv[hit, 1, None]
        normals = (1 - u - v) * corners[:, 0] + u * corners[:, 1] + v * corners[:, 2]
        squared = np.einsum("ni,ni->n", normals, normals) * np.einsum("ni,ni->n", directions, directions)
        facing = np.abs(np.einsum("ni,ni->n", normals, directions)) / np.sqrt(np.maximum(squared, 1e-30))
        level[hit] = AMBIENT + HEADLIGHT * facing
        return level


def _edges(frame: GeometryFrame) -> np.ndarray:
    """Pixels (H, W) bool next to a jump of silhouette, depth or normal; looked for about the object alone."""
    edge = np.zeros(frame.depth.shape, dtype=bool)
    rows, columns = np.flatnonzero(frame.silhouette.any(axis=1)), np.flatnonzero(frame.silhouette.any(axis=0))
    if len(rows) == 0:
        return edge
    window = slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)
    depth, normal, inner = frame.depth[window], frame.normal[window], edge[window]
    for axis in (0, 1):
        bend = np.diff(normal, axis=axis)
        step = np.abs(np.diff(depth, axis=axis)) > 0.02
        step |= np.einsum("hwi,hwi->hw", bend, bend) > 0.25
        low, high = [slice(None)] * 2, [slice(None)] * 2
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        inner[tuple(low)] |= step
        inner[tuple(high)] |= step
    return edge
