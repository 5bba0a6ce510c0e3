"""Normals and part ids of a view as pictures: what ray casts know besides depth."""

import numpy as np

from datagen.core.camera import Camera
from datagen.core.scene import GeometryFrame
from datagen.formats.encode import png_bytes


def map_bytes(frame: GeometryFrame, camera: Camera) -> dict[str, bytes]:
    """`_normal.png`, normals in camera axes as (n + 1) / 2 * 255 with 0 for background, and `_parts.png`, part ids in
    16 bits with 0 for background."""
    normal = np.round((frame.normal @ camera.T_world_camera[:3, :3] + 1) * 127.5)
    normal[~frame.silhouette] = 0
    return {
        "_normal.png": png_bytes(normal.astype(np.uint8)),
        "_parts.png": png_bytes(frame.part_id.astype(np.uint16)),
    }
