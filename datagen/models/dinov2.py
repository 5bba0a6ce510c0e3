"""DINOv2 image features from a weights file of the user's: the network is kornia's, nothing is downloaded."""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from kornia.feature.dedode.transformer.dinov2 import DinoVisionTransformer
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from datagen.core.errors import MissingDependency

LAYOUT = "torch hub's dinov2_vits14_pretrain.pth and its like"
HEAD_DIM = 64
"""Channels of a head, in every published size."""
SIZE_PX = 224
"""Edge of the pictures that features are taken of: 16 x 16 patches of 14 px."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet: what the network was trained under."""


class DinoV2(DinoVisionTransformer):
    """The published network; with `registers` > 0 the one of the `_reg` weights."""

    def __init__(self, dim: int, depth: int, patch_px: int, grid: int, registers: int, ffn: str) -> None:
        super().__init__(
            img_size=grid * patch_px,
            patch_size=patch_px,
            embed_dim=dim,
            depth=depth,
            num_heads=dim // HEAD_DIM,
            init_values=1.0,
            ffn_layer=ffn,
            block_chunks=0,
        )
        if registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, registers, dim), requires_grad=False)

    def interpolate_pos_encoding(self, x: Tensor, w: int, h: int) -> Tensor:
        """Position codes (1, 1 + patches, d): networks with registers were trained with smoothed ones."""
        if not hasattr(self, "register_tokens"):
            return super().interpolate_pos_encoding(x, w, h)
        grid = round((self.pos_embed.shape[1] - 1) ** 0.5)
        table = self.pos_embed[:, 1:].unflatten(1, (grid, grid)).permute(0, 3, 1, 2)
        size = (w // self.patch_size, h // self.patch_size)
        table = F.interpolate(table, size=size, mode="bicubic", antialias=True)
        return torch.cat([self.pos_embed[:, :1], table.flatten(2).transpose(1, 2)], dim=1)

    def prepare_tokens_with_masks(self, x: Tensor, masks: Tensor | None = None) -> Tensor:
        """Class token, registers where there are any, patches: (B, L, d)."""
        tokens = super().prepare_tokens_with_masks(x, masks)
        if not hasattr(self, "register_tokens"):
            return tokens
        return torch.cat([tokens[:, :1], self.register_tokens.expand(len(x), -1, -1), tokens[:, 1:]], dim=1)


def load_dinov2(path: Path) -> DinoV2:
    """The network of a .pth, .pt (read with `weights_only`) or .safetensors file, sized by what it holds.

    Raises MissingDependency for a file that is no such thing.
    """
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        raise MissingDependency(
            f"{path}: {str(error).splitlines()[0]}; is it a file of DINOv2 weights ({LAYOUT})?"
        ) from error
    try:
        model = _sized(state)
        model.load_state_dict(state)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        raise MissingDependency(f"{path}: the keys are not those of {LAYOUT}: {_first(error)}") from error
    return model.eval()


def _sized(state: Mapping[str, Tensor]) -> DinoV2:
    dim, patch_px = state["cls_token"].shape[-1], state["patch_embed.proj.weight"].shape[-1]
    blocks = {int(match[1]) for key in state if (match := re.match(r"blocks\.(\d+)\.", key))}
    grid = round((state["pos_embed"].shape[1] - 1) ** 0.5)
    registers = state["register_tokens"].shape[1] if "register_tokens" in state else 0
    ffn = "swiglufused" if "blocks.0.mlp.w12.weight" in state else "mlp"
    return DinoV2(dim, len(blocks), patch_px, grid, registers, ffn)


def _first(error: Exception) -> str:
    """The first thing that is wrong: torch names every key, a line each."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300]


def image_features(model: DinoV2, grey: np.ndarray) -> np.ndarray:
    """Class tokens (N, d) float32 of pictures (N, S, S) in [0, 1].

    On one thread: how many there are decides the order of sums, and with it the last digits.
    """
    mean, std = (torch.tensor(v)[:, None, None] for v in (MEAN, STD))
    images = (torch.from_numpy(grey).float()[:, None] - mean) / std
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            return model(images).numpy()
    finally:
        torch.set_num_threads(threads)
