"""Networks without a reference: the query-only rows of Table 2, and the viewpoint classifier of section 5.1."""

import torch
from torch import Tensor, nn

from datagen.models.blocks import Heads, Output, TransformerBlock
from datagen.models.config import ModelConfig
from datagen.models.encoder import Encoder, flat_patches
from datagen.models.resnet import ResNet


class PyramidNet(nn.Module):
    """ResNet18-FPN on the query; `resnet_fpn_sa` adds `blocks` self-attention blocks and a token.

    Without them the answer comes from the mean over patches.
    """

    def __init__(self, config: ModelConfig, image_px: int) -> None:
        super().__init__()
        self.encoder = Encoder(config.dim, config.encoder_width)
        self.heads = Heads(config.dim, config.box)
        self.blocks = nn.ModuleList()
        if config.name == "resnet_fpn_sa":
            self.blocks.extend(TransformerBlock(config.dim, config.heads) for _ in range(config.blocks))
            self.token = nn.Parameter(torch.randn(1, 1, config.dim) * 0.02)

    def forward(self, query_B3SS: Tensor) -> Output:
        f = flat_patches(self.encoder(query_B3SS))
        if not self.blocks:
            return self.heads(f.mean(dim=1))
        f = torch.cat([self.token.expand(len(f), -1, -1).to(f.dtype), f], dim=1)
        for block in self.blocks:
            f = block(f)
        return self.heads(f[:, 0])


class ViT(nn.Module):
    """Vision Transformer (Dosovitskiy et al. 2021) on the query, sized by the recipe."""

    def __init__(self, config: ModelConfig, image_px: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, config.dim, config.patch_px, config.patch_px)
        self.token = nn.Parameter(torch.randn(1, 1, config.dim) * 0.02)
        self.place = nn.Parameter(torch.randn(1, 1 + (image_px // config.patch_px) ** 2, config.dim) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(config.dim, config.heads) for _ in range(config.blocks))
        self.heads = Heads(config.dim, config.box)

    def forward(self, query_B3SS: Tensor) -> Output:
        f = flat_patches(self.patches(query_B3SS))
        f = torch.cat([self.token.expand(len(f), -1, -1).to(f.dtype), f], dim=1) + self.place
        for block in self.blocks:
            f = block(f)
        return self.heads(f[:, 0])


class ViewpointNet(nn.Module):
    """ResNet-18 that names the nearest reference view: images to logits (B, views)."""

    def __init__(self, config: ModelConfig, views: int) -> None:
        super().__init__()
        self.backbone = ResNet(config.encoder_width)
        self.classify = nn.Linear(self.backbone.channels[-1], views)

    def forward(self, query_B3SS: Tensor) -> Tensor:
        return self.classify(self.backbone(query_B3SS)[-1].mean(dim=(2, 3)))
