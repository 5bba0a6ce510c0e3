"""Part classes of unlabelled parts, by a category's rules: from their names, else from where they stand."""

import re
from collections.abc import Sequence

import numpy as np

from datagen.core.shape import Mesh
from datagen.recipe.category import Category
from datagen.recipe.part_rules import AnchorRule, BoxRule


def is_part_name(name: str, category: Category) -> bool:
    """Whether a file's name is that of a part of such shapes."""
    told = class_from_name(name, category) is not None
    return told or any(re.search(pattern, name) for pattern in category.part_words)


def class_from_name(name: str, category: Category) -> str | None:
    """The class that a part's name tells, or None. A category without rules for names has the words of its labels."""
    text = re.sub(r"[\d.]+", " ", name.lower()).replace("-", "_")
    if not category.name_rules:
        words = [word for word in category.names if re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text)]
        return category.names[max(words, key=len)] if words else None
    return next((part_class for pattern, part_class in category.name_rules if re.search(pattern, text)), None)


def classes_from_geometry(meshes: Sequence[Mesh], category: Category) -> tuple[str, ...]:
    """Classes of a whole shape's parts (z up) from boxes alone; 'Other' where nothing fits."""
    geometry = category.geometry
    if geometry is None:
        return ("Other",) * len(meshes)
    bounds = np.array([mesh.bounds for mesh in meshes])
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)
    extent = np.maximum(high - low, 1e-12)
    lo, hi = (bounds[:, 0] - low) / extent, (bounds[:, 1] - low) / extent
    size = bounds[:, 1] - bounds[:, 0]
    anchor = next((k for rule in geometry.anchors if (k := _anchor(rule, lo, hi, size, extent)) is not None), None)
    if anchor is None:
        return ("Other",) * len(meshes)
    level = (lo[anchor, 2] + hi[anchor, 2]) / 2

    def within(rule: BoxRule, k: int) -> bool:
        return _within(rule, lo[k], hi[k], size[k], extent, level)

    classes = [
        next((rule.part_class for rule in geometry.rules if within(rule, k)), "Other") for k in range(len(meshes))
    ]
    classes[anchor] = geometry.anchor
    for rule in geometry.single:
        found = [k for k in range(len(meshes)) if rule.among in ("", classes[k]) and within(rule, k)]
        if len(found) == 1:
            classes[found[0]] = rule.part_class
    return tuple(classes)


def _anchor(rule: AnchorRule, lo: np.ndarray, hi: np.ndarray, size: np.ndarray, extent: np.ndarray) -> int | None:
    """Number of the part that others are told by, or None."""
    footprint = size[:, 0] * size[:, 1] / (extent[0] * extent[1])
    fits = (lo[:, 2] > rule.low) & (footprint > rule.footprint)
    if rule.flat is not None:
        fits &= size[:, 2] < rule.flat * np.minimum(size[:, 0], size[:, 1])
    best = np.where(fits, footprint, 0.0) * (1 + rule.prefer_high * hi[:, 2])
    return int(best.argmax()) if best.max() > 0 else None


def _within(rule: BoxRule, lo: np.ndarray, hi: np.ndarray, size: np.ndarray, extent: np.ndarray, level: float) -> bool:
    """Whether a part's box, as shares of the shape's, is within the bounds of a rule; `level` is the anchor's."""
    across = max(extent[0], extent[1])
    narrow, wide = min(size[0], size[1]), max(size[0], size[1])
    over: tuple[tuple[float, float | None], ...] = (
        (lo[2], rule.low_above),
        (hi[2], rule.high_above),
        (size[2] / extent[2], rule.tall_above),
        (wide, None if rule.broad_above is None else rule.broad_above * across),
        (lo[2], None if rule.over_anchor is None else level + rule.over_anchor),
        (hi[2], None if rule.reaches_over_anchor is None else level + rule.reaches_over_anchor),
    )
    under: tuple[tuple[float, float | None], ...] = (
        (lo[2], rule.low_below),
        (narrow / across, rule.thin_below),
        (size[2], None if rule.flat_below is None else rule.flat_below * narrow),
    )
    exceeds = all(bound is None or value > bound for value, bound in over)
    return exceeds and all(bound is None or value < bound for value, bound in under)


def group_of(name: str, part_class: str) -> str:
    """A key shared by parts that belong together: the name without numbers and sides, else the class."""
    text = re.sub(r"[\d.]+|(?<![a-z])(left|right|front|back|rear|l|r|fl|fr|bl|br)(?![a-z])", "", name.lower())
    words = [word for word in re.split(r"[^a-z]+", text) if word]
    stem = "_".join(words)
    if stem and stem not in ("part", "component", "mesh", "object", "node", "geometry", "new", "original"):
        return stem
    return part_class if part_class != "Other" else ""
