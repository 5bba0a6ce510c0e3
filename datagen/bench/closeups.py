"""Presets side by side, looked at closely: the same corner of a picture by each, and the converged one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from datagen.bench.references import Settings, reference
from datagen.bench.sheet import save_sheet
from datagen.bench.targets import MeasuredObject, Target
from datagen.formats.pictures import caption
from datagen.render.blender.client import BlenderProcess

OBJECTS, CROP_PX, TIMES = 4, 64, 4


def save_closeups(
    objects: Sequence[MeasuredObject], presets: Mapping[str, dict[str, Any]], converged: Settings, path: Path
) -> None:
    """A row for each of the first four objects: 64 x 64 px about the defect of its first picture, four times as large.

    Raises RenderError, OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    blender = BlenderProcess(threads=1)
    tiles = []
    try:
        for measured in objects[:OBJECTS]:
            target = measured.targets[0]
            job = replace(measured.job, views=(target.view,))
            for name, settings in presets.items():
                (picture,) = blender.render(replace(job, settings=settings))
                tiles.append(_tile(picture, target, f"{name}, {measured.name}"))
            tiles.append(_tile(reference(job, target, blender, converged), target, "converged"))
    finally:
        blender.close()
    save_sheet(tiles, len(presets) + 1, path)


def _tile(picture: np.ndarray, target: Target, text: str) -> np.ndarray:
    rows, columns = np.nonzero(target.defect if target.defect.any() else target.silhouette)
    height, width = picture.shape[:2]
    y = int(np.clip(rows.mean() - CROP_PX / 2, 0, max(height - CROP_PX, 0)))
    x = int(np.clip(columns.mean() - CROP_PX / 2, 0, max(width - CROP_PX, 0)))
    crop = picture[y : y + CROP_PX, x : x + CROP_PX].repeat(TIMES, axis=0).repeat(TIMES, axis=1)
    framed = np.pad(crop, ((2, 2), (2, 2), (0, 0)), constant_values=255)
    return np.concatenate([framed, caption(text, framed.shape[1])])
