"""Polygons as triangles: fans where they are convex, ear clipping where they are not."""

import mapbox_earcut
import numpy as np


def triangulate(vertices: np.ndarray, flat: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of polygons over vertices (V, 3).

    `flat` holds the vertex numbers of all polygons one after the other, `counts` (P,) how many each has (at least
    three). Returns which polygon each triangle lies in (T,) and its corners as places in `flat` (T, 3), polygons in
    order. A convex polygon becomes the fan of its first corner. A concave one is cut by ear clipping in its own plane
    (Newell's normal), so that no triangle covers a notch. Winding is kept.
    """
    start = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    owners, corners = [], []
    for count in np.unique(counts):
        rows = np.flatnonzero(counts == count)
        places = start[rows][:, None] + np.arange(count)
        local = np.arange(count - 2)
        fan = np.stack([np.zeros(count - 2, np.int64), local + 1, local + 2], axis=1)
        triangles = places[:, fan]
        owners.append(np.repeat(rows, count - 2))
        if count > 3:
            concave = ~_convex(vertices[flat[places]])
            for row in np.flatnonzero(concave):
                clipped = _clipped(vertices[flat[places[row]]])
                if len(clipped) == count - 2:
                    triangles[row] = places[row][clipped]
        corners.append(triangles.reshape(-1, 3))
    if not owners:
        return np.empty(0, np.int64), np.empty((0, 3), np.int64)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return owner[order], np.concatenate(corners)[order]


def _newell(points: np.ndarray) -> np.ndarray:
    """Twice the vector areas (P, 3) of closed polygons (P, K, 3), taken about their first points."""
    local = points - points[:, :1]
    return np.cross(local, np.roll(local, -1, axis=1)).sum(axis=1)


def _convex(points: np.ndarray) -> np.ndarray:
    """Which polygons (P, K, 3) turn one way at every corner and go round once, seen along their normals.

    Corners that are straight to a millionth of their edges count as convex, and so do polygons without an area.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        normal = _newell(points)
        length = np.linalg.norm(normal, axis=1)
        unit = normal / np.maximum(length, 1e-300)[:, None]
        edge = np.roll(points, -1, axis=1) - points
        following = np.roll(edge, -1, axis=1)
        turn = np.einsum("pki,pi->pk", np.cross(edge, following), unit)
        size = np.linalg.norm(edge, axis=2) * np.linalg.norm(following, axis=2)
        along = np.einsum("pki,pki->pk", edge, following)
        bent = (turn < -1e-6 * size).any(axis=1) | (np.arctan2(turn, along).sum(axis=1) > 3 * np.pi)
        return ~bent | (length <= 0) | ~np.isfinite(length)


def _clipped(points: np.ndarray) -> np.ndarray:
    """Corner numbers (T, 3) of one polygon (K, 3) by ear clipping, wound as the polygon is."""
    normal = _newell(points[None])[0]
    normal = normal / np.linalg.norm(normal)
    start = np.eye(3)[np.argmin(np.abs(normal))]
    u = np.cross(start, normal)
    u = u / np.linalg.norm(u)
    local = points - points[0]
    flat = np.stack([local @ u, local @ np.cross(normal, u)], axis=1)
    flat = flat / max(float(np.abs(flat).max()), 1e-300)
    ends = np.array([len(points)], dtype=np.uint32)
    triangles = mapbox_earcut.triangulate_float64(np.ascontiguousarray(flat), ends).astype(np.int64).reshape(-1, 3)
    a, b, c = flat[triangles].transpose(1, 0, 2)
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles[area < 0] = triangles[area < 0][:, ::-1]
    return triangles
