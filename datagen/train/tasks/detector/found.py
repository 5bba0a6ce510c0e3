"""Boxes that are found instead of given: by the density that the network reconstructs, or by the hull of the masks."""

import hashlib
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor

from datagen.models.detector.boxes import cluster_boxes, matched
from datagen.models.detector.detector import Detector
from datagen.models.detector.efficient import Efficient
from datagen.models.detector.hull import hull_boxes
from datagen.models.detector.lifted import Views, Volume
from datagen.models.detector.volumes import Boxes
from datagen.train.objective import Batch

Found = Literal["hull", "density"]
OPAQUE = 0.2
"""Opacity of a voxel from which it is of an object (section 4.2)."""


def found_boxes(way: Found, model: Detector | Efficient, volume: Volume, batch: Batch) -> list[np.ndarray]:
    """Boxes (N, 2, 3) of each scene of a batch, found in one of the ways."""
    if way == "density":
        return density_boxes(cast(Detector, model), volume)
    v = model.config.volume
    low, size = np.array(v.low_m), np.array(v.size) * v.voxel_m
    columns = (batch[name].cpu().numpy() for name in ("masks", "K", "extrinsics"))
    return [_hull_of(masks, K, T, low, size) for masks, K, T in zip(*columns, strict=True)]


_HULLS: dict[bytes, np.ndarray] = {}
"""Boxes by what they were found in: they are the same for every network that is asked."""


def _hull_of(
    masks_MSS: np.ndarray, K_33: np.ndarray, T_M44: np.ndarray, low_3: np.ndarray, size_3: np.ndarray
) -> np.ndarray:
    """As `hull_boxes`; not to be changed."""
    digest = hashlib.sha256(repr(masks_MSS.shape).encode() + np.packbits(masks_MSS).tobytes())
    for array in (K_33, T_M44, low_3, size_3):
        digest.update(array.tobytes())
    key = digest.digest()
    if key not in _HULLS:
        _HULLS[key] = hull_boxes(masks_MSS, K_33, T_M44, low_3, size_3)
        _HULLS[key].flags.writeable = False
    return _HULLS[key]


def density_boxes(model: Detector, volume: Volume) -> list[np.ndarray]:
    """Boxes (N, 2, 3) of each scene from the volume over the floor: clusters of opaque voxels (section 3.3)."""
    v = model.config.volume
    opacity = 1 - torch.exp(-model.sigma(volume)[:, 0, 0] * v.voxel_m)
    found = []
    for of_scene in opacity.cpu().numpy():
        dense = np.argwhere(of_scene > OPAQUE)[:, ::-1]
        found.append(cluster_boxes(dense, np.array(v.low_m), np.full(3, v.voxel_m)))
    return found


def judged_in_found(
    model: Detector | Efficient, views: Views, found: list[np.ndarray], true: Tensor, there: Tensor
) -> dict[str, Tensor]:
    """Scores of true objects by the boxes found for them: `score` (B, N), NaN where none fits, `iou` (B, N), and how
    many boxes were found, `count` (B,). `true` (B, N, 2, 3), `there` (B, N)."""
    most = max(2, max(len(boxes) for boxes in found))
    boxes = true.new_zeros(len(found), most, 2, 3)
    boxes[:, :, 1] = 1e-3
    filled = torch.zeros(len(found), most, dtype=torch.bool, device=true.device)
    for b, of_scene in enumerate(found):
        boxes[b, : len(of_scene)] = torch.tensor(of_scene).to(true)
        filled[b, : len(of_scene)] = True
    centre, size = boxes.unbind(2)
    places = Boxes(centre - size / 2, size)
    logit = model.judge(model.build(views, places), places, filled)
    return of_true_objects(found, torch.sigmoid(logit.float()), true, there)


def of_true_objects(found: list[np.ndarray], score_BK: Tensor, true: Tensor, there: Tensor) -> dict[str, Tensor]:
    """Scores of found boxes as those of the true objects they fit best, each given away once: `score` (B, N), NaN where
    none fits, `iou` (B, N), and `count` (B,)."""
    score, iou = torch.full_like(true[:, :, 0, 0], torch.nan), torch.zeros_like(true[:, :, 0, 0])
    for b, of_scene in enumerate(found):
        rows = torch.nonzero(there[b]).flatten()
        place, fits = matched(of_scene, true[b, rows].cpu().numpy())
        for row, n, value in zip(rows.tolist(), place.tolist(), fits.tolist(), strict=True):
            iou[b, row] = value
            if n >= 0:
                score[b, row] = score_BK[b, n]
    return {"score": score, "iou": iou, "count": torch.tensor([len(boxes) for boxes in found], device=true.device)}


def scored_boxes(found: list[tuple[Tensor, Tensor]], true: Tensor, there: Tensor) -> dict[str, Tensor]:
    """The same of boxes that a detector found, (n, 2, 3), with the probabilities (n, 2) of normal and anomalous.

    A score is the anomalous share of the two; 0 for an object without a box, which counts as called normal.
    """
    most = max(len(boxes) for boxes, _ in found)
    score = true.new_zeros(len(found), most)
    for b, (_, p) in enumerate(found):
        score[b, : len(p)] = p[:, 1] / p.sum(-1).clamp_min(1e-9)
    told = of_true_objects([boxes.cpu().double().numpy() for boxes, _ in found], score, true, there)
    return told | {"score": told["score"].nan_to_num(0.0)}
