"""How near a picture comes to the converged one, and what it does to the defect."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from datagen.bench.targets import Target
from datagen.core.colour import luminance
from datagen.core.statistics import psnr

OBJECT_MARGIN_PX, DEFECT_MARGIN_PX = 2, 3


@dataclass(frozen=True)
class Judgement:
    """One picture against its reference: PSNR in dB over the object, gradient ratio in the anomaly mask.

    `whole_db`: PSNR of the whole picture, where its ground is part of it.
    """

    kind: str
    psnr_db: float
    gradient_ratio: float
    whole_db: float | None = None


def judge(picture: np.ndarray, converged: np.ndarray, target: Target, kind: str) -> Judgement:
    """Compare (H, W, 3) uint8 pictures in the target's masks, dilated by 2 px and 3 px."""
    body = binary_dilation(target.silhouette, iterations=OBJECT_MARGIN_PX)
    near = binary_dilation(target.defect, iterations=DEFECT_MARGIN_PX)
    ratio = gradient(picture, near) / max(gradient(converged, near), 1e-9)
    whole = object_psnr(picture, converged, np.ones_like(body)) if target.whole else None
    return Judgement(kind, object_psnr(picture, converged, body), ratio, whole)


def object_psnr(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
    """PSNR in dB of (H, W, 3) uint8 pictures over a mask (H, W); 99 for equal ones."""
    value = psnr(a[mask], b[mask])
    return value if np.isfinite(value) else 99.0


def gradient(picture: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square of the luminance gradient, 8-bit levels a pixel, over a mask (H, W)."""
    rows, columns = np.gradient(luminance(picture))
    return float(np.sqrt((rows**2 + columns**2)[mask].mean()))


def summary(judgements: Sequence[Judgement]) -> dict[str, float]:
    """Median and 5th percentile of PSNR; mean and 10th percentile of the gradient ratio, `broken` apart."""
    decibel = np.array([j.psnr_db for j in judgements])
    figures = {
        "images": float(len(judgements)),
        "psnr_db": float(np.median(decibel)),
        "psnr_p5_db": float(np.percentile(decibel, 5)),
        "psnr_min_db": float(decibel.min()),
        **_ratios("gradient", [j.gradient_ratio for j in judgements]),
    }
    broken = [j.gradient_ratio for j in judgements if j.kind == "broken"]
    if broken:
        figures |= _ratios("gradient_broken", broken)
    wholes = [j.whole_db for j in judgements if j.whole_db is not None]
    if wholes:
        figures |= {"whole_psnr_db": float(np.median(wholes)), "whole_psnr_p5_db": float(np.percentile(wholes, 5))}
    return {name: round(value, 3) for name, value in figures.items()}


def _ratios(name: str, values: Sequence[float]) -> dict[str, float]:
    return {f"{name}_mean": float(np.mean(values)), f"{name}_p10": float(np.percentile(values, 10))}
