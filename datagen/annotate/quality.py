"""Checks on the finished picture: white ground, an object that is neither black nor burnt out, a change to see."""

from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class Behind:
    """What a check may expect behind an object: grey levels (H, W), or one level, before any shadow; None: unknown.

    `is_lit`: whether the object is lit from its front, and not a silhouette before a plate.
    """

    level: np.ndarray | float | None
    is_lit: bool = True

    @property
    def is_white(self) -> bool:
        """Whether the ground is white all over."""
        return isinstance(self.level, float) and self.level == 255.0


WHITE = Behind(255.0)
OUTLINE, OUTLINE_STEP = 0.75, 12
"""Least share of a silhouette's outline that shows as an edge, and the grey levels of an edge."""
DARKEST = 8
"""Grey levels that are added on both sides where a ground is compared with a dark one."""
BURNT = 250


def check_picture(
    picture: np.ndarray, frame: GeometryFrame, recipe: QualityRecipe, behind: Behind = WHITE
) -> Rejected | None:
    """Ground as expected with soft shadows, nothing blown out or black, an outline to see.

    On white the object has to be dark enough for the published loader.
    """
    level = grey(picture)
    inside = frame.silhouette
    seen = level if behind.is_white else _on_white(level, behind.level)
    why = None if seen is None else _check_ground(seen, inside, recipe)
    if why is not None:
        return why
    body = level[inside]
    limit = recipe.object_level if behind.is_white else BURNT
    if np.median(body) >= limit or (body < limit).mean() < recipe.object_share:
        share = (body < limit).mean()
        return Rejected("blown_out", f"median {np.median(body):.0f}, {share:.3f} of the object below white")
    if behind.is_lit and (np.median(body) < 8 or body.max() < 24):
        return Rejected("black", f"median {np.median(body):.0f}")
    shown = 1.0 if behind.is_white else outline_share(picture, inside) or 0.0
    return Rejected("lost_in_background", f"{shown:.2f} of its outline shows") if shown < OUTLINE else None


def _on_white(level: np.ndarray, behind: np.ndarray | float | None) -> np.ndarray | None:
    """Grey levels (H, W) as they were if the ground were white; None where nobody knows what it is."""
    return None if behind is None else np.asarray(255 * (level + DARKEST) / (behind + DARKEST))


def _check_ground(level: np.ndarray, inside: np.ndarray, recipe: QualityRecipe) -> Rejected | None:
    ground = level[~binary_dilation(inside, iterations=3)]
    if (ground > recipe.ground_level).mean() < recipe.ground_share:
        return Rejected("grey_ground", f"{(ground > recipe.ground_level).mean():.3f} of the ground is white")
    if ground.min() < recipe.ground_floor:
        return Rejected("dark_ground", f"darkest ground {ground.min():.0f}")
    if min(level[0, 0], level[0, -1], level[-1, 0], level[-1, -1]) <= recipe.ground_level:
        return Rejected("grey_corner", "a corner of the picture is not white")
    return None


def outline_share(picture: np.ndarray, silhouette: np.ndarray) -> float | None:
    """Share of the silhouette's outline (pixels) within one pixel of a step of at least 12 grey levels."""
    level = grey(picture)
    outline = silhouette & binary_dilation(~silhouette)
    if not outline.any():
        return None
    return float((maximum_filter(level, 3) - minimum_filter(level, 3) >= OUTLINE_STEP)[outline].mean())


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
