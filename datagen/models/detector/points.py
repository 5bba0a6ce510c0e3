"""A baseline of Table 1: point clouds of objects, a network over graphs of nearest points, pairwise distances.

The paper fuses its clouds by COLMAP's dense stereo, which needs CUDA; here depth maps are fused, an upper bound, with
noise as an option. A Siamese DGCNN (Wang et al. 2019) embeds each object, from scratch.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.detector.config import DetectorConfig

WIDTHS = (32, 32, 64)
"""Channels of the edge convolutions."""
MARGIN = 0.3
"""Of the triplet loss."""


class EdgeConv(nn.Module):
    """Points (B, C, P) to (B, C', P): a linear layer over a point and its difference to a neighbour, the largest of k.

    The layer is taken apart into what it makes of the point and of the neighbour, which are then added: the largest of
    the sums needs no pair in memory but the answers.
    """

    def __init__(self, channels: int, out: int, k: int) -> None:
        super().__init__()
        self.k = k
        self.own, self.beside = nn.Conv1d(channels, out, 1, bias=False), nn.Conv1d(channels, out, 1, bias=False)
        self.norm = nn.GroupNorm(4, out)

    def forward(self, x_BCP: Tensor) -> Tensor:
        k = min(self.k, x_BCP.shape[-1])
        flat = x_BCP.transpose(1, 2)
        with torch.no_grad():
            nearest = torch.cdist(flat, flat).topk(k, dim=-1, largest=False).indices
        beside = self.beside(x_BCP)
        B, C, P = beside.shape
        of_each = beside.gather(2, nearest.flatten(1)[:, None].expand(-1, C, -1)).view(B, C, P, k).amax(-1)
        return F.leaky_relu(self.norm(self.own(x_BCP) - beside + of_each), 0.2)


class PointCompare(nn.Module):
    """Clouds of a scene's objects to how far each lies from the others."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        widths = (3, *WIDTHS)
        self.edges = nn.ModuleList(EdgeConv(a, b, config.neighbours) for a, b in itertools.pairwise(widths))
        self.embed = nn.Conv1d(sum(WIDTHS), config.attention_dim, 1)
        self.project = nn.Linear(2 * config.attention_dim, config.attention_dim)
        self.scale, self.shift = nn.Parameter(torch.tensor(5.0)), nn.Parameter(torch.tensor(1.0))

    def vectors(self, points_BNP3: Tensor) -> Tensor:
        """Unit vectors (B, N, W) of the objects."""
        x = points_BNP3.flatten(0, 1).transpose(1, 2)
        levels = []
        for edge in self.edges:
            x = edge(x)
            levels.append(x)
        y = self.embed(torch.cat(levels, dim=1))
        pooled = torch.cat([y.amax(-1), y.mean(-1)], dim=1)
        found: Tensor = F.normalize(self.project(F.leaky_relu(pooled, 0.2)), dim=-1)
        return found.unflatten(0, points_BNP3.shape[:2])

    def judge(self, points_BNP3: Tensor, there_BN: Tensor) -> Tensor:
        """Logits (B, N): the median distance to the other objects, scaled; a vote of pairs."""
        z = self.vectors(points_BNP3)
        return self.scale * (votes(z, there_BN) - self.shift)


def votes(z_BNW: Tensor, there_BN: Tensor) -> Tensor:
    """Of each object the median distance to the others that are there (B, N); 0 for one alone."""
    apart = torch.cdist(z_BNW, z_BNW)
    N = z_BNW.shape[1]
    usable = there_BN[:, None] & ~torch.eye(N, dtype=torch.bool, device=z_BNW.device)
    return apart.masked_fill(~usable, torch.nan).nanmedian(-1).values.nan_to_num(0.0)


def triplet_loss(z_BNW: Tensor, label_BN: Tensor, there_BN: Tensor) -> Tensor:
    """Mean over (normal, other normal, anomalous) of one scene of max(0, d(normal, normal) - d(normal, anomalous) + m).

    0 where no scene has such a triple.
    """
    apart = torch.cdist(z_BNW, z_BNW)
    normal, odd = there_BN & (label_BN < 0.5), there_BN & (label_BN >= 0.5)
    N = z_BNW.shape[1]
    pair = normal[:, :, None] & normal[:, None] & ~torch.eye(N, dtype=torch.bool, device=z_BNW.device)
    triple = pair[..., None] & odd[:, None, None]
    each = F.relu(apart[..., None] - apart[:, :, None] + MARGIN)
    return (each * triple).sum() / triple.sum().clamp_min(1)
