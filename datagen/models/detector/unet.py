"""The 3D network: an encoder-decoder of residual blocks over several scales (Atlas, section 4.2)."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 8
"""Of a group norm; batches of scenes are too small for batch norm."""


def norm(channels: int) -> nn.GroupNorm:
    """Group norm of as many groups as divide the channels, at most `GROUPS`."""
    groups = next(g for g in range(min(GROUPS, channels), 0, -1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


class Block3D(nn.Module):
    """Two 3 x 3 x 3 convolutions and a shortcut; the last norm begins at zero, so a new block changes nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, 1, 1, bias=False)
        self.norm1 = norm(channels)
        self.conv2 = nn.Conv3d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = norm(channels)
        nn.init.zeros_(self.norm2.weight)

    def forward(self, x_BCDHW: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x_BCDHW)))
        return torch.relu(x_BCDHW + self.norm2(self.conv2(y)))


class UNet3D(nn.Module):
    """Volumes (B, C, D, H, W) to volumes of the first width, every side a multiple of 2^(scales - 1).

    On the way up the upsampled volume and the projected skip are averaged.
    """

    def __init__(self, channels_in: int, widths: tuple[int, ...], down: tuple[int, ...], up: tuple[int, ...]) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Conv3d(channels_in, widths[0], 3, 1, 1, bias=False), norm(widths[0]), nn.ReLU())
        self.down = nn.ModuleList(
            nn.Sequential(*(Block3D(w) for _ in range(n))) for w, n in zip(widths, down, strict=True)
        )
        steps = list(itertools.pairwise(widths))
        self.halve = nn.ModuleList(
            nn.Sequential(nn.Conv3d(a, b, 3, 2, 1, bias=False), norm(b), nn.ReLU()) for a, b in steps
        )
        self.skip = nn.ModuleList(nn.Conv3d(a, a, 1) for a, _ in reversed(steps))
        self.lower = nn.ModuleList(nn.Conv3d(b, a, 1) for a, b in reversed(steps))
        self.up = nn.ModuleList(
            nn.Sequential(*(Block3D(a) for _ in range(n))) for (a, _), n in zip(reversed(steps), up, strict=True)
        )

    def forward(self, x_BCDHW: Tensor) -> Tensor:
        x = self.enter(x_BCDHW)
        kept = []
        for level, blocks in enumerate(self.down):
            x = blocks(x)
            if level < len(self.halve):
                kept.append(x)
                x = self.halve[level](x)
        for lower, skip, blocks, before in zip(self.lower, self.skip, self.up, reversed(kept), strict=True):
            raised = F.interpolate(lower(x), size=before.shape[2:], mode="trilinear", align_corners=False)
            x = blocks((raised + skip(before)) / 2)
        return x
