"""2D encoders of the detector: a feature pyramid of its own, or a frozen network of a file with a projection.

Shapes: pictures (B, 3, S, S) in [-1, 1] to features (B, `dim`, h, w).
"""

from pathlib import Path
from typing import cast, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from datagen.core.errors import MissingDependency
from datagen.models.backbones import Frozen, FrozenBackbone, load_backbone, read_weights
from datagen.models.detector.config import EncoderConfig
from datagen.models.detector.unet import norm
from datagen.models.resnet import ResNet

FROZEN = get_args(Frozen)
DEPTHS = {"resnet18": 18, "resnet50": 50}
HEADS = ("fc.",)
"""Tensors of a classifier's file that no feature depends on."""


class PyramidEncoder(nn.Module):
    """ResNet and feature pyramid, whose levels are summed at the finest one asked for (section 4.2).

    P2..P5 at stride 4, P3..P5 at stride 8.
    """

    def __init__(self, config: EncoderConfig, dim: int) -> None:
        super().__init__()
        self.backbone = ResNet(config.width, DEPTHS[config.name])
        self.first = {4: 0, 8: 1}[config.stride]
        channels = self.backbone.channels[self.first :]
        inner = max(dim, 4 * config.width)
        self.lateral = nn.ModuleList(nn.Conv2d(c, inner, 1) for c in channels)
        self.smooth = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inner, dim, 3, 1, 1, bias=False), norm(dim), nn.ReLU()) for _ in channels
        )
        if config.weights:
            load_resnet(self.backbone, config.weights)

    def forward(self, pictures_B3SS: Tensor) -> Tensor:
        stages = self.backbone(pictures_B3SS)[self.first :]
        levels = [layer(stage) for layer, stage in zip(self.lateral, stages, strict=True)]
        for level in range(len(levels) - 2, -1, -1):
            raised = F.interpolate(levels[level + 1], size=levels[level].shape[-2:], mode="nearest")
            levels[level] = levels[level] + raised
        total = self.smooth[0](levels[0])
        for layer, level in zip(self.smooth[1:], levels[1:], strict=True):
            total = total + F.interpolate(layer(level), size=total.shape[-2:], mode="bilinear", align_corners=False)
        found: Tensor = total
        return found


class FrozenEncoder(nn.Module):
    """A frozen backbone and a 1 x 1 convolution that learns."""

    def __init__(self, backbone: FrozenBackbone, dim: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.reduce = nn.Conv2d(backbone.channels, dim, 1)
        # What is alike to the frozen network begins alike here too.
        nn.init.orthogonal_(self.reduce.weight.flatten(1))
        nn.init.zeros_(cast(Tensor, self.reduce.bias))

    def forward(self, pictures_B3SS: Tensor) -> Tensor:
        found: Tensor = self.reduce(self.backbone(pictures_B3SS))
        return found


class ColourEncoder(nn.Module):
    """The colours themselves, averaged over squares of the stride and projected: the control without an encoder."""

    def __init__(self, stride: int, dim: int) -> None:
        super().__init__()
        self.stride = stride
        self.reduce = nn.Conv2d(3, dim, 1)

    def forward(self, pictures_B3SS: Tensor) -> Tensor:
        found: Tensor = self.reduce(F.avg_pool2d(pictures_B3SS, self.stride))
        return found


def frozen_backbone(config: EncoderConfig) -> FrozenBackbone | None:
    """The frozen network of an encoder; None for one that learns. Raises MissingDependency."""
    if config.name not in FROZEN:
        return None
    return load_backbone(cast(Frozen, config.name), config.weights, config.stride)


def make_encoder(config: EncoderConfig, dim: int) -> nn.Module:
    """The encoder of a recipe. Raises MissingDependency for a file that does not hold its weights."""
    backbone = frozen_backbone(config)
    if backbone is not None:
        return FrozenEncoder(backbone, dim)
    if config.name == "colour":
        return ColourEncoder(config.stride, dim)
    return PyramidEncoder(config, dim)


def load_resnet(network: ResNet, weights: str) -> None:
    """Begin with a file's weights, by the usual names. Raises MissingDependency naming what does not fit."""
    state = {key: value for key, value in read_weights(Path(weights)).items() if not key.startswith(HEADS)}
    # A shortcut's names are the same here; counters of batches are not in older files.
    try:
        missing, unknown = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise MissingDependency(
            f"{weights}: {str(error).splitlines()[1].strip()}; is it a file of this ResNet?"
        ) from error
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unknown:
        raise MissingDependency(
            f"{weights}: {len(missing)} tensors are missing and {len(unknown)} unknown, "
            f"such as {(missing + unknown)[0]}; is it a file of this ResNet?"
        )
