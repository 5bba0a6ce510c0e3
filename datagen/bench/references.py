"""Converged pictures to compare with: many samples, no denoiser, no adaptivity, another seed; kept on disk."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

from datagen.bench.targets import Target
from datagen.core.folders import cache_root
from datagen.core.ids import arrays_hash, content_hash
from datagen.core.material import PartMaterial
from datagen.core.scene import Scene
from datagen.formats.encode import png_bytes
from datagen.render.protocol import Renderer
from datagen.store.files import write_whole

SEED = 1_000_003
MARGIN_PX = 8
"""What is rendered about the masks: the dilated masks and the width of the pixel filter lie within."""
Settings = Mapping[str, object]
CONVERGED: Settings = {
    "samples": 1024,
    "adaptive_threshold": 0.0,
    "denoiser": "none",
    "max_bounces": 4,
    "clamp_indirect": 0.0,
    "ground_samples": 0,
    "device": "cpu",
}
SHOWN = ("view_transform", "floor_radiance", "floor_emission", "floor_albedo")
"""Settings of a recipe that change the converged picture: the others only change the way there."""


def folder() -> Path:
    """Where references are kept, beside the baked materials."""
    return cache_root() / "references"


def reference(job: Scene, target: Target, renderer: Renderer, settings: Settings = CONVERGED) -> np.ndarray:
    """The converged picture (H, W, 3) uint8 of a target: all of it, or white outside the box about its masks.

    Rendered once a machine and Blender version (a minute and a half of CPU), then read from disk.
    Raises RenderError, OSError.
    """
    box = {} if target.whole else {"border_px": box_about(target.silhouette | target.defect)}
    converged = replace(job, views=(target.view,), seed=SEED, settings={**job.settings, **settings, **box})
    shown = {name: value for name, value in converged.settings.items() if name in {*SHOWN, *settings, *box}}
    path = folder() / f"{_key(converged, shown, renderer.versions())}.png"
    if path.is_file():
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    (picture,) = renderer.render(converged)
    write_whole(path, png_bytes(picture))
    return picture


def box_about(masks: np.ndarray) -> tuple[int, int, int, int]:
    """Columns and rows (x0, y0, x1, y1), the ends excluded, of the True pixels and a margin."""
    wide = binary_dilation(masks, iterations=MARGIN_PX)
    rows, columns = np.flatnonzero(wide.any(axis=1)), np.flatnonzero(wide.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _key(job: Scene, shown: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Hash of all that shows: geometry, materials, camera, light and the settings of the converged picture."""
    view = job.views[0]
    parts = [
        [
            p.part_id,
            asdict(p.surface) if isinstance(p.surface, PartMaterial) else p.surface and p.surface.digest,
            arrays_hash(p.mesh.vertices, p.mesh.faces),
        ]
        for thing in job.objects
        for p in thing.parts
    ]
    digests = {name: material.digest for name, material in job.materials.items()}
    seen = [asdict(view.camera), asdict(view.light), asdict(job.ground)]
    return content_hash([parts, digests, seen, job.seed, shown, dict(versions)])
