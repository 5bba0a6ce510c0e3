"""Point clouds as files, and the part of a surface that one camera sees."""

import io

import numpy as np

from datagen.core.shape import Mesh
from datagen.geometry.rays import RayScene
from datagen.geometry.sample import sample_surface

HEAD = (
    "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\n"
    "WIDTH {0}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {0}\nDATA binary\n"
)
DISTANCE, ELEVATION_DEG, VIEWS = 3.0, 20.0, 20
"""Of the reference views: things have bounding sphere 1 about the origin."""
TRIES = 64


def pcd_bytes(points: np.ndarray) -> bytes:
    """A binary PCD of points (N, 3)."""
    return HEAD.format(len(points)).encode() + np.ascontiguousarray(points, dtype="<f4").tobytes()


def read_pcd(data: bytes) -> np.ndarray:
    """Points (N, 3) of what `pcd_bytes` writes. Raises ValueError."""
    head, found, body = data.partition(b"DATA binary\n")
    if not found or b"FIELDS x y z\n" not in head:
        raise ValueError("is no binary PCD of x, y and z")
    return np.frombuffer(body, dtype="<f4").reshape(-1, 3)


def table_bytes(points: np.ndarray, marked: np.ndarray, comma: str) -> bytes:
    """`x y z label` a line, label 0 or 1, with `comma` between: points (N, 3), marked (N,) bool."""
    stream = io.StringIO()
    np.savetxt(stream, np.column_stack([points, marked]), fmt=("%.9g", "%.9g", "%.9g", "%d"), delimiter=comma)
    return stream.getvalue().encode()


def telling_eye(mesh: Mesh, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where one reference view looks from, (3,): any of those that see at least half as many of the wanted points
    (N, 3) as the best; any at all where N is 0.
    """
    azimuths, elevation = np.arange(VIEWS) * 2 * np.pi / VIEWS, np.radians(ELEVATION_DEG)
    level = np.cos(elevation) * np.stack([np.cos(azimuths), np.sin(azimuths)], axis=1)
    eyes = DISTANCE * np.column_stack([level, np.full(VIEWS, np.sin(elevation))])
    scene = RayScene([(1, mesh)])
    seen = np.array([int(scene.visible(wanted, eye).sum()) if len(wanted) else 0 for eye in eyes])
    telling = np.flatnonzero(seen >= seen.max() / 2)
    eye: np.ndarray = eyes[telling[rng.integers(len(telling))]]
    return eye


def seen_from(mesh: Mesh, eye: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`count` points (count, 3), and the face of each, of what is seen from a place (3,)."""
    scene = RayScene([(1, mesh)])
    points, faces, there = [], [], 0
    for _ in range(TRIES):
        some, of = sample_surface(mesh, count, rng)
        visible = scene.visible(some, eye)
        points.append(some[visible])
        faces.append(of[visible])
        there += int(visible.sum())
        if there >= count:
            break
    return np.concatenate(points)[:count], np.concatenate(faces)[:count]
