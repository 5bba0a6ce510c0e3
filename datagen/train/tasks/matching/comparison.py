"""Pictures of what the comparator saw: a query, the map of what changed, and the view that it was compared with."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from datagen.datasets.matching import normalised
from datagen.models.comparator import change_map
from datagen.train.tasks.matching.pictures import BLUE, overlay, with_box
from datagen.train.tasks.matching.reference import Reference


def as_batch(photo: np.ndarray, views: Reference) -> dict[str, Tensor]:
    """A batch of one photo (S, S, 3) uint8 and its views."""
    return {
        "query": normalised(torch.from_numpy(photo.copy()).permute(2, 0, 1))[None],
        "views": torch.from_numpy(views.pictures.copy())[None],
        "xyz": torch.from_numpy(views.xyz)[None],
        "reference": torch.zeros(1, dtype=torch.int64),
    }


def map_of(change_1hw: Tensor, size: int) -> np.ndarray:
    """Probability (S, S) float32 that a pixel of the one query of a batch differs."""
    found: np.ndarray = change_map(change_1hw, size)[0].cpu().numpy()
    return found


def comparison_picture(
    photo: np.ndarray,
    change: np.ndarray,
    view: np.ndarray,
    box: tuple[float, ...] | None,
    changed: np.ndarray | None = None,
    color: tuple[int, int, int] = BLUE,
) -> np.ndarray:
    """Side by side, uint8: the photo (S, S, 3) with its box, the change map (S, S) over it, the true change (S, S) over
    it where that is given, and the view (S, S)."""
    grey = np.asarray(Image.fromarray(photo).convert("L"))
    tiles: list[Any] = [with_box(photo, box, color), overlay(grey, change)]
    if changed is not None:
        tiles.append(overlay(grey, changed.astype(np.float64)))
    tiles.append(np.repeat(view[..., None], 3, axis=2))
    return np.concatenate(tiles, axis=1)
