"""Where the objects are: clusters of dense voxels, or of the hull of masks; and how well boxes fit (section 3.3)."""

import numpy as np
from sklearn.cluster import DBSCAN

NEIGHBOURS = 1.5
"""Voxels between which DBSCAN counts neighbours."""
LEAST = 5
"""Voxels within that reach that make a core."""


def cluster_boxes(dense_ijk: np.ndarray, low_3: np.ndarray, voxel_3: np.ndarray, least: int = LEAST) -> np.ndarray:
    """Boxes (N, 2, 3), centre and size in metres, of clusters of voxels `dense_ijk` (n, 3) along x, y, z.

    Ordered by x, then y of their centres. A box reaches to the outer faces of its voxels.
    """
    if len(dense_ijk) < least:
        return np.zeros((0, 2, 3))
    label = DBSCAN(eps=NEIGHBOURS, min_samples=least).fit_predict(dense_ijk)
    found = []
    for number in range(label.max() + 1):
        own = dense_ijk[label == number]
        lowest, highest = low_3 + own.min(axis=0) * voxel_3, low_3 + (own.max(axis=0) + 1) * voxel_3
        found.append(np.stack([(lowest + highest) / 2, highest - lowest]))
    return np.array(sorted(found, key=lambda box: tuple(box[0, :2]))).reshape(-1, 2, 3)


def iou_3d(a_N23: np.ndarray, b_M23: np.ndarray) -> np.ndarray:
    """IoU (N, M) of axis-aligned boxes, each a centre and a size."""
    low = np.maximum((a_N23[:, 0] - a_N23[:, 1] / 2)[:, None], (b_M23[:, 0] - b_M23[:, 1] / 2)[None])
    high = np.minimum((a_N23[:, 0] + a_N23[:, 1] / 2)[:, None], (b_M23[:, 0] + b_M23[:, 1] / 2)[None])
    inner = np.clip(high - low, 0, None).prod(-1)
    union = a_N23[:, 1].prod(-1)[:, None] + b_M23[:, 1].prod(-1)[None] - inner
    found: np.ndarray = inner / np.where(union > 0, union, 1.0)
    return found


def matched(found_N23: np.ndarray, true_M23: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each true box the found one with the largest IoU (M,), -1 where there is none, and that IoU (M,).

    No box is given away twice: pairs are taken by falling IoU.
    """
    iou = iou_3d(found_N23, true_M23)
    place, best = np.full(len(true_M23), -1), np.zeros(len(true_M23))
    for flat in np.argsort(-iou, axis=None, kind="stable"):
        n, m = np.unravel_index(flat, iou.shape)
        if iou[n, m] <= 0:
            break
        if place[m] < 0 and n not in place:
            place[m], best[m] = n, iou[n, m]
    return place, best
