"""Networks with weights from a file of the user's, held as they are: features of pictures, nothing is downloaded.

`mobilenetv2` and `efficientnet_lite` are of inverted residuals without squeeze and excitation, and what a file holds
tells their sizes; `dinov2` is the published vision transformer.
"""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from datagen.core.errors import MissingDependency
from datagen.models.dinov2 import DinoV2, load_dinov2

Frozen = Literal["mobilenetv2", "efficientnet_lite", "dinov2"]
STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
"""Strides of the seven stages, in both families; the stem before them halves too."""
RANDOM = "random"
"""In a file's place: weights drawn at random, a control."""
MEAN_STD = {
    "mobilenetv2": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "efficientnet_lite": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "dinov2": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
MOBILENETV2_BLOCKS = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))
"""Expansion, channels and repeats of each stage, for weights drawn at random."""
LEFT_OUT = re.compile(r"num_batches_tracked$|^(features\.18|_conv_head|_bn1|_fc|classifier)\.")
"""What no feature depends on: counters, and the layers after the last block."""


class _Layer(nn.Module):
    """A convolution and its batch norm; `same` pads as TensorFlow does, more to the right and below."""

    def __init__(self, shape: tuple[int, ...], stride: int, *, same: bool, active: bool) -> None:
        super().__init__()
        out, each, kernel, _ = shape
        groups = out if each == 1 and kernel > 1 else 1
        self.same, self.active, self.kernel, self.stride = same, active, kernel, stride
        self.conv = nn.Conv2d(each * groups, out, kernel, stride, 0 if same else kernel // 2, 1, groups, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-3 if same else 1e-5)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        if self.same:
            wide = [
                max(self.kernel - (self.stride if n % self.stride == 0 else n % self.stride), 0)
                for n in (x_BCHW.shape[-1], x_BCHW.shape[-2])
            ]
            x_BCHW = F.pad(x_BCHW, [half for w in wide for half in (w // 2, w - w // 2)])
        x: Tensor = self.norm(self.conv(x_BCHW))
        return F.relu6(x) if self.active else x


class _Block(nn.Module):
    """An inverted residual: widened where the file says so, seen by depth, narrowed."""

    def __init__(self, shapes: list[tuple[int, ...]], stride: int, same: bool) -> None:
        super().__init__()
        last = len(shapes) - 1
        self.layers = nn.Sequential(
            *(
                _Layer(shape, stride if shape[1] == 1 and shape[2] > 1 else 1, same=same, active=n < last)
                for n, shape in enumerate(shapes)
            )
        )
        self.adds = stride == 1 and shapes[0][1 if len(shapes) == 3 else 0] == shapes[-1][0]

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y: Tensor = self.layers(x_BCHW)
        return x_BCHW + y if self.adds else y


class InvertedResiduals(nn.Module):
    """Pictures (B, 3, S, S) to the features (B, C, S / stride, S / stride) of the last block at that stride."""

    def __init__(self, shapes: list[tuple[int, ...]], stride: int, *, same: bool) -> None:
        """`shapes` of the convolutions in order. Raises ValueError for none of these networks."""
        super().__init__()
        self.stem = _Layer(shapes[0], 2, same=same, active=True)
        blocks: list[list[tuple[int, ...]]] = [[]]
        for shape in shapes[1:]:
            blocks[-1].append(shape)
            if shape[2] == 1 and (len(blocks[-1]) == 3 or (len(blocks) == 1 and len(blocks[-1]) == 2)):
                blocks.append([])
        if blocks.pop():
            raise ValueError("a block lacks its last convolution")
        made, at, stage, before = [], 2, -1, 0
        for block in blocks:
            begins = block[-1][0] != before
            stage, before = stage + begins, block[-1][0]
            if stage >= len(STAGE_STRIDES):
                raise ValueError(f"more than {len(STAGE_STRIDES)} stages")
            step = STAGE_STRIDES[stage] if begins else 1
            at *= step
            if at > stride:
                break
            made.append(_Block(block, step, same))
            self.channels = before
        self.blocks = nn.Sequential(*made)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        found: Tensor = self.blocks(self.stem(x_BCHW))
        return found


class FrozenBackbone(nn.Module):
    """Pictures (B, 3, S, S) in [-1, 1] to features (B, `channels`, h, w), without a gradient.

    Its tensors are no parameters: checkpoints leave them out, and a run that goes on reads the file again.
    """

    def __init__(self, name: Frozen, network: nn.Module, channels: int) -> None:
        super().__init__()
        self.name, self.channels = name, channels
        # In a list torch does not see the network: it is no part of the state.
        self._held = [network.eval().requires_grad_(False)]

    def forward(self, pictures_B3SS: Tensor) -> Tensor:
        network = self._held[0].to(pictures_B3SS.device)
        with torch.no_grad():
            mean, std = (pictures_B3SS.new_tensor(v)[:, None, None] for v in MEAN_STD[self.name])
            x = ((pictures_B3SS + 1) / 2 - mean) / std
            if isinstance(network, DinoV2):
                return _patch_tokens(network, x)
            found: Tensor = network(x)
            return found


def _patch_tokens(network: DinoV2, x_B3SS: Tensor) -> Tensor:
    """Normalised tokens of the patches (B, d, h, w) of pictures at the next size down that patches fill."""
    patch = int(network.patch_size)
    side = x_B3SS.shape[-1] // patch
    if side < 1:
        raise ValueError(f"pictures of {x_B3SS.shape[-1]} px are smaller than a patch of {patch}")
    x = F.interpolate(x_B3SS, size=side * patch, mode="bilinear", antialias=True)
    tokens = network.prepare_tokens_with_masks(x)
    for block in network.blocks:
        tokens = block(tokens)
    tokens = network.norm(tokens)[:, -side * side :]
    found: Tensor = tokens.transpose(1, 2).unflatten(-1, (side, side))
    return found


def load_backbone(name: Frozen, weights: str, stride: int = 8) -> FrozenBackbone:
    """A network of a file, or drawn at random by `weights` 'random'; `stride` of its features, but of dinov2's.

    A file is .pth or .pt, read with `weights_only`; of dinov2 .safetensors too. Raises MissingDependency for one that
    is no such thing, naming what would be.
    """
    same = name == "efficientnet_lite"
    if weights == RANDOM:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            if name == "dinov2":
                return FrozenBackbone(name, DinoV2(64, 2, 14, 16, 0, "mlp"), 64)
            made = InvertedResiduals(_random_shapes(), stride, same=same)
            return FrozenBackbone(name, made, made.channels)
    if name == "dinov2":
        network = load_dinov2(Path(weights))
        return FrozenBackbone(name, network, int(network.embed_dim))
    if Path(weights).suffix == ".safetensors":
        raise MissingDependency(
            f"{weights}: .safetensors keeps no order of layers, which tells {name}; give a .pth file"
        )
    state = {key: value for key, value in read_weights(Path(weights)).items() if not LEFT_OUT.search(key)}
    values = list(state.values())
    try:
        shapes = [tuple(value.shape) for value in values if value.ndim == 4]
        found = InvertedResiduals(shapes, stride, same=same)
        own = {key: value for key, value in found.state_dict().items() if "num_batches" not in key}
        # Both families keep a layer's tensors in the order weight, weight, bias, mean, variance.
        found.load_state_dict(dict(zip(own, values, strict=False)), strict=False)
        if len(values) < len(own):
            raise ValueError(f"{len(values)} tensors, {len(own)} are needed")
    except (ValueError, IndexError, RuntimeError) as error:
        raise MissingDependency(
            f"{weights}: no weights of {name} ({str(error).splitlines()[0]}); "
            "give the state of the network as PyTorch saves it, or another name"
        ) from error
    return FrozenBackbone(name, found, found.channels)


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a file by name. Raises MissingDependency."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        raise MissingDependency(f"{path}: {str(error).splitlines()[0]}; give a file of weights") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise MissingDependency(f"{path}: no mapping of names to tensors; give a file of weights alone")
    return found


def _random_shapes() -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = [(32, 3, 3, 3)]
    before = 32
    for expand, channels, repeats in MOBILENETV2_BLOCKS:
        for _ in range(repeats):
            wide = before * expand
            shapes += [(wide, before, 1, 1)] if expand > 1 else []
            shapes += [(wide, 1, 3, 3), (channels, wide, 1, 1)]
            before = channels
    return shapes
