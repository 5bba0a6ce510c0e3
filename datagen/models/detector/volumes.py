"""Volumes of features in the world: lifting pictures into them, reading them at points, rendering them.

Shapes: B scenes, M views, G volumes a scene, C channels, D x H x W voxels along z, y and x. A volume is an axis-aligned
box, `low_BG3` and `size_BG3` in metres; voxel (i, j, k) along x, y, z has its centre at low + (index + 1/2) size /
count, wherever it is read or written. Cameras are OpenCV's: `K_B33` in pixels, `T_BM44` world to camera.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

NEAR = 1e-3
"""Metres before a camera from which on something is in front of it."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Volumes' places: corners (B, G, 3) and sizes (B, G, 3)."""

    low_BG3: Tensor
    size_BG3: Tensor

    def points(self, counts: tuple[int, int, int]) -> Tensor:
        """Voxel centres (B, G, D, H, W, 3) in the world; `counts` are along x, y, z."""
        axes = [(torch.arange(n, device=self.low_BG3.device) + 0.5) / n for n in counts]
        z, y, x = torch.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
        share = torch.stack([x, y, z], dim=-1)
        low, size = (t[:, :, None, None, None] for t in (self.low_BG3, self.size_BG3))
        return low + share * size

    def within(self, points_BGN3: Tensor) -> Tensor:
        """World points (B, G, N, 3) as places in -1..1 that `grid_sample` reads with align_corners False."""
        return 2 * (points_BGN3 - self.low_BG3[:, :, None]) / self.size_BG3[:, :, None] - 1


def project(points_BN3: Tensor, K_B33: Tensor, T_BM44: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels (B, M, N, 2), column and row, pixel i covering [i, i + 1), and z-depth (B, M, N)."""
    local = torch.einsum("bmij,bnj->bmni", T_BM44[..., :3, :3], points_BN3) + T_BM44[..., None, :3, 3]
    depth = local[..., 2]
    pixel = torch.einsum("bij,bmnj->bmni", K_B33, local)
    return pixel[..., :2] / pixel[..., 2:].clamp_min(NEAR), depth


def lift(f_BMChw: Tensor, points_BN3: Tensor, K_B33: Tensor, T_BM44: Tensor, image_px: int) -> tuple[Tensor, Tensor]:
    """The mean (B, C, N) of what the views show at world points, and in which share of them each lies (B, N).

    A point counts in a view where it is in front of the camera and inside the frame; seen in none it is 0. What hides a
    point is not known here, as in the paper.
    """
    B, M, C = f_BMChw.shape[:3]
    pixel, depth = project(points_BN3, K_B33, T_BM44)
    place = 2 * pixel / image_px - 1
    there = (depth > NEAR) & (place.abs() <= 1).all(-1)
    read = F.grid_sample(
        f_BMChw.flatten(0, 1), place.flatten(0, 1)[:, None], mode="bilinear", padding_mode="border", align_corners=False
    )
    read = read.view(B, M, C, -1) * there[:, :, None]
    count = there.sum(1)
    return read.sum(1) / count.clamp_min(1)[:, None], count / M


def sample(volume_BGCDHW: Tensor, boxes: Boxes, points_BGN3: Tensor) -> Tensor:
    """What volumes hold at world points, (B, G, C, N), trilinear; 0 outside."""
    B, G = volume_BGCDHW.shape[:2]
    place = boxes.within(points_BGN3).flatten(0, 1)[:, None, None]
    read = F.grid_sample(volume_BGCDHW.flatten(0, 1), place, mode="bilinear", padding_mode="zeros", align_corners=False)
    return read.flatten(2).view(B, G, -1, points_BGN3.shape[2])


def rays(K_B33: Tensor, T_BM44: Tensor, side: int, image_px: int) -> tuple[Tensor, Tensor]:
    """Origins (B, M, 3) and directions (B, M, side^2, 3) of the pixels' centres; directions have z-depth 1."""
    centre = (torch.arange(side, device=K_B33.device, dtype=K_B33.dtype) + 0.5) * image_px / side
    row, column = torch.meshgrid(centre, centre, indexing="ij")
    pixel = torch.stack([column, row, torch.ones_like(row)], dim=-1).flatten(0, 1)
    local = torch.einsum("bij,nj->bni", torch.linalg.inv(K_B33), pixel)
    R = T_BM44[..., :3, :3]
    # The inverse, not the transpose: a mirrored or scaled world is none of rotations alone.
    back = torch.linalg.inv(R)
    origin = -torch.einsum("bmij,bmj->bmi", back, T_BM44[..., :3, 3])
    return origin, torch.einsum("bmij,bnj->bmni", back, local)


def render(
    density_BG1DHW: Tensor,
    values_BGCDHW: Tensor,
    boxes: Boxes,
    K_B33: Tensor,
    T_BM44: Tensor,
    side: int,
    image_px: int,
    samples: int,
    reach_m: tuple[float, float],
) -> tuple[Tensor, Tensor]:
    """Values (B, M, C, side, side) and opacity (B, M, side, side) seen by cameras: the quadrature of NeRF.

    Density is per metre of z-depth. Where volumes overlap densities add up, and values are mixed by them.
    """
    B, M = T_BM44.shape[:2]
    G = density_BG1DHW.shape[1]
    near, far = reach_m
    step = (far - near) / samples
    depth = near + (torch.arange(samples, device=K_B33.device, dtype=K_B33.dtype) + 0.5) * step
    origin, direction = rays(K_B33, T_BM44, side, image_px)
    points = origin[:, :, None, None] + direction[:, :, :, None] * depth[:, None]
    flat = points.flatten(1, 3)[:, None].expand(-1, G, -1, -1)
    both = sample(torch.cat([density_BG1DHW, values_BGCDHW], dim=2), boxes, flat)
    sigma_G, value_G = both[:, :, 0], both[:, :, 1:]
    sigma = sigma_G.sum(1)
    value = (value_G * sigma_G[:, :, None]).sum(1) / sigma.clamp_min(1e-6)[:, None]
    sigma = sigma.view(B, M, -1, samples)
    alpha = 1 - torch.exp(-sigma * step)
    clear = torch.cumprod(torch.cat([torch.ones_like(alpha[..., :1]), 1 - alpha[..., :-1]], dim=-1), dim=-1)
    weight = alpha * clear
    value = value.view(B, -1, M, weight.shape[2], samples)
    seen = (value * weight[:, None]).sum(-1).transpose(1, 2)
    return seen.unflatten(-1, (side, side)), weight.sum(-1).unflatten(-1, (side, side))


def lattice(boxes: Boxes, side: int, pad: float) -> Tensor:
    """A cube of points (B, G, side^3, 3), in z, y, x order, about each box; `pad` of its longest side lies around."""
    return cubes_about(boxes, pad).points((side, side, side)).flatten(2, 4)


def cubes_about(boxes: Boxes, pad: float) -> Boxes:
    """A cube about each box, wider on each side by `pad` of the box's longest side."""
    longest = boxes.size_BG3.amax(-1, keepdim=True) * (1 + 2 * pad)
    centre = boxes.low_BG3 + boxes.size_BG3 / 2
    size = longest.clamp_min(1e-4).expand_as(centre)
    return Boxes(centre - size / 2, size)
