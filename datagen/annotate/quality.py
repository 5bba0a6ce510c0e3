"""Checks on the finished picture: white ground, an object that is neither black nor burnt out, a change to see."""

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion, maximum_filter, minimum_filter

from datagen.core.anomaly import Rejected
from datagen.core.scene import GeometryFrame
from datagen.recipe.models import QualityRecipe

GREY = np.array([0.299, 0.587, 0.114])
"""ITU weights: what the published loader separates foreground with."""


def grey(picture: np.ndarray) -> np.ndarray:
    """ITU grey (H, W) in 0..255 of an (H, W, 3) uint8 picture."""
    return picture @ GREY


def check_picture(picture: np.ndarray, frame: GeometryFrame, recipe: QualityRecipe) -> Rejected | None:
    """Ground white with soft shadows, object dark enough for the published loader, nothing blown or black."""
    level = grey(picture)
    inside = frame.silhouette
    ground = level[~binary_dilation(inside, iterations=3)]
    if (ground > recipe.ground_level).mean() < recipe.ground_share:
        return Rejected("grey_ground", f"{(ground > recipe.ground_level).mean():.3f} of the ground is white")
    if ground.min() < recipe.ground_floor:
        return Rejected("dark_ground", f"darkest ground {ground.min():.0f}")
    if min(level[0, 0], level[0, -1], level[-1, 0], level[-1, -1]) <= recipe.ground_level:
        return Rejected("grey_corner", "a corner of the picture is not white")
    body = level[inside]
    if np.median(body) >= recipe.object_level or (body < recipe.object_level).mean() < recipe.object_share:
        share = (body < recipe.object_level).mean()
        return Rejected("blown_out", f"median {np.median(body):.0f}, {share:.3f} of the object below white")
    if np.median(body) < 8 or body.max() < 24:
        return Rejected("black", f"median {np.median(body):.0f}")
    return None


def check_contrast(picture: np.ndarray, changed: np.ndarray, recipe: QualityRecipe) -> Rejected | None:
    """The anomaly shows in the picture too: something has an edge where geometry changed."""
    contrast = contrast_about(picture, changed)
    if contrast < recipe.min_contrast:
        return Rejected("no_contrast", f"{contrast:.1f} grey levels about the change")
    return None


def contrast_about(picture: np.ndarray, changed: np.ndarray) -> float:
    """Grey levels that a picture (H, W, 3) varies by from pixel to pixel along the outline of changed pixels (H, W).

    The 90th percentile; some pixel has to be changed.
    """
    level = grey(picture)
    local = maximum_filter(level, 3) - minimum_filter(level, 3)
    outline = binary_dilation(changed) & ~binary_erosion(changed)
    return float(np.percentile(local[outline], 90))
