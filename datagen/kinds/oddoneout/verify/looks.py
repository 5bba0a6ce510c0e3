"""Checks of the pictures themselves: alpha, sharpness, colours, the strip."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from datagen.core.colour import linear_from_srgb
from datagen.kinds.oddoneout.verify.checks import SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.facts import SceneFacts
from datagen.kinds.oddoneout.verify.stored import CHECKS
from datagen.verify.check import ERROR, Finding

SHARP, BESIDE = 0.5, 0.7
"""Least sharpness of a picture, and that of its scene's median. Renders and the published sample have 0.6 and 0.8; a
blur of one pixel leaves 0.4."""
FAINTER = 0.4
"""Share of the edges along outlines that the scene's other views have, below which a picture is washed out."""
STRIP_LEVELS = 4.0
"""Mean levels that scene.jpg may be off: what another JPEG encoder makes."""
ORDERS = tuple(order for order in permutations(range(3)) if order != (0, 1, 2))
"""Channels in every wrong order."""
LIKELIER, APART = 4.0, 0.03
"""How much better colours have to fit in another order of channels, and how badly in their own (squared logarithms)."""
PAINTED = 2.0
"""Levels by which a floor of the fake renderer may change from view to view."""
COLOURED, GREY = 1.0, 0.05
"""Levels between the channels of a part that has some colour, and of one that has none."""
DARKEST = 0.004
"""Linear level below which a channel's ratio to the others tells nothing."""


@CHECKS.check(ERROR, "Whoever reads alpha cuts holes into the picture.", SCENES)
def scene_pictures_opaque(e: SceneEvidence) -> Iterator[Finding]:
    """Alpha is 255 in every pixel of RGB/."""
    for scene in e.scenes:
        for view in scene.views:
            if view.alpha_px:
                yield Finding(f"{scene.name} view {view.index}", f"{view.alpha_px} pixels are not opaque")


@CHECKS.check(ERROR, "A blurred picture hides what is odd.", SCENES)
def scene_pictures_sharp(e: SceneEvidence) -> Iterator[Finding]:
    """Edges are those of a render, as hard as in the scene's other views and as strong along the objects' outlines."""
    for scene in e.scenes:
        sharp = np.array([view.sharpness for view in scene.views])
        usual = float(np.median(sharp[sharp > 0])) if (sharp > 0).any() else 0.0
        own = np.diag(scene.edges)
        strong = float(np.median(own[np.isfinite(own)])) if np.isfinite(own).any() else 0.0
        for v, value in enumerate(sharp):
            least = max(SHARP, BESIDE * usual)
            if 0 < value < least:
                yield Finding(f"{scene.name} view {v}", f"its edges are soft: sharpness {value:.2f} of {least:.2f}")
            elif v < len(own) and own[v] < FAINTER * strong:
                told = f"its outlines are faint: {own[v]:.1f} levels, {strong:.1f} in the scene"
                yield Finding(f"{scene.name} view {v}", told)


@CHECKS.check(ERROR, "Colours that change from view to view tell nothing of the object.", SCENES)
def scene_colors_steady(e: SceneEvidence) -> Iterator[Finding]:
    """Parts and floor have in every view the colours of the other views, in no other order of red, green and blue.

    The fake renderer paints the floor of a scene in one colour.
    """
    flat = e.tree.renderer == "fake"
    for scene in e.scenes:
        floor = scene.colors[:, 0]
        if flat and np.isfinite(floor).any():
            for v, off in enumerate(np.abs(floor - np.nanmedian(floor, axis=0)).max(axis=-1)):
                if off > PAINTED:
                    yield Finding(f"{scene.name} view {v}", f"its floor is {off:.0f} levels off the other views'")
        for v in _without_colour(scene):
            yield Finding(f"{scene.name} view {v}", "is grey, the other views are not")
        tints = view_tints(scene)
        for v in range(len(tints)):
            told = np.isfinite(tints[v]).all(axis=-1) & (np.isfinite(tints).all(axis=-1).sum(axis=0) > 2)
            if not told.any():
                continue
            usual = np.nanmedian(tints[:, told], axis=0)
            own, other = order_errors(tints[v, told], usual)
            if own > APART and own > LIKELIER * other:
                yield Finding(
                    f"{scene.name} view {v}", f"its channels are exchanged ({own:.2f} off, {other:.2f} if not)"
                )


def _without_colour(scene: SceneFacts) -> Iterator[int]:
    """Views in which nothing has a colour of what has some in the scene's other views."""
    spread = scene.colors.max(axis=-1) - scene.colors.min(axis=-1)
    for v, own in enumerate(spread):
        others = np.delete(spread, v, axis=0)
        seen = np.isfinite(own) & np.isfinite(others).any(axis=0)
        if seen.any():
            coloured = own[seen][np.nanmedian(others[:, seen], axis=0) > COLOURED]
            if len(coloured) and coloured.max() < GREY:
                yield v


def view_tints(scene: SceneFacts) -> np.ndarray:
    """Tints (V, R + 1, 3) of the scene's mean colours: logarithms of linear levels about their mean."""
    return tints_of(linear_from_srgb(scene.colors / 255))


def tints_of(linear: np.ndarray) -> np.ndarray:
    """Tints (..., 3) of linear colours (..., 3)."""
    levels = np.log(np.maximum(linear, DARKEST))
    found: np.ndarray = levels - levels.mean(axis=-1, keepdims=True)
    return found


def order_errors(tints: np.ndarray, wanted: np.ndarray, tint: float = 1.0) -> tuple[float, float]:
    """Mean squared distance of tints (N, 3) from those wanted: as they are, and in the best of the wrong orders.

    What they are off alike, as light of one colour makes it, counts `tint` times.
    """

    def error(found: np.ndarray) -> float:
        off = found - wanted
        alike = off.mean(axis=0)
        return float(((off - alike) ** 2).sum(axis=-1).mean() + tint * (alike**2).sum())

    return error(tints), min(error(tints[:, order]) for order in ORDERS)


@CHECKS.check(ERROR, "A strip of another scene misleads whoever looks through the folders.", SCENES)
def scene_strip(e: SceneEvidence) -> Iterator[Finding]:
    """scene.jpg shows views 0, 4, 8, 12 and 16 of its own scene, with boxes on what is odd."""
    for scene in e.scenes:
        if scene.strip_differs > STRIP_LEVELS:
            yield Finding(f"{scene.name}/scene.jpg", f"differs from its views by {scene.strip_differs:.1f} levels")
