"""Models of BOP: a mesh in millimetres about its box's centre, where it stands, and what a camera would see of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from datagen.core.shape import Mesh
from datagen.formats.posed import PosedView
from datagen.formats.stages import Thing
from datagen.geometry.rays import RayScene

MM = 1000.0


@dataclass(frozen=True, eq=False)
class Model:
    """`name` is that of the thing's model; `centre` (3,) of its box and `scale` are in the thing's own frame."""

    name: str
    centre: np.ndarray
    scale: float
    ply: bytes = field(repr=False)
    info: Mapping[str, Any] = field(repr=False)


def model_of(thing: Thing) -> Model:
    """The model: millimetres, axes of the thing's own frame, the box's centre at the origin."""
    scale = float(np.cbrt(np.linalg.det(thing.T_world_mesh[:3, :3])))
    centre = thing.mesh.centre
    mesh = Mesh(MM * scale * (thing.mesh.vertices - centre), thing.mesh.faces)
    low, high = mesh.bounds
    info: dict[str, Any] = {"diameter": _diameter(mesh)}
    for k, axis in enumerate("xyz"):
        info |= {f"min_{axis}": float(low[k]), f"size_{axis}": float(high[k] - low[k])}
    return Model(
        thing.model,
        centre,
        scale,
        _ply_bytes(mesh),
        {**info, "shape_id": thing.shape_id, "kind": thing.kind if thing.label else "normal"},
    )


def pose_of(thing: Thing, model: Model, T_camera_world: np.ndarray) -> tuple[list[float], list[float]]:
    """Model-to-camera rotation (9 values, row by row) and translation (3,) in millimetres; OpenCV axes."""
    T = T_camera_world @ thing.T_world_mesh
    R = T[:3, :3] / model.scale
    return R.ravel().tolist(), (MM * (T[:3, :3] @ model.centre + T[:3, 3])).tolist()


class Silhouettes:
    """What cameras would see of a thing if nothing hid it and the picture had no edge."""

    def __init__(self, thing: Thing) -> None:
        mesh = thing.mesh.transformed(thing.T_world_mesh)
        self._scene, self._points = RayScene([(1, mesh)]), mesh.vertices[np.unique(mesh.faces)]

    def seen(self, view: PosedView) -> tuple[int, int, np.ndarray]:
        """Left and top of a window in pixels of the picture, which may be below 0, and the silhouette in it (h, w)."""
        R, eye = view.T_world_camera[:3, :3], view.T_world_camera[:3, 3]
        camera = (self._points - eye) @ R
        pixels = camera @ view.K.T
        pixels = pixels[:, :2] / np.maximum(pixels[:, 2:], 1e-6)
        left, top = np.floor(pixels.min(axis=0)).astype(int)
        right, bottom = np.ceil(pixels.max(axis=0)).astype(int)
        columns, rows = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
        rays = np.stack([columns + 0.5, rows + 0.5, np.ones(columns.shape)], axis=-1).reshape(-1, 3)
        rays = rays @ np.linalg.inv(view.K).T @ R.T
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        hits = self._scene.cast(np.broadcast_to(eye, rays.shape), rays)
        return int(left), int(top), (hits.face >= 0).reshape(columns.shape)


def box_of(rows: np.ndarray, columns: np.ndarray) -> list[int]:
    """[x, y, w, h] of pixels, exclusive end; -1 four times where there are none."""
    if not len(rows):
        return [-1, -1, -1, -1]
    x, y = int(columns.min()), int(rows.min())
    return [x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y]


def _diameter(mesh: Mesh) -> float:
    """The largest distance between two vertices."""
    points = mesh.vertices[np.unique(mesh.faces)]
    try:
        points = points[ConvexHull(points).vertices]
    except QhullError:  # a flat thing has no hull
        points = np.unique(points, axis=0)
    if len(points) > 4000:
        return mesh.diagonal
    return float(pdist(points).max())


def _ply_bytes(mesh: Mesh) -> bytes:
    head = (
        f"ply\nformat ascii 1.0\nelement vertex {len(mesh.vertices)}\nproperty float x\nproperty float y\n"
        f"property float z\nelement face {len(mesh.faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    vertices = "%.6f %.6f %.6f\n" * len(mesh.vertices) % tuple(mesh.vertices.ravel().tolist())
    faces = "3 %d %d %d\n" * len(mesh.faces) % tuple(mesh.faces.ravel().tolist())
    return (head + vertices + faces).encode()
