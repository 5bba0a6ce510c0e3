"""Broken part: subtract a random sphere or box by a boolean (paper, section 3.1 (3))."""

from dataclasses import dataclass

import numpy as np

from datagen.anomalies.common import broken_skin, numbers, rebuilt, with_inside
from datagen.anomalies.operator import Setting
from datagen.anomalies.sizes import drawn, no_unit
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.rng import random_rotation
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.clean import clean
from datagen.geometry.cut import Cut, cutter_mesh, inside, subtract
from datagen.geometry.sample import distances, grid_samples, sample_surface
from datagen.geometry.solid import SolidPart, solidify_part
from datagen.recipe.anomalies import BrokenRecipe
from datagen.recipe.section import Range

KEEP_TOLERANCE = 0.012
"""Base tolerance of the result checks, object units; 1 % of the part's diagonal is added."""


@dataclass(frozen=True)
class Subtract:
    """Takes a roughened sphere or box from a part. Severity is the removed share of the part's volume."""

    name: str = "broken"
    on_part = True
    needs = frozenset[str]()

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """A cutter centred on the part's surface, sized so that it takes the aimed share of that surface."""
        assert part is not None
        settings: BrokenRecipe = setting.policy.settings(self.name)
        primitive = "box" if rng.random() < settings.box_share else "sphere"
        points, _ = sample_surface(part.mesh, 1500, rng)
        centre = points[rng.integers(len(points))]
        rotation = random_rotation(rng)
        aspect = rng.uniform(0.75, 1.35, 3) if primitive == "box" else rng.uniform(0.9, 1.15, 3)
        mm3 = getattr(settings, "mm3", None)
        if mm3 is not None:
            if not shape.mm:
                return no_unit(shape)
            size = _size_of(drawn(mm3, rng) * shape.mm**3, primitive, aspect)
        else:
            local = np.abs((points - centre) @ rotation) / aspect
            reach = local.max(axis=1) if primitive == "box" else np.linalg.norm(local, axis=1)
            # The cutter grows until it holds the aimed share of the part's surface samples.
            size = max(float(np.quantile(reach, rng.uniform(*settings.aimed))), 0.02)
        values = {
            "primitive": primitive,
            "centre": numbers(centre),
            "half_extents": numbers(size * aspect),
            "rotation": [numbers(row) for row in rotation],
            "roughness": round(float(rng.uniform(*settings.roughness)), 9),
            "noise_seed": int(rng.integers(2**31)),
        }
        return AnomalySpec(self.name, part.part_id, part.part_class, values)

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The part without what the cutter takes, its cut face closed; judged by result, not by status."""
        part, values = shape.part(spec.part_id), spec.values
        solid = solidify_part(part.mesh)
        if solid is None:
            return Rejected("no_solid", "no repair path gave a solid that keeps the surface")
        centre = np.array(values["centre"])
        cutter = cutter_mesh(
            values["primitive"],
            centre,
            np.array(values["half_extents"]),
            np.array(values["rotation"]),
            values["roughness"],
            values["noise_seed"],
        )
        cut = subtract(solid, cutter)
        settings: BrokenRecipe = setting.policy.settings(self.name)
        mm3 = getattr(settings, "mm3", None)
        limits = settings.removed if mm3 is None else _shares(mm3, shape, solid)
        rejection = _judge(part, solid, cutter, centre, cut, limits)
        if rejection or cut is None:
            return rejection or Rejected("nothing_left")
        after = rebuilt(shape, {part.part_id: (cut.mesh, broken_skin(part, cut.mesh, cut.made_by_cutter))})
        return AnomalousShape(
            spec=spec,
            normal=shape,
            shape=with_inside(after),
            changed={part.part_id: cut.made_by_cutter},
            severity=float(cut.removed),
            method=solid.method,
            measures={
                "removed": float(cut.removed),
                "removed_volume": float(cut.removed * solid.volume),
                "cut_faces": float(cut.made_by_cutter.sum()),
            },
        )


def _size_of(volume: float, primitive: str, aspect: np.ndarray) -> float:
    """Size of a cutter half of which has this volume: its middle lies on the surface."""
    whole = float(np.prod(aspect)) * (8.0 if primitive == "box" else 4 / 3 * np.pi)
    return float(np.cbrt(2 * volume / whole))


def _shares(mm3: Range, shape: Shape, solid: SolidPart) -> Range:
    """Cubic millimetres as shares of the part's volume."""
    share = shape.mm**3 / solid.volume
    return mm3[0] * share, mm3[1] * share


def _judge(
    part: Part, solid: SolidPart, cutter: Mesh, centre: np.ndarray, cut: Cut | None, limits: Range
) -> Rejected | None:
    """Non-empty, the right share gone, a cut face, the kept surface there, nothing new, nothing left inside."""
    if cut is None:
        return Rejected("nothing_left", f"the cutter took all of it ({solid.method})")
    low, high = limits
    if not low <= cut.removed <= high:
        return Rejected("removed_share", f"{cut.removed:.3f} of the volume is outside {low:.3g}..{high:.3g}")
    if not cut.made_by_cutter.any():
        return Rejected("no_cut_face", f"no face of the cutter in the result ({solid.method})")
    before = clean(part.mesh)
    tolerance = KEEP_TOLERANCE + 0.01 * before.diagonal
    old, new = grid_samples(before, 3000), grid_samples(cut.mesh, 6000)
    kept = old[~inside(cutter, centre, old)]
    if len(kept) and (distances(kept, new) > 2 * tolerance).mean() > 0.05:
        return Rejected("lost_surface", f"part of what should stay is gone ({solid.method})")
    deep = inside(cutter, centre, new) & (distances(new, grid_samples(cutter, 20_000)) > 2 * tolerance)
    if deep.mean() > 0.05:
        return Rejected("uncut", f"{deep.mean():.2f} of the result lies inside the cutter ({solid.method})")
    return None
