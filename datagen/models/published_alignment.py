"""The published alignment loss: one InfoNCE over points of a batch, with a slow key branch.

Half of the items pair a reference view with the query by pseudo-labels, the others pair two reference views by
tracked points. Masks are those of the right item (the published code takes them from a shuffled batch).
The batch permutations of the published loop leave the loss as it is and are left out.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.models.encoder import flat_patches
from datagen.models.published import PublishedCMT, foreground

TAU = 0.1


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pixel pairs [row, col] (B, R, 2) between query-branch and key-branch images (B, 3, S, S)."""

    query_image: Tensor
    key_image: Tensor
    query_px: Tensor
    key_px: Tensor


def cells(px_BR2: Tensor) -> Tensor:
    """Patch index (B, R) of pixels [row, col]: floor of an eighth, after clipping to the image."""
    cell = torch.div(px_BR2.clamp(0, 255), 8, rounding_mode="floor").long()
    return cell[..., 0] * 32 + cell[..., 1]


def take(f_BPD: Tensor, index_BR: Tensor) -> Tensor:
    """Rows (B, R, D)."""
    return f_BPD.gather(1, index_BR.unsqueeze(-1).expand(-1, -1, f_BPD.shape[-1]))


@torch.no_grad()
def pseudo_pixels(model: PublishedCMT, view_B3SS: Tensor, again_B3SS: Tensor, px_BR2: Tensor) -> Tensor:
    """For points of the view the top left pixel of the most similar cell of the query image (B, R, 2)."""
    z_view = model.projected(model.encoder(view_B3SS), view_B3SS)
    z_again = model.projected(model.encoder(again_B3SS), again_B3SS)
    best = (take(z_view, cells(px_BR2)) @ z_again.transpose(1, 2)).argmax(dim=-1)
    return torch.stack([best // 32, best % 32], dim=-1).float() * 8


def make_pairs(model: PublishedCMT, v1: Tensor, v2: Tensor, again: Tensor, px1: Tensor, px2: Tensor) -> Pairs:
    """The batch of both kinds of pairs: ground truth first, then pseudo-labels of the first half's items."""
    h = len(v1) // 2
    pseudo = pseudo_pixels(model, v1[:h], again[:h], px1[:h])
    return Pairs(
        torch.cat([v1[h:], again[:h]]),
        torch.cat([v2[h:], v1[:h]]),
        torch.cat([px1[h:], pseudo]),
        torch.cat([px2[h:], px1[:h]]),
    )


def branch(encoder: torch.nn.Module, projector: torch.nn.Module, image_B3SS: Tensor, px_BR2: Tensor) -> Tensor:
    """Masked projections (B * R, 256) at points."""
    f_BRD = take(flat_patches(encoder(image_B3SS)), cells(px_BR2))
    z = projector(f_BRD.transpose(1, 2).unsqueeze(-1)).squeeze(-1).transpose(1, 2)
    mask = take(foreground(image_B3SS).flatten(1).unsqueeze(-1), cells(px_BR2))
    return (z * mask).flatten(0, 1)


def alignment_logits(model: PublishedCMT, pairs: Pairs) -> Tensor:
    """(B * R, B * R) / tau: column 0 the positive, then the item's other points, then those of other items."""
    z_query = branch(model.encoder, model.projector, pairs.query_image, pairs.query_px)
    with torch.no_grad():
        z_key = branch(model.encoder_ema, model.projector_ema, pairs.key_image, pairs.key_px)
    B, R = pairs.query_px.shape[:2]
    return (z_query @ z_key.T).gather(1, column_order(B, R).to(z_query.device)) / TAU


def column_order(items: int, points: int) -> Tensor:
    """For each row of the similarity matrix, the order its columns take in the logits."""
    total = items * points
    row = torch.arange(total).unsqueeze(1)
    column = torch.arange(total).unsqueeze(0).expand(total, total)
    rank = torch.where(column == row, 0, torch.where(column // points == row // points, 1, 2))
    return rank.argsort(dim=1, stable=True)


def published_alignment_loss(model: PublishedCMT, pairs: Pairs) -> Tensor:
    """Mean cross-entropy with the positive in column 0."""
    logits = alignment_logits(model, pairs)
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=logits.device))
