"""A baseline of Table 1 in the spirit of ImVoxelNet: the detector's lifting, and a dense head over its voxels.

Every voxel says how much it is the middle of a normal and of an anomalous object, and how far its faces are.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.detector.config import DetectorConfig
from datagen.models.detector.lifted import Lifted, Volume, over, pointwise
from datagen.models.detector.volumes import Boxes

RARE = -4.6
"""The classes' bias at the start: a voxel is then an object's middle with probability 0.01."""
MIDDLE = 27
"""Voxels nearest a box's centre that learn to be its middle."""
OVERLAP = 0.25
"""IoU from which on the weaker of two found boxes is dropped."""
LEAST_SCORE = 0.1


@dataclass(frozen=True, eq=False)
class Dense:
    """Class logits (B, V, 2), boxes (B, V, 2, 3) as centre and size, and the voxels' centres (B, V, 3)."""

    logits: Tensor
    boxes: Tensor
    points: Tensor


class ImVoxelNet(Lifted):
    """Scenes to a class and a box a voxel."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        self.classes = pointwise(self.width, self.width, 2)
        self.faces = pointwise(self.width, self.width, 6)
        nn.init.constant_(self.classes[-1].bias, RARE)  # type: ignore[arg-type]

    def detect(self, volume: Volume) -> Dense:
        """What every voxel says."""
        v = self.config.volume
        points = volume.boxes.points(v.size)[:, 0].flatten(1, 3)
        logits = over(self.classes, volume)[:, 0].flatten(2).transpose(1, 2)
        reach = torch.exp(over(self.faces, volume)[:, 0].flatten(2).transpose(1, 2).clamp(-6, 3)) * v.voxel_m * 2
        low, high = points - reach[..., :3], points + reach[..., 3:]
        return Dense(logits, torch.stack([(low + high) / 2, high - low], dim=2), points)


def dense_losses(found: Dense, true: Boxes, label_BN: Tensor, there_BN: Tensor) -> dict[str, Tensor]:
    """`classes`: focal loss over voxels; `boxes`: 1 - IoU of the voxels in the middle of an object."""
    target, box, middle = assigned(found, true, label_BN, there_BN)
    p = torch.sigmoid(found.logits)
    each = F.binary_cross_entropy_with_logits(found.logits, target, reduction="none")
    right = p * target + (1 - p) * (1 - target)
    balance = 0.25 * target + 0.75 * (1 - target)
    count = middle.sum().clamp_min(1)
    classes = (balance * (1 - right) ** 2 * each).sum() / count
    overlap = iou_of_pairs(found.boxes[middle], box[middle])
    return {"classes": classes, "boxes": (1 - overlap).sum() / count}


def assigned(found: Dense, true: Boxes, label_BN: Tensor, there_BN: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Targets (B, V, 2), the box (B, V, 2, 3) and whether a voxel is in the middle of an object (B, V).

    The `MIDDLE` voxels nearest a centre are its middle where they lie in the box, the nearest one in any case.
    """
    centre = true.low_BG3 + true.size_BG3 / 2
    away = torch.cdist(found.points, centre).masked_fill(~there_BN[:, None], torch.inf)
    nearest = away.topk(min(MIDDLE, away.shape[1]), dim=1, largest=False).indices
    close = torch.zeros_like(away, dtype=torch.bool).scatter_(1, nearest, True)
    inside = ((found.points[:, :, None] - centre[:, None]).abs() <= true.size_BG3[:, None] / 2).all(-1)
    inside.scatter_(1, nearest[:, :1], True)
    of_object = torch.where(close & inside & there_BN[:, None], away, torch.inf)
    owner, middle = of_object.argmin(-1), torch.isfinite(of_object).any(-1)
    label = label_BN.gather(1, owner)
    target = torch.stack([1 - label, label], dim=-1) * middle[..., None]
    boxes = torch.stack([centre, true.size_BG3], dim=2)
    return target, boxes.gather(1, owner[..., None, None].expand(-1, -1, 2, 3)), middle


def iou_of_pairs(a_P23: Tensor, b_P23: Tensor) -> Tensor:
    """IoU (P,) of boxes, each a centre and a size."""
    low = torch.maximum(a_P23[:, 0] - a_P23[:, 1] / 2, b_P23[:, 0] - b_P23[:, 1] / 2)
    high = torch.minimum(a_P23[:, 0] + a_P23[:, 1] / 2, b_P23[:, 0] + b_P23[:, 1] / 2)
    inner = (high - low).clamp_min(0).prod(-1)
    union = a_P23[:, 1].prod(-1) + b_P23[:, 1].prod(-1) - inner
    return inner / union.clamp_min(1e-9)


def kept(found: Dense, most: int) -> list[tuple[Tensor, Tensor]]:
    """Of each scene boxes (n, 2, 3) and probabilities (n, 2) of both classes, the strongest first."""
    scenes = []
    for logits, boxes in zip(found.logits, found.boxes, strict=True):
        p = torch.sigmoid(logits)
        strength = p.amax(-1)
        order = strength.argsort(descending=True, stable=True)[: 10 * most]
        order = order[(strength[order] >= LEAST_SCORE) | (torch.arange(len(order), device=order.device) == 0)]
        chosen: list[int] = []
        for number in order.tolist():
            others = boxes[chosen]
            mine = boxes[number][None].expand_as(others)
            if len(chosen) < most and (not chosen or float(iou_of_pairs(mine, others).max()) < OVERLAP):
                chosen.append(number)
        scenes.append((boxes[chosen], p[chosen]))
    return scenes
