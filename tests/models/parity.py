"""The parity fixture: weights by formula, inputs, expected numbers (shared/samples/cmt_parity)."""

import json
import zlib
from functools import lru_cache

import numpy as np
import torch

from datagen.models.published import DEAD, PublishedCMT, load_published
from tests.conftest import SAMPLES

FOLDER = SAMPLES / "cmt_parity"


@lru_cache(maxsize=1)
def inputs() -> dict[str, np.ndarray]:
    return dict(np.load(FOLDER / "inputs.npz", allow_pickle=False))


@lru_cache(maxsize=1)
def expected() -> dict[str, np.ndarray]:
    return dict(np.load(FOLDER / "expected.npz", allow_pickle=False))


@lru_cache(maxsize=1)
def scalars() -> dict:
    return json.loads((FOLDER / "expected_scalars.json").read_text())


def _normal(part: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(zlib.crc32(f"{part}.{name}".encode()))).standard_normal(shape)


def _gain(full: str) -> float:
    gains = {"projector": 1.6, "token.weight": 4.0, ".to_q.": 2.0, "cls_layer.layers.1.weight": 1.5}
    return next((gain for key, gain in gains.items() if key in full), 1.0)


def fill(part: str, name: str, shape: list[int], dtype: str) -> np.ndarray:
    """One tensor of the fixture, by the formula of its README's section 2."""
    if dtype.startswith("int"):
        return np.zeros(shape, dtype=dtype)
    z = _normal(part, name, tuple(shape))
    if part.endswith("_ema"):
        z = (_normal(part.removesuffix("_ema"), name, tuple(shape)) + 0.25 * z) / np.sqrt(1.0625)
    if name.endswith("running_mean"):
        value = 0.1 * z
    elif name.endswith("running_var"):
        value = 0.8 + 0.2 * np.abs(z)
    elif len(shape) == 1 and name.endswith("weight"):
        value = 1 + 0.1 * z
    elif len(shape) == 1:
        value = 0.05 * z - (0.5 if part.startswith("projector") else 0.0)
    else:
        value = z * _gain(f"{part}.{name}") / np.sqrt(np.prod(shape[1:]))
    return value.astype(np.float32)


@lru_cache(maxsize=1)
def checkpoint() -> dict[str, dict[str, torch.Tensor]]:
    """The five state dicts, as a published checkpoint holds them."""
    keys = json.loads((FOLDER / "state_dict_keys.json").read_text())
    return {
        part: {name: torch.from_numpy(fill(part, name, shape, dtype)) for name, shape, dtype in entries}
        for part, entries in keys.items()
    }


def model() -> PublishedCMT:
    """A fresh network with the fixture's weights, in eval mode."""
    return load_published({part: dict(state) for part, state in checkpoint().items()}).eval()


def images(u8: np.ndarray) -> torch.Tensor:
    """(..., 256, 256, 3) uint8 to (..., 3, 256, 256) in [-1, 1]."""
    return (torch.from_numpy(u8).float() / 255 - 0.5).div(0.5).movedim(-1, -3).contiguous()


def case(name: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Query, references and patch positions of a case."""
    data, source = inputs(), "C" if name == "C" else "A"
    query = data["D_query_u8" if name == "D" else f"{source}_query_u8"]
    xyz = torch.from_numpy(data[f"{source}_xyz"])
    return images(query), images(data[f"{source}_ref_u8"]), xyz.flatten(2, 3)


def selection(name: str) -> torch.Tensor:
    return torch.from_numpy(expected()[f"{name}_topk"].astype(np.int64))


def dead(part: str, name: str) -> bool:
    return name.startswith(DEAD.get(part, ("\0",)))
