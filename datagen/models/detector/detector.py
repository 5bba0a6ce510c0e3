"""The detector: 2D encoder, lifting, 3D network, heads, rendering, and the comparison of objects (Figure 2)."""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.detector.config import DetectorConfig
from datagen.models.detector.matching import ObjectHead, VoxelAttention, correspondences
from datagen.models.detector.unet import UNet3D
from datagen.models.detector.volumes import Boxes, cubes_about, lattice, lift, render, sample
from datagen.models.encoder import Encoder

FAINT = -4.6
"""The density head's bias at the start: a step through the volume is then some hundredth opaque, not a wall."""


@dataclass(frozen=True, eq=False)
class Views:
    """Pictures (B, M, 3, S, S) in [-1, 1] with `K_B33` in their pixels and world-to-camera `T_BM44`."""

    pictures: Tensor
    K_B33: Tensor
    T_BM44: Tensor


@dataclass(frozen=True, eq=False)
class Volume:
    """Features (B, G, C, D, H, W) in boxes of the world, G = 1 over the floor or one an object."""

    features: Tensor
    boxes: Boxes


@dataclass(frozen=True, eq=False)
class Rendered:
    """Colours (B, M, 3, s, s) in 0..1 on black and opacity (B, M, s, s); features (B, M, F, s/4, s/4)."""

    colour: Tensor
    opacity: Tensor
    features: Tensor


def _pointwise(*sizes: int) -> nn.Sequential:
    """1 x 1 x 1 convolutions with ReLU between them."""
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Conv3d(a, b, 1), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Detector(nn.Module):
    """Scenes to a logit for each object.

    `build` makes the volume of some views, `render` looks at it from others, `judge` compares the objects in boxes.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        c, v = config, config.volume
        self.config = config
        self.encoder = Encoder(c.dim, c.encoder_width)
        # What a voxel is seen in counts among its channels.
        self.fuse = UNet3D(c.dim + 1, v.widths, v.down, v.up)
        width = v.widths[0]
        self.density = _pointwise(width, width, 1)
        self.colour = _pointwise(width, width, 3)
        self.beta = _pointwise(width, c.feature_dim, c.feature_dim, c.feature_dim, c.feature_dim)
        nn.init.constant_(self.density[-1].bias, FAINT)  # type: ignore[arg-type]
        self.blocks = nn.ModuleList(VoxelAttention(width, c.attention_dim, c.heads, c.match) for _ in range(c.blocks))
        self.head = ObjectHead(width, c.roi)

    def build(self, views: Views, objects: Boxes) -> Volume:
        """The fused volume of the views: over the floor, or one about each of `objects` (B, N)."""
        v = self.config.volume
        B, M = views.pictures.shape[:2]
        f = self.encoder(views.pictures.flatten(0, 1)).unflatten(0, (B, M))
        if v.around == "floor":
            boxes, counts = self.over_floor(B, views.pictures), v.size
        else:
            boxes, counts = cubes_about(objects, v.pad), (v.side,) * 3
        points = boxes.points(counts)
        G, grid = points.shape[1], points.shape[2:5]
        seen, share = lift(f, points.flatten(1, 4), views.K_B33, views.T_BM44, views.pictures.shape[-1])
        lifted = torch.cat([seen, share[:, None]], dim=1).view(B, -1, G, *grid).transpose(1, 2)
        return Volume(self.fuse(lifted.flatten(0, 1)).unflatten(0, (B, G)), boxes)

    def over_floor(self, count: int, like: Tensor) -> Boxes:
        """The volume over the floor, for `count` scenes."""
        v = self.config.volume
        low = like.new_tensor(v.low_m).expand(count, 1, 3)
        size = like.new_tensor([n * v.voxel_m for n in v.size]).expand(count, 1, 3)
        return Boxes(low, size)

    def sigma(self, volume: Volume) -> Tensor:
        """Density (B, G, 1, D, H, W) per metre."""
        return F.softplus(self.over(self.density, volume)) / self.config.volume.voxel_m

    def render(self, volume: Volume, K_B33: Tensor, T_BM44: Tensor, image_px: int) -> Rendered:
        """What cameras see of a volume (equations 3 and 4); features give the density no gradient."""
        c, density = self.config, self.sigma(volume)
        colour = torch.sigmoid(self.over(self.colour, volume))
        cameras = (volume.boxes, K_B33, T_BM44)
        seen, opacity = render(density, colour, *cameras, c.render_px, image_px, c.samples, c.reach_m)
        features = self.over(self.beta, volume)
        coarse = max(c.render_px // 4, 1)
        taught, _ = render(density.detach(), features, *cameras, coarse, image_px, c.samples, c.reach_m)
        return Rendered(seen, opacity, taught)

    def cut_out(self, volume: Volume, objects: Boxes) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, roi^3, C) of every object and their projections by beta (B, N, roi^3, F)."""
        c = self.config
        points = lattice(objects, c.roi, 0.05)
        _, N, P, _ = points.shape
        both = torch.cat([volume.features, self.over(self.beta, volume)], dim=2)
        if c.volume.around == "floor":
            read = sample(both, volume.boxes, points.flatten(1, 2)[:, None])[:, 0].unflatten(-1, (N, P))
            read = read.permute(0, 2, 3, 1)
        else:
            read = sample(both, volume.boxes, points).transpose(2, 3)
        width = volume.features.shape[2]
        return read[..., :width], read[..., width:]

    def judge(self, volume: Volume, objects: Boxes, there_BN: Tensor) -> Tensor:
        """A logit (B, N) for each object; what is not there has one too, which means nothing."""
        z, beta = self.cut_out(volume, objects)
        chosen = None
        if self.config.match == "sparse" and z.shape[1] > 1:
            chosen = correspondences(beta, self.config.k, there_BN)
        for block in self.blocks:
            z = block(z, chosen, there_BN)
        found: Tensor = self.head(z)
        return found

    def over(self, layers: nn.Module, volume: Volume) -> Tensor:
        """Pointwise layers over every volume: (B, G, C, D, H, W)."""
        B, G = volume.features.shape[:2]
        found: Tensor = layers(volume.features.flatten(0, 1))
        return found.unflatten(0, (B, G))
