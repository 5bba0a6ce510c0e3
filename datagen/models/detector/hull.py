"""Boxes of objects from masks alone: clusters of the visual hull, and which of them no picture needs."""

import numpy as np
from scipy import ndimage

COARSE_M, FINER = 0.02, 4
"""Edge of a voxel that is looked at first, and how many finer ones stand along it."""
LEAST = 64
"""Fine voxels that make an object: 8 cubic centimetres."""
LEAST_OWN_PX = 4
"""Pixels of some view that an object alone explains."""
NEIGHBOURS = np.ones((3, 3, 3), dtype=bool)


def hull_boxes(
    masks_MSS: np.ndarray, K_33: np.ndarray, T_M44: np.ndarray, low_3: np.ndarray, size_3: np.ndarray
) -> np.ndarray:
    """Boxes (N, 2, 3), centre and size in metres, of the objects whose masks (M, S, S) bool cameras see.

    The hull above the floor, in the volume from `low_3` of `size_3`, is cut in coarse voxels and then in fine ones,
    which are joined with their neighbours. Where the masks of objects cross, the hull has parts that no object fills:
    what is in front of pixels that others explain too, in every view, is left out, the smallest first. Ordered by x,
    then y.
    """
    coarse = _coarse(masks_MSS, K_33, T_M44, low_3, size_3)
    if not len(coarse):
        return np.zeros((0, 2, 3))
    step = COARSE_M / FINER
    child = np.stack(np.meshgrid(*[np.arange(FINER)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    ijk = (coarse[:, None] * FINER + child).reshape(-1, 3)
    ijk = ijk[hull_voxels(masks_MSS, K_33, T_M44, low_3 + (ijk + 0.5) * step)]
    if not len(ijk):
        return np.zeros((0, 2, 3))
    first = ijk.min(axis=0)
    dense = np.zeros(ijk.max(axis=0) - first + 1, dtype=bool)
    dense[tuple((ijk - first).T)] = True
    label, count = ndimage.label(dense, NEIGHBOURS)
    number = label[tuple((ijk - first).T)]
    clusters = [ijk[number == n] for n in range(1, count + 1)]
    clusters = [cluster for cluster in clusters if len(cluster) >= LEAST]
    covers = [_covered(low_3 + (cluster + 0.5) * step, K_33, T_M44, masks_MSS) for cluster in clusters]
    found = []
    for n in _needed([len(cluster) for cluster in clusters], covers):
        low, high = low_3 + clusters[n].min(axis=0) * step, low_3 + (clusters[n].max(axis=0) + 1) * step
        found.append(np.stack([(low + high) / 2, high - low]))
    return np.array(sorted(found, key=lambda box: tuple(box[0, :2]))).reshape(-1, 2, 3)


def hull_voxels(masks_MSS: np.ndarray, K_33: np.ndarray, T_M44: np.ndarray, points_N3: np.ndarray) -> np.ndarray:
    """Which points (N,) bool lie in the visual hull of the masks: on the mask in all views that see the point.

    A point that no view sees does not.
    """
    size = masks_MSS.shape[-1]
    left, seen = np.arange(len(points_N3)), np.zeros(len(points_N3), dtype=bool)
    for mask, T in zip(masks_MSS, T_M44, strict=True):
        local = points_N3[left] @ T[:3, :3].T + T[:3, 3]
        pixel = local @ K_33.T
        with np.errstate(divide="ignore", invalid="ignore"):
            column, row = (np.floor(pixel[:, axis] / pixel[:, 2]) for axis in (0, 1))
        inside = (local[:, 2] > 0) & (column >= 0) & (column < size) & (row >= 0) & (row < size)
        on = np.zeros(len(left), dtype=bool)
        on[inside] = mask[row[inside].astype(int), column[inside].astype(int)]
        seen[left[on]] = True
        left = left[on | ~inside]
    found = np.zeros(len(points_N3), dtype=bool)
    found[left] = seen[left]
    return found


def _coarse(
    masks_MSS: np.ndarray, K_33: np.ndarray, T_M44: np.ndarray, low_3: np.ndarray, size_3: np.ndarray
) -> np.ndarray:
    """Coarse voxels (n, 3) along x, y, z that any part of the hull may be in: masks are widened by half a voxel."""
    counts = np.maximum(np.round(size_3 / COARSE_M).astype(int), 1)
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), axis=-1).reshape(-1, 3)
    points = low_3 + (ijk + 0.5) * COARSE_M
    above = points[:, 2] > 0
    ijk, points = ijk[above], points[above]
    middle = low_3 + size_3 / 2
    wide = []
    for mask, T in zip(masks_MSS, T_M44, strict=True):
        # Half a voxel's diagonal, at half the distance: nearer things look larger.
        away = np.linalg.norm(T[:3, :3] @ middle + T[:3, 3]) / 2
        reach = int(np.ceil(np.sqrt(3) / 2 * COARSE_M * K_33[0, 0] / max(away, 1e-3)))
        wide.append(ndimage.maximum_filter(mask, size=2 * reach + 1))
    return ijk[hull_voxels(np.stack(wide), K_33, T_M44, points)]


def _covered(points_N3: np.ndarray, K_33: np.ndarray, T_M44: np.ndarray, masks_MSS: np.ndarray) -> np.ndarray:
    """Pixels (M, S, S) of the masks that points are in front of, or beside by one pixel."""
    S = masks_MSS.shape[-1]
    found = np.zeros(masks_MSS.shape, dtype=bool)
    for seen, T in zip(found, T_M44, strict=True):
        local = points_N3 @ T[:3, :3].T + T[:3, 3]
        pixel = local[local[:, 2] > 0] @ K_33.T
        column, row = (np.floor(pixel[:, axis] / pixel[:, 2]).astype(int) for axis in (0, 1))
        inside = (column >= 0) & (column < S) & (row >= 0) & (row < S)
        seen[row[inside], column[inside]] = True
        seen[:] = ndimage.binary_dilation(seen, np.ones((3, 3), bool))
    return found & masks_MSS


def _needed(sizes: list[int], covers: list[np.ndarray]) -> list[int]:
    """Clusters that explain some pixels of some view alone, when those that explain none are gone, smallest first."""
    left = set(range(len(sizes)))
    times = np.sum(covers, axis=0) if covers else np.zeros(0)
    for n in sorted(left, key=lambda k: (sizes[k], k)):
        own = (covers[n] & (times == 1)).sum(axis=(1, 2))
        if own.max() < LEAST_OWN_PX and len(left) > 1:
            left.remove(n)
            times = times - covers[n]
    return sorted(left)
