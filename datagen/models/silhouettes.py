"""Which view a query resembles by its outline alone: a label of the view where no pose tells it."""

import torch
import torch.nn.functional as F
from torch import Tensor

GROUND_LEVEL, OBJECT_LEVEL = 230.0, 195.0
"""Grey levels from which a pixel shows the ground, and up to which the object; shadows lie between."""
GROUND, OBJECT = GROUND_LEVEL / 127.5 - 1, OBJECT_LEVEL / 127.5 - 1
"""The same in [-1, 1]."""
SIDE = 32
"""Cells along a side of the frame in which two outlines are laid over each other."""


def silhouettes(grey_BSS: Tensor) -> Tensor:
    """Object share (B, S, S) in 0..1 of pictures in [-1, 1], of a coloured one its darkest channel."""
    return ((GROUND - grey_BSS) / (GROUND - OBJECT)).clamp(0, 1)


def framed(share_BSS: Tensor) -> Tensor:
    """Every outline (B, SIDE, SIDE) in the square about its own box, so that size and place do not count."""
    size = share_BSS.shape[-1]
    there = share_BSS > 0.5
    place = (torch.arange(size, device=share_BSS.device) + 0.5) / size * 2 - 1

    def reach(line_BS: Tensor) -> tuple[Tensor, Tensor]:
        low = torch.where(line_BS, place, torch.inf).amin(1)
        high = torch.where(line_BS, place, -torch.inf).amax(1)
        found = line_BS.any(1)
        return torch.where(found, (low + high) / 2, 0.0), torch.where(found, (high - low) / 2 + 1 / size, 1.0)

    (x, half_x), (y, half_y) = reach(there.any(1)), reach(there.any(2))
    half = torch.maximum(half_x, half_y)
    zero = torch.zeros_like(half)
    theta = torch.stack([torch.stack([half, zero, x], -1), torch.stack([zero, half, y], -1)], dim=1)
    grid = F.affine_grid(theta, [len(half), 1, SIDE, SIDE], align_corners=False)
    return F.grid_sample(share_BSS.unsqueeze(1), grid, align_corners=False)[:, 0]


def agreements(query_BSS: Tensor, views_BNSS: Tensor) -> Tensor:
    """IoU (B, N) of the outlines of queries and their views, pictures in [-1, 1]; no gradient."""
    with torch.no_grad():
        a = framed(silhouettes(query_BSS.float()))[:, None]
        b = framed(silhouettes(views_BNSS.float().flatten(0, 1))).unflatten(0, views_BNSS.shape[:2])
        return torch.minimum(a, b).sum((2, 3)) / torch.maximum(a, b).sum((2, 3)).clamp_min(1e-6)
