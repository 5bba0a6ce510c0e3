"""Metrics from labels and scores, in numpy alone: accuracy, ROC curve, average precision of boxes."""

import numpy as np


def accuracy(label: np.ndarray, score: np.ndarray, threshold: float = 0.5) -> float:
    """Share of right decisions; anomalous where the score is above the threshold."""
    return float(((score > threshold) == (label == 1)).mean()) if len(label) else float("nan")


def best_threshold(label: np.ndarray, score: np.ndarray) -> float:
    """The threshold of highest accuracy: the middle of the gap; of equal ones the nearest to one half."""
    values = np.unique(score)
    cuts = np.concatenate([[values[0] - 1e-6], (values[1:] + values[:-1]) / 2, [values[-1] + 1e-6]])
    order = np.argsort(score, kind="stable")
    ranked = label[order] == 1
    # Right decisions at a cut: normals below it and anomalies above it.
    below = np.searchsorted(score[order], cuts, side="right")
    normals, anomalies = (np.concatenate([[0], np.cumsum(side)]) for side in (~ranked, ranked))
    right = normals[below] + anomalies[-1] - anomalies[below]
    best = np.flatnonzero(right == right.max())
    return float(cuts[best[np.abs(cuts[best] - 0.5).argmin()]])


def roc_curve(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates, from (0, 0) to (1, 1), one point a distinct score."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    true = np.cumsum(label[order] == 1)[last] / max(int((label == 1).sum()), 1)
    false = np.cumsum(label[order] == 0)[last] / max(int((label == 0).sum()), 1)
    return np.append(0.0, false), np.append(0.0, true)


def box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU (n,) of boxes in cx, cy, w, h; 0 where a box is empty or NaN."""
    low = np.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    high = np.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    inner = np.clip(high - low, 0, None).prod(axis=1)
    union = a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - inner
    return np.nan_to_num(np.where(union > 0, inner / np.where(union > 0, union, 1), 0.0))


def average_precision(label: np.ndarray, score: np.ndarray, iou: np.ndarray, level: float = 0.5) -> float:
    """AP of one box an image: a hit is an anomalous image with IoU >= level; all points interpolated.

    Equal scores are one point of the curve, so their order does not matter. NaN without an anomalous image.
    """
    total = int((label == 1).sum())
    if not total or not len(label):
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    hits = np.cumsum(((label == 1) & (iou >= level))[order])[last]
    recall, precision = hits / total, hits / (last + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(np.append(0.0, recall)) * envelope).sum())


def spelt(measure: str) -> str:
    """A measure of validation as people write it."""
    return "AUC" if measure == "auc" else measure
