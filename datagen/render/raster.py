"""Reference views, depth and part ids through pyrender on EGL: the published way, as an option.

Pixels are rasterised at their centres like the ray casts, so that the two can be compared.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from datagen.core.camera import Camera
from datagen.core.errors import MissingDependency
from datagen.core.shape import Mesh
from datagen.geometry.clean import corner_normals

NEAR, FAR = 0.05, 100.0


def _pyrender() -> Any:
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    try:
        import pyrender
    except (ImportError, OSError, AttributeError) as error:
        raise MissingDependency(
            f"pyrender does not start ({error}); install libEGL (Debian: libegl1 libgles2 libgl1-mesa-dri) "
            "or set reference.renderer: raycast"
        ) from error
    return pyrender


def _gl_error() -> type[Exception]:
    from OpenGL.error import Error

    return Error


class Rasteriser:
    """Meshes with ids on an off-screen GL context. Call `close` when done."""

    def __init__(self, meshes: Sequence[tuple[int, Mesh]], size_px: int = 256) -> None:
        self._gl = pyrender = _pyrender()
        self._scene = pyrender.Scene(bg_color=(1.0, 1.0, 1.0, 1.0), ambient_light=(0.35, 0.35, 0.35))
        self._ids: dict[Any, tuple[int, int, int]] = {}
        material = pyrender.MetallicRoughnessMaterial(
            baseColorFactor=(0.6, 0.6, 0.6, 1.0), metallicFactor=0.0, roughnessFactor=1.0, doubleSided=True
        )
        for part_id, mesh in meshes:
            primitive = pyrender.Primitive(
                positions=mesh.triangles.reshape(-1, 3), normals=corner_normals(mesh).reshape(-1, 3), material=material
            )
            node = self._scene.add(pyrender.Mesh([primitive]))
            self._ids[node] = (part_id & 255, (part_id >> 8) & 255, 0)
        try:
            self._renderer = pyrender.OffscreenRenderer(size_px, size_px)
        except (ImportError, OSError, RuntimeError, ValueError, TypeError, AttributeError, _gl_error()) as error:
            raise MissingDependency(f"no off-screen GL context ({error}); set reference.renderer: raycast") from error

    def _aim(self, camera: Camera) -> list[Any]:
        f, c = camera.focal_px, camera.size_px / 2
        intrinsics = self._gl.IntrinsicsCamera(f, f, c, c, znear=NEAR, zfar=FAR)
        pose = camera.T_world_camera
        light = self._gl.DirectionalLight(color=np.ones(3), intensity=2.5)
        return [self._scene.add(intrinsics, pose=pose), self._scene.add(light, pose=pose)]

    def shaded(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Grey picture (H, W, 3) uint8 with R = G = B, and z-depth (H, W) float32, 0 = background."""
        nodes = self._aim(camera)
        color, _ = self._renderer.render(self._scene)
        for node in nodes:
            self._scene.remove_node(node)
        # The colour pass is multisampled and mixes depths along outlines: the id pass is not.
        _, depth = self.part_ids(camera)
        grey = np.round(color[..., :3].mean(axis=-1)).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), depth

    def part_ids(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Part ids (H, W) int32, 0 = background, and z-depth (H, W)."""
        nodes = self._aim(camera)
        flags = self._gl.RenderFlags.SEG
        color, depth = self._renderer.render(self._scene, flags=flags, seg_node_map=self._ids)
        for node in nodes:
            self._scene.remove_node(node)
        return color[..., 0].astype(np.int32) + 256 * color[..., 1].astype(np.int32), depth

    def close(self) -> None:
        """Free the GL context."""
        self._renderer.delete()
