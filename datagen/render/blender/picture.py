"""Pictures between Blender and numpy: rendered as linear light, finished as 8-bit sRGB."""

from pathlib import Path

import bpy
import numpy as np

from datagen.core.camera import Camera
from datagen.core.errors import RenderError
from datagen.render.bend import bent, straight


def render_linear(scene: bpy.types.Scene, folder: Path) -> np.ndarray:
    """Render: scene-linear, premultiplied RGBA (H, W, 4) float32, row 0 on top. Raises RenderError."""
    path = folder / "linear.exr"
    settings = scene.render.image_settings
    settings.file_format, settings.exr_codec = "OPEN_EXR", "NONE"
    settings.color_mode, settings.color_depth = "RGBA", "32"
    _render(scene, path)
    image = bpy.data.images.load(str(path), check_existing=False)
    width, height = image.size
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    path.unlink()
    return pixels.reshape(height, width, 4)[::-1]


def render_shown(scene: bpy.types.Scene, folder: Path) -> np.ndarray:
    """Render: (H, W, 3) uint8 through the scene's view transform. Raises RenderError."""
    path = folder / "shown.png"
    _as_png(scene)
    _render(scene, path)
    return _read_png(path)


def shown(scene: bpy.types.Scene, linear: np.ndarray, folder: Path) -> np.ndarray:
    """Linear light (H, W, 3) as (H, W, 3) uint8 through the scene's view transform."""
    path = folder / "shown.png"
    height, width = linear.shape[:2]
    image = bpy.data.images.new("composed", width, height, float_buffer=True)
    image.pixels.foreach_set(opaque(linear).ravel())
    _as_png(scene)
    image.save_render(str(path), scene=scene)
    bpy.data.images.remove(image)
    return _read_png(path)


def opaque(linear: np.ndarray) -> np.ndarray:
    """RGBA float32 with row 0 at the bottom, as Blender's images have it, of (H, W, 3)."""
    height, width = linear.shape[:2]
    rgba = np.ones((height, width, 4), dtype=np.float32)
    rgba[..., :3] = linear[::-1]
    return rgba


def enlarged(picture: np.ndarray, size: int) -> np.ndarray:
    """A square picture (N, N, C) at (size, size, C), bilinear between pixel centres."""
    return _stretched(_stretched(picture, size).swapaxes(0, 1), size).swapaxes(0, 1)


def over(above: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA (H, W, 4) laid over (H, W, 3), linear."""
    return above[..., :3] + (1 - np.clip(above[..., 3:], 0, 1)) * behind


def through(picture: np.ndarray, camera: Camera) -> np.ndarray:
    """What a camera's lens shows, (S, S, C), of a smaller picture (N, N, C) without it."""
    return bent(enlarged(picture, straight(camera).size_px), camera)


def _stretched(picture: np.ndarray, size: int) -> np.ndarray:
    at = np.clip((np.arange(size) + 0.5) * len(picture) / size - 0.5, 0, len(picture) - 1)
    low = np.minimum(at.astype(int), len(picture) - 2)
    share = (at - low).astype(np.float32)[:, None, None]
    return picture[low] * (1 - share) + picture[low + 1] * share


def _render(scene: bpy.types.Scene, path: Path) -> None:
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    if not path.is_file():
        raise RenderError("Blender wrote no picture")


def _as_png(scene: bpy.types.Scene) -> None:
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"
    settings.compression = 0  # read back at once, thrown away


def _read_png(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    path.unlink()
    return pixels
