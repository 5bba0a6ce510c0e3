"""Views of a scene lifted into volumes, and objects cut out of them (section 3.2): what every variant begins with."""

import itertools
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.detector.config import DetectorConfig
from datagen.models.detector.encoders import FrozenEncoder, make_encoder
from datagen.models.detector.unet import UNet3D
from datagen.models.detector.volumes import Boxes, cubes_about, lattice, lift, sample

MARGIN = 0.05
"""How much an object's cut-out is wider than its box on each side, as a share of the box's longest side."""
PARTLY = 0.3
"""A feature of which this share of the picture is inside of a mask is of an object."""


@dataclass(frozen=True, eq=False)
class Views:
    """Pictures (B, M, 3, S, S) in [-1, 1] with `K_B33` in their pixels and world-to-camera `T_BM44`.

    `held` (B, M, C, h, w): features of a frozen encoder, where they were computed before. `masks` (B, M, S, S): where
    objects are, where that is known.
    """

    pictures: Tensor
    K_B33: Tensor
    T_BM44: Tensor
    held: Tensor | None = None
    masks: Tensor | None = None

    @property
    def image_px(self) -> int:
        """Side of the pictures."""
        return self.pictures.shape[-1]


@dataclass(frozen=True, eq=False)
class Volume:
    """Features (B, G, C, D, H, W) in boxes of the world, G = 1 over the floor or one an object.

    `lifted` (B, G, dim, D, H, W): the mean of the views' features, before the 3D network. `inside` (B, G, 1, D, H, W):
    in which share of the views a voxel is in the masks, of a network that is `masked`.
    """

    features: Tensor
    lifted: Tensor
    boxes: Boxes
    inside: Tensor | None = None


def pointwise(*sizes: int) -> nn.Sequential:
    """1 x 1 x 1 convolutions with ReLU between them."""
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Conv3d(a, b, 1), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Encoded(nn.Module):
    """A network with the 2D encoder of its recipe."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = make_encoder(config.encoder, config.dim)

    def encode(self, views: Views) -> Tensor:
        """Features (B, M, C, h, w) of the views."""
        B, M = views.pictures.shape[:2]
        if views.held is not None:
            found: Tensor = cast(FrozenEncoder, self.encoder).reduce(views.held.flatten(0, 1).float())
        else:
            found = self.encoder(views.pictures.flatten(0, 1))
        return found.unflatten(0, (B, M))


class Lifted(Encoded):
    """`build` makes the volume of some views; `cut` reads it on a lattice about each object."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        v = config.volume
        # What a voxel is seen in counts among its channels, and what it is inside of.
        self.channels = config.dim + (2 if config.masked else 1)
        self.fuse = UNet3D(self.channels, v.widths, v.down, v.up)
        self.width = v.widths[0]

    def build(self, views: Views, objects: Boxes | None) -> Volume:
        """The fused volume of the views: over the floor, or one about each of `objects` (B, N).

        Raises ValueError for views without masks where the network needs them.
        """
        v = self.config.volume
        f = self.encode(views)
        mask = self._mask(views) if self.config.masked else None
        if mask is not None:
            covered = F.adaptive_avg_pool2d(mask.flatten(0, 1), (f.shape[-2], f.shape[-1]))
            f = f * (covered.unflatten(0, mask.shape[:2]) > PARTLY)
        B = len(f)
        if v.around == "floor" or objects is None:
            boxes, counts = self.over_floor(B, views.pictures), v.size
        else:
            boxes, counts = cubes_about(objects, v.pad), (v.side,) * 3
        points = boxes.points(counts)
        G, grid = points.shape[1], points.shape[2:5]
        seen, share = lift(f, points.flatten(1, 4), views.K_B33, views.T_BM44, views.image_px)
        channels = [seen, share[:, None]]
        if mask is not None:
            channels += [lift(mask, points.flatten(1, 4), views.K_B33, views.T_BM44, views.image_px)[0]]
        lifted = torch.cat(channels, dim=1).view(B, -1, G, *grid).transpose(1, 2)
        inside = None if mask is None else lifted[:, :, -1:]
        features = self.fuse(lifted.flatten(0, 1)).unflatten(0, (B, G))
        return Volume(features, lifted[:, :, : self.config.dim], boxes, inside)

    def _mask(self, views: Views) -> Tensor:
        if views.masks is None:
            raise ValueError("this network needs masks with its views")
        return views.masks.float()[:, :, None]

    def over_floor(self, count: int, like: Tensor) -> Boxes:
        """The volume over the floor, for `count` scenes."""
        v = self.config.volume
        low = like.new_tensor(v.low_m).expand(count, 1, 3)
        size = like.new_tensor([n * v.voxel_m for n in v.size]).expand(count, 1, 3)
        return Boxes(low, size)

    def cut(self, values_BGCDHW: Tensor, volume: Volume, objects: Boxes) -> Tensor:
        """What values over the volume's voxels are at each object's lattice: (B, N, roi^3, C)."""
        points = lattice(objects, self.config.roi, MARGIN)
        _, N, P, _ = points.shape
        if self.config.volume.around == "floor":
            read = sample(values_BGCDHW, volume.boxes, points.flatten(1, 2)[:, None])[:, 0].unflatten(-1, (N, P))
            return read.permute(0, 2, 3, 1)
        return sample(values_BGCDHW, volume.boxes, points).transpose(2, 3)


def over(layers: nn.Module, volume: Volume) -> Tensor:
    """Pointwise layers over every volume: (B, G, C, D, H, W)."""
    B, G = volume.features.shape[:2]
    found: Tensor = layers(volume.features.flatten(0, 1))
    return found.unflatten(0, (B, G))
