"""The feature encoder of the paper's section 4.2: ResNet-18, feature pyramid, merge at stride 8.

The paper gives the output (d x H/8 x W/8) and not the merge; the published one is used in both variants.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.resnet import ResNet

UNUSED = ("fpn.layer_blocks.0.",)
"""Parameters that a published checkpoint has and no output depends on."""


class FeaturePyramid(nn.Module):
    """C2..C5 to P3, P4, P5, each `dim` channels: lateral 1 x 1, top-down nearest sum, 3 x 3 output.

    The finest level is skipped: nothing downstream reads it.
    """

    def __init__(self, channels: list[int], dim: int) -> None:
        super().__init__()
        self.inner_blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(c, dim, 1)) for c in channels)
        self.layer_blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1)) for _ in channels)
        for parameter in self.layer_blocks[0].parameters():
            # Kept for the published checkpoint's sake; without it DDP would wait for its gradient.
            parameter.requires_grad_(False)
        for parameter in self.inner_blocks[0].parameters():
            parameter.requires_grad_(False)

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        total = self.inner_blocks[-1](stages[-1])
        outputs = [self.layer_blocks[-1](total)]
        for level in range(len(stages) - 2, 0, -1):
            lateral = self.inner_blocks[level](stages[level])
            total = lateral + F.interpolate(total, size=lateral.shape[-2:], mode="nearest")
            outputs.insert(0, self.layer_blocks[level](total))
        return outputs


def _unit(dim: int) -> list[nn.Module]:
    return [nn.Conv2d(dim, dim, 3, padding=1), nn.BatchNorm2d(dim), nn.ReLU()]


def _double() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


class Encoder(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] to features (B, d, S/8, S/8)."""

    def __init__(self, dim: int = 128, width: int = 64) -> None:
        super().__init__()
        self.backbone = ResNet(width)
        self.fpn = FeaturePyramid(self.backbone.channels, dim)
        self.panoptic_1 = nn.Sequential(*_unit(dim), *_unit(dim), *_unit(dim))
        self.panoptic_2 = nn.Sequential(*_unit(dim), _double())
        self.panoptic_3 = nn.Sequential(*_unit(dim), _double(), *_unit(dim), _double())

    def forward(self, image_BCHW: Tensor) -> Tensor:
        p3, p4, p5 = self.fpn(self.backbone(image_BCHW))
        return self.panoptic_1(p3) + self.panoptic_2(p4) + self.panoptic_3(p5)


def flat_patches(f_BDhw: Tensor) -> Tensor:
    """(B, d, h, w) to (B, h*w, d), patches row-major."""
    return f_BDhw.flatten(2).transpose(1, 2)
