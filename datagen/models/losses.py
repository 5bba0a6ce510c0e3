"""Losses on logits and boxes: binary cross-entropy (equation 1), L1 and generalised IoU (section 5.1)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.models.blocks import Output


def corners(box_B4: Tensor) -> Tensor:
    """cx, cy, w, h to x0, y0, x1, y1."""
    centre, half = box_B4[..., :2], box_B4[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def _area(corner_B4: Tensor) -> Tensor:
    return (corner_B4[..., 2:] - corner_B4[..., :2]).clamp(min=0).prod(dim=-1)


def iou_and_giou(a_B4: Tensor, b_B4: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU (Rezatofighi et al. 2019) of boxes in cx, cy, w, h, without an epsilon."""
    a, b = corners(a_B4), corners(b_B4)
    inner = _area(torch.cat([torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])], -1))
    hull = _area(torch.cat([torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])], -1))
    union = _area(a) + _area(b) - inner
    iou = inner / union
    return iou, iou - (hull - union) / hull


def ranking_loss(logit_B: Tensor, label_B: Tensor, unit_B: Tensor) -> Tensor:
    """Mean of softplus(-(positive - negative)) over the pairs of one unit; -1 is no unit; 0 without any pair."""
    one = (unit_B[:, None] == unit_B) & (unit_B[:, None] >= 0) & (label_B[:, None] > label_B)
    logit = logit_B.float()
    if not bool(one.any()):
        return logit.sum() * 0.0
    return F.softplus(logit - logit[:, None])[one].mean()


def detection_losses(output: Output, label_B: Tensor, box_B4: Tensor) -> dict[str, Tensor]:
    """`bce`, and `box_l1` and `box_giou` of anomalous samples divided by the whole batch's size."""
    label = label_B.to(output.logit_B.dtype)
    losses = {"bce": F.binary_cross_entropy_with_logits(output.logit_B, label)}
    if output.box_B4 is not None:
        # Normal samples have the box 0,0,0,0, whose IoU is 0/0: a unit box stands in, then weighs nothing.
        whole = torch.tensor([0.5, 0.5, 1.0, 1.0], dtype=box_B4.dtype, device=box_B4.device)
        target = torch.where(label_B[:, None] > 0, box_B4, whole)
        predicted = output.box_B4.to(box_B4.dtype)
        _, giou = iou_and_giou(predicted, target)
        losses["box_l1"] = ((predicted - target).abs().sum(-1) * label).sum() / len(label)
        losses["box_giou"] = ((1 - giou) * label).sum() / len(label)
    return losses
