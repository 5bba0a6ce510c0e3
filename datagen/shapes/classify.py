"""Part classes of unlabelled parts: from their names, else from where they stand."""

import re
from collections.abc import Sequence

import numpy as np

from datagen.core.shape import Mesh

# First match wins: `backleg` is a leg, `seat_support` is no seat. Digits and case are ignored.
_NAME_RULES: tuple[tuple[str, str], ...] = (
    (r"foot_?rest|ottoman", "Footrest"),
    (r"stretcher|rung|cross_?bar|brace|screw|bolt|nut\b|knob|lever", "Other"),
    (r"leg|wheel|caster|castor", "Leg"),
    (r"arm_?rest|(?<![a-z])arms?(?![a-z])", "Arm"),
    (r"pedestal|rocker|runner|(?<![a-z])(foot|feet|base)(?![a-z])", "SurfaceBase"),
    (r"back.*(support|bracket)|lumbar", "BackSupport"),
    (r"back.*(frame|post|stile)", "BackFrame"),
    (r"back|slat|spindle|splat", "BackSurface"),
    (r"seat.*support", "SeatSupport"),
    (r"seat.*(frame|rail)|apron", "SeatFrame"),
    (r"seat|cushion|sitting", "SeatSurface"),
)
PART_WORD = re.compile("|".join(f"(?:{pattern})" for pattern, _ in _NAME_RULES) + "|frame|top|table|panel|shelf|nut")


def class_from_name(name: str) -> str | None:
    """The class that a part's name tells, or None."""
    text = re.sub(r"[\d.]+", " ", name.lower()).replace("-", "_")
    return next((part_class for pattern, part_class in _NAME_RULES if re.search(pattern, text)), None)


def classes_from_geometry(meshes: Sequence[Mesh]) -> tuple[str, ...]:
    """Classes of a whole shape's parts (z up) from boxes alone; 'Other' where nothing fits.

    The seat is the largest flat horizontal part above the ground; what stands thin and upright on the
    ground is a leg; what rises above the seat and is broad is back.
    """
    bounds = np.array([mesh.bounds for mesh in meshes])
    low, high = bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)
    extent = np.maximum(high - low, 1e-12)
    lo, hi = (bounds[:, 0] - low) / extent, (bounds[:, 1] - low) / extent
    size = bounds[:, 1] - bounds[:, 0]
    seat = _seat(lo, hi, size, extent)
    if seat is None:
        return ("Other",) * len(meshes)
    level = (lo[seat, 2] + hi[seat, 2]) / 2
    classes = [_other_class(lo[k], hi[k], size[k], extent, level) for k in range(len(meshes))]
    classes[seat] = "SeatSurface"
    frames = [k for k in range(len(meshes)) if classes[k] == "Leg" and _is_frame(hi[k], size[k], extent, level)]
    if len(frames) == 1:
        # One broad ladder from the ground to above the seat is the back; two are the chair's sides.
        classes[frames[0]] = "BackFrame"
    return tuple(classes)


def _seat(lo: np.ndarray, hi: np.ndarray, size: np.ndarray, extent: np.ndarray) -> int | None:
    footprint = size[:, 0] * size[:, 1] / (extent[0] * extent[1])
    flat = size[:, 2] < 0.45 * np.minimum(size[:, 0], size[:, 1])
    candidates = np.where(flat & (lo[:, 2] > 0.12) & (footprint > 0.2), footprint, 0.0)
    # Of two boards of one size the upper one is sat on.
    best = candidates * (1 + 0.3 * hi[:, 2])
    if best.max() > 0:
        return int(best.argmax())
    # No board: a moulded shell, broad and well off the ground, is seat and back in one.
    shells = np.where((lo[:, 2] > 0.2) & (footprint > 0.2), footprint, 0.0)
    return int(shells.argmax()) if shells.max() > 0 else None


def _is_frame(hi: np.ndarray, size: np.ndarray, extent: np.ndarray, seat: float) -> bool:
    return bool(hi[2] > seat + 0.2 and max(size[0], size[1]) > 0.6 * max(extent[0], extent[1]))


def _other_class(lo: np.ndarray, hi: np.ndarray, size: np.ndarray, extent: np.ndarray, seat: float) -> str:
    tall, thin = size[2] / extent[2], min(size[0], size[1]) / max(extent[0], extent[1])
    if lo[2] < 0.06 and thin < 0.3 and tall > 0.2:
        return "Leg"
    broad = max(size[0], size[1]) > 0.35 * max(extent[0], extent[1])
    if lo[2] > seat - 0.08 and hi[2] > seat + 0.12 and broad and thin < 0.45:
        return "BackSurface"
    return "Other"


def group_of(name: str, part_class: str) -> str:
    """A key shared by parts that belong together: the name without numbers and sides, else the class."""
    text = re.sub(r"[\d.]+|(?<![a-z])(left|right|front|back|rear|l|r|fl|fr|bl|br)(?![a-z])", "", name.lower())
    words = [word for word in re.split(r"[^a-z]+", text) if word]
    stem = "_".join(words)
    if stem and stem not in ("part", "component", "mesh", "object", "node", "geometry", "new", "original"):
        return stem
    return part_class if part_class != "Other" else ""
