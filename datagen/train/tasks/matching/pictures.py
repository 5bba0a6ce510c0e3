"""Correspondence pictures after the paper's Figure 5: for a query point, similarity and top-k span per view."""

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import nn

from datagen.core.statistics import evenly
from datagen.datasets.matching import grey_to_rgb, normalised
from datagen.models.attention import choose_top_k
from datagen.models.cmt import CMT
from datagen.models.correspond import object_patches, projections
from datagen.models.published import PublishedCMT
from datagen.train.tasks.matching.reference import Reference

BLUE, YELLOW, RED = (40, 90, 230), (250, 210, 30), (230, 40, 40)
SHOWN_VIEWS = 4


def with_box(picture: np.ndarray, box: tuple[float, ...] | None, color: tuple[int, int, int] = BLUE) -> np.ndarray:
    """The picture with a box (cx, cy, w, h in 0..1) drawn on it."""
    if box is None:
        return picture
    size = len(picture)
    image = Image.fromarray(picture)
    x0, y0 = (max(0.0, (box[a] - box[a + 2] / 2) * size) for a in (0, 1))
    x1, y1 = (min(size - 1.0, (box[a] + box[a + 2] / 2) * size) for a in (0, 1))
    ImageDraw.Draw(image).rectangle((x0, y0, max(x0, x1), max(y0, y1)), outline=color, width=max(1, size // 128))
    return np.asarray(image)


def beside(given: Image.Image, answer: np.ndarray, size: int) -> np.ndarray:
    """The photo as given, fitted into a square of `size` px on grey, at the upper left of the answer's picture."""
    tile = Image.new("RGB", (size, size), (128, 128, 128))
    shown = given.convert("RGBA")
    shown.thumbnail((size, size))
    tile.paste(shown, ((size - shown.width) // 2, (size - shown.height) // 2), shown)
    column = np.full((len(answer), size, 3), 255, dtype=np.uint8)
    column[:size] = np.asarray(tile)
    return np.concatenate([column, answer], axis=1)


def heat(values: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 colours of 0..1: dark blue over red to yellow."""
    v = np.clip(values, 0, 1)[..., None]
    stops = np.array([[20, 20, 90], [200, 40, 80], [250, 230, 60]], dtype=np.float64)
    low, high = stops[0] + (stops[1] - stops[0]) * 2 * v, stops[1] + (stops[2] - stops[1]) * (2 * v - 1)
    return np.where(v < 0.5, low, high).astype(np.uint8)


def overlay(view_SS: np.ndarray, values_hw: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """A grey view under a heat map of its patches."""
    size = len(view_SS)
    grey = np.repeat(view_SS[..., None], 3, axis=2).astype(np.float64)
    colors = np.asarray(Image.fromarray(heat(values_hw)).resize((size, size), Image.Resampling.NEAREST))
    return np.round(grey * (1 - opacity) + colors * opacity).astype(np.uint8)


@torch.no_grad()
def correspondence_picture(
    model: CMT | PublishedCMT, photo: np.ndarray, views: Reference, patch: int, k: int, shown: list[int]
) -> np.ndarray:
    """Two rows, similarity and top-k span, over the shown views; the query with the point (yellow) on the left."""
    device = next(model.parameters()).device
    query = normalised(torch.from_numpy(photo.copy()).permute(2, 0, 1))[None].to(device)
    pictures = grey_to_rgb(torch.from_numpy(views.pictures)[None].to(device))
    z_query, z_views = projections(model, query, pictures)
    similarity = torch.einsum("d,npd->np", z_query[0, patch], z_views[0])
    chosen = choose_top_k(similarity.flatten()[None, None], min(k or similarity.numel(), similarity.numel()))
    span = torch.zeros(similarity.numel(), device=device).index_fill_(0, chosen.flatten(), 1.0).view_as(similarity)
    grid = round(similarity.shape[1] ** 0.5)
    low, high = float(similarity.min()), float(similarity.max())
    maps = ((similarity - low) / max(high - low, 1e-9)).view(-1, grid, grid).cpu().numpy()
    spans = span.view(-1, grid, grid).cpu().numpy()
    point = with_box(photo, _patch_box(patch, grid), YELLOW)
    rows = [
        [point, *(overlay(views.pictures[n], maps[n]) for n in shown)],
        [np.full_like(photo, 255), *(overlay(views.pictures[n], spans[n]) for n in shown)],
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def attention_picture(
    model: nn.Module, photo: np.ndarray, views: Reference, box: tuple[float, ...] | None, nearest: int | None
) -> np.ndarray:
    """The query with its box; for CMT also the correspondences of the patch that asks most."""
    if not isinstance(model, CMT | PublishedCMT):
        return with_box(photo, box)
    k = model.config.k if isinstance(model, CMT) else model.k
    patch = point_of_interest(model, photo, views, box)
    count = len(views.pictures)
    shown = sorted(((nearest or 0) + k) % count for k in evenly(count, SHOWN_VIEWS))
    return correspondence_picture(model, with_box(photo, box), views, patch, k, shown)


@torch.no_grad()
def point_of_interest(
    model: CMT | PublishedCMT, photo: np.ndarray, views: Reference, box: tuple[float, ...] | None
) -> int:
    """The patch at the box's centre, or the object patch that resembles the reference least."""
    grid = len(photo) // 8
    if box is not None:
        column, row = (min(grid - 1, max(0, int(v * grid))) for v in box[:2])
        return row * grid + column
    device = next(model.parameters()).device
    query = normalised(torch.from_numpy(photo.copy()).permute(2, 0, 1))[None].to(device)
    z_query, z_views = projections(model, query, grey_to_rgb(torch.from_numpy(views.pictures)[None].to(device)))
    best = (z_query[0] @ z_views[0].flatten(0, 1).T).max(dim=1).values
    best = best.masked_fill(~object_patches(query)[0], torch.inf)
    return int(best.argmin())


def _patch_box(patch: int, grid: int) -> tuple[float, float, float, float]:
    return (patch % grid + 0.5) / grid, (patch // grid + 0.5) / grid, 1 / grid, 1 / grid
