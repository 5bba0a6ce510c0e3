"""Which way queries turn against references, from silhouettes alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.verify.pictures import open_picture

SIZE = 64
DARK = 215
"""Below this a pixel is object and hardly shadow."""


@dataclass(frozen=True)
class Turn:
    """Overlap of a normal query's silhouette with the reference at minus and at plus its azimuth."""

    path: str
    opposite: float
    same: float


def turns(tree: ChairTree, queries: Sequence[QueryFacts]) -> Iterator[Turn]:
    """Normal queries whose azimuth tells the two ways apart."""
    cache: dict[str, np.ndarray] = {}

    def outline(path: str) -> np.ndarray:
        if path not in cache:
            cache[path] = _silhouette(tree, path)
        return cache[path]

    for query in queries:
        azimuth = query.name.azimuth_deg
        if azimuth is None or query.picture is None or min(azimuth % 180, -azimuth % 180) < 15:
            continue
        views = _ring(tree, query.name.shape)
        if len(views) < 4:
            continue
        mine = _silhouette(tree, query.path)
        yield Turn(
            query.path,
            _overlap(mine, outline(_nearest(views, -azimuth))),
            _overlap(mine, outline(_nearest(views, azimuth))),
        )


def _ring(tree: ChairTree, shape: str) -> dict[float, str]:
    from datagen.formats.brokenchairs import reference_name

    found = {}
    for stem in tree.bundles.get(shape, ()):
        azimuth = reference_name(stem)[1]
        if azimuth is not None and f"{stem}.png" in tree.files.sizes:
            found[azimuth % 360] = f"{stem}.png"
    return found


def _nearest(views: dict[float, str], azimuth: float) -> str:
    return views[min(views, key=lambda a: abs((a - azimuth + 180) % 360 - 180))]


def _silhouette(tree: ChairTree, path: str) -> np.ndarray:
    """The object's bounding box, scaled to a square: elevation and distance differ between the two."""
    try:
        level = np.asarray(open_picture(tree.files.read(path)).convert("L"))
    except (BrokenFile, OSError, ValueError):
        return np.zeros((SIZE, SIZE), dtype=bool)
    mask = level < DARK
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return np.zeros((SIZE, SIZE), dtype=bool)
    crop = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(Image.fromarray(crop).resize((SIZE, SIZE), Image.Resampling.NEAREST)) > 0


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 0.0
