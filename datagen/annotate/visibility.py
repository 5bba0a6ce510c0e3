"""Is a view worth paying Cycles for? Decided by ray casting (paper, section 3.2, view selection)."""

import numpy as np

from datagen.annotate.masks import BOX_GRID, Annotation, annotate_view
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.camera import Camera
from datagen.core.scene import GeometryFrame
from datagen.geometry.sample import grid_samples
from datagen.recipe.models import Recipe

MIN_MASK_PX = 30.0
"""Pixels of the part that must show on either side, at 256 px: less is a part swallowed by another."""


def check_object(frame: GeometryFrame, recipe: Recipe) -> Rejected | None:
    """The object is inside the frame, neither cut nor tiny."""
    seen = frame.silhouette
    if seen[0].any() or seen[-1].any() or seen[:, 0].any() or seen[:, -1].any():
        return Rejected("cut_by_frame")
    if seen.mean() < recipe.quality.min_object_share:
        return Rejected("tiny_object", f"{seen.mean():.4f} of the picture")
    return None


def check_anomaly(
    shape: AnomalousShape,
    T_query: np.ndarray,
    camera: Camera,
    normal: GeometryFrame,
    anomalous: GeometryFrame,
    recipe: Recipe,
) -> Annotation | Rejected:
    """The annotation of a view that shows the anomaly, or why it does not.

    `T_query` (4, 4) takes the shape's frame to the query scene that the camera and frames live in.
    """
    pixel = (camera.size_px / 256) ** 2
    for frame in (normal, anomalous):
        rejection = check_object(frame, recipe)
        if rejection:
            return rejection
    view = annotate_view(normal, anomalous, shape, union_box=recipe.anomaly.broken.box_is_union)
    if view is None:
        return Rejected("hidden", "the part is not seen")
    for one, note in zip(shape.each or (shape,), view.each or (view,), strict=True):
        why = _check_masks(note, recipe.anomaly.min_changed_px * pixel, 0.0 if one.local else MIN_MASK_PX * pixel)
        why = why or _check_remaining(one, normal, anomalous, recipe)
        if why:
            return why
    shifts = (_check_shift(one, T_query, camera, recipe) for one in shape.each or (shape,))
    return _check_box(view, recipe) or next((why for why in shifts if why), None) or view


def _check_masks(view: Annotation, least: float, of_part: float) -> Rejected | None:
    """`least` changed pixels, and `of_part` pixels of the part on either side."""
    if view.changed.sum() < least:
        return Rejected("hidden", f"{int(view.changed.sum())} changed pixels")
    if view.mask_old.sum() < max(of_part, 1.0):
        return Rejected("hidden", f"{int(view.mask_old.sum())} pixels of the old part")
    if view.mask_new is not None and view.mask_new.sum() < of_part:
        return Rejected("swallowed", f"{int(view.mask_new.sum())} pixels of the new part")
    return None


def _check_remaining(
    shape: AnomalousShape, normal: GeometryFrame, anomalous: GeometryFrame, recipe: Recipe
) -> Rejected | None:
    if shape.spec.kind != "missing":
        return None
    remaining = anomalous.silhouette.sum() / normal.silhouette.sum()
    if remaining < recipe.anomaly.missing.min_remaining:
        return Rejected("too_much", f"{remaining:.2f} of the visible surface remains")
    return None


def _check_box(view: Annotation, recipe: Recipe) -> Rejected | None:
    x, y, w, h = view.bbox_xywh_512
    margin = recipe.quality.margin_px * BOX_GRID / 256
    centre = np.array([x + w / 2, y + h / 2])
    if (centre < margin).any() or (centre > BOX_GRID - margin).any():
        return Rejected("box_at_edge", f"centre {centre.tolist()} on the 512 grid")
    return None


def _check_shift(shape: AnomalousShape, T_query: np.ndarray, camera: Camera, recipe: Recipe) -> Rejected | None:
    if shape.spec.kind != "position":
        return None
    points = grid_samples(shape.old_mesh.transformed(T_query), 400)
    before, _ = camera.project(points)
    after, _ = camera.project(points + T_query[:3, :3] @ np.array(shape.spec.values["translation"]))
    shift = float(np.median(np.linalg.norm(after - before, axis=1)))
    limit = recipe.anomaly.position.min_shift_px * camera.size_px / 256
    return Rejected("small_shift", f"{shift:.1f} px of {limit:.1f}") if shift < limit else None
