"""The published BrokenChairs-180K tree: names, annotation JSON, camera JSON, split.json.

Everything on disk is in the published frame: y up, front +z, OpenGL cameras.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from datagen.core.anomaly import PUBLISHED_TYPE
from datagen.core.camera import Camera, rigid_inverse
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE
from datagen.formats.encode import json_bytes, number

SPLITS = ("train", "val", "test")


def query_tail(shape: int, texture: int, camera: Camera, light: int, label: str) -> str:
    """`<shape>_<texture>_<radius>_<azimuth>_<elevation>_<light>_<label>`, label normal or anomaly."""
    view = "_".join(number(v) for v in (camera.radius, camera.azimuth_deg, camera.elevation_deg))
    return f"{shape}_{texture}_{view}_{light}_{label}"


def query_paths(folder: str, tail: str) -> dict[str, str]:
    """Relative paths of a query's picture, annotation and masks: one sub-folder level, shared."""
    return {
        "query": f"images/{folder}/render_{tail}.png",
        "annotation": f"annotations/{folder}/info_{tail}.json",
        "mask_new": f"annotations/{folder}/mask_new_{tail}.png",
        "mask_old": f"annotations/{folder}/mask_old_{tail}.png",
    }


def published_pose(camera: Camera) -> np.ndarray:
    """Camera-to-world (4, 4) in the published frame."""
    return T_PUBLISHED_FROM_INSIDE @ camera.T_world_camera


def camera_json(camera: Camera) -> dict[str, Any]:
    """K (3, 3), RT world-to-camera and RT_ camera-to-world (4, 4), row-major nested lists."""
    RT_ = published_pose(camera)
    return {"K": camera.K.tolist(), "RT": rigid_inverse(RT_).tolist(), "RT_": RT_.tolist()}


def annotation_json(
    kind: str,
    bbox_xywh_512: Iterable[float],
    iou: float,
    camera: Camera,
    texture_id: int,
    config: Mapping[str, Any],
) -> bytes:
    """`info_*.json` of an anomalous query; `config.type` holds the published word."""
    return json_bytes(
        {
            "2d_bbox": list(bbox_xywh_512),
            "IoU": iou,
            "camera_parameters": {
                **camera_json(camera),
                "azimuth": camera.azimuth_deg,
                "elevation": camera.elevation_deg,
                "radius": camera.radius,
            },
            "texture_id": texture_id,
            "examplar_id": texture_id,
            "config": {"type": PUBLISHED_TYPE[kind], **config},
        }
    )


def reference_folder(shape: int) -> str:
    """Relative folder of a shape's reference bundle."""
    return f"shapes/shape_{shape}"


def reference_stem(shape: int, radius: float, azimuth_deg: float, elevation_deg: float) -> str:
    """`<shape>_3.0_<azimuth>_<elevation>`; the published radius keeps its decimal."""
    return f"{shape}_{radius:.1f}_{number(azimuth_deg)}_{number(elevation_deg)}"


def split_json(splits: Mapping[int, str]) -> bytes:
    """split.json: three lists of ids AS STRINGS, sorted by number."""
    ids = {name: [str(i) for i in sorted(splits) if splits[i] == name] for name in SPLITS}
    return json_bytes(ids)
