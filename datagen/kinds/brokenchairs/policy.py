"""What chairs want of anomalies: parts by their category's frequencies, above the ground, within the frame, visible."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.anomalies.common import sunk
from datagen.anomalies.operator import DonorPool, Setting
from datagen.anomalies.registry import settings
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.errors import UsageError
from datagen.core.shape import REMAINDER_PATH, Mesh, Part, Shape
from datagen.kinds.brokenchairs.joints import like_a_joint
from datagen.kinds.brokenchairs.measured import refuse_by_size, span_of
from datagen.recipe.anomaly_slots import AnomalyRecipe
from datagen.recipe.categories import Categories
from datagen.recipe.inspection import ToleranceRecipe, matched
from datagen.recipe.models import JointRecipe, Recipe

GROUND_TOLERANCE = 0.006
"""How far a part may sink below the ground before it is cut there, object units (under one pixel)."""
OFF_GROUND = 0.02
"""How far above the ground the lowest point of a changed shape may be, object units."""
FRAME_RADIUS = 1.06
"""A part beyond this distance from the centre can leave the frame of a query (0.883 of 0.902 units)."""
RIGID = ("position", "rotation")
"""Kinds that move a part as it is."""


@dataclass(frozen=True)
class ChairPolicy:
    """The anomaly section of a recipe as a policy, for shapes of its categories."""

    recipe: AnomalyRecipe
    categories: Categories
    joints: JointRecipe
    tolerance: ToleranceRecipe | None = None
    """What the drawing allows; None where nothing is measured."""
    nominal: Shape | None = None
    """The shape with every part in its place; None: as operators are given it."""
    on_tray: bool = False
    """Whether whole shapes lie off the middle of a tray, or turned."""

    def settings(self, kind: str) -> Any:
        """The section of a kind."""
        return settings(self.recipe, kind)

    def choose_part(self, shape: Shape, kind: str, rng: np.random.Generator) -> Part | Rejected:
        """A part drawn by its category's weights of (kind, class), which for chairs are the published frequencies.

        Within a class every part is alike. Remainders of the part tree are never chosen unless the
        shape has nothing else. Patterns of part names, where the recipe has them, decide alone.
        """
        patterns = self.recipe.parts.get(kind) or (
            dict.fromkeys(self.recipe.swapped.variants, 1.0) if kind == "swapped" else {}
        )
        if patterns:
            return _by_pattern(shape, patterns, rng)
        parts = [part for part in shape.parts if part.path != REMAINDER_PATH] or list(shape.parts)
        classes = sorted({part.part_class for part in parts})
        table = self.recipe.weights.get(kind) or self.categories.of(shape.category).chances(kind)
        mass = np.array([max(float(table.get(name, 0.0)), 0.0) for name in classes])
        if mass.sum() == 0:
            mass = np.ones(len(classes))
        name = classes[int(rng.choice(len(classes), p=mass / mass.sum()))]
        of_class = [part for part in parts if part.part_class == name]
        return of_class[int(rng.integers(len(of_class)))]

    def misplaced(self, shape: Shape, mesh: Mesh) -> Rejected | None:
        """Rejection of a mesh that sinks into the ground or leaves the frame."""
        low = sunk(shape, mesh, GROUND_TOLERANCE)
        if low is not None:
            return low
        reach = float(np.linalg.norm(mesh.vertices - shape.centre, axis=1).max())
        return Rejected("leaves_frame", f"reaches {reach:.3f} of {FRAME_RADIUS}") if reach > FRAME_RADIUS else None

    def refuse(self, made: AnomalousShape) -> Rejected | None:
        """Rejection of what is out of place, hardly differs, takes away a trifle or half of the whole, or is within
        tolerance."""
        why = self._refuse_by_looks(made)
        if why is not None or self.tolerance is None or not made.normal.mm:
            return why
        return refuse_by_size(made, self.nominal or made.normal, self.tolerance, self.recipe)

    def _refuse_by_looks(self, made: AnomalousShape) -> Rejected | None:
        if made.spec.part_id == 0:
            return self._refuse_whole(made)
        if made.new_mesh is None:
            return self._refuse_missing(made)
        if made.method in ("variant", "local"):
            return self.misplaced(made.normal, made.new_mesh)
        return self._refuse_moved(made, made.new_mesh) if made.method in ("rigid", "fitted") else None

    def _refuse_whole(self, made: AnomalousShape) -> Rejected | None:
        low = min(float(mesh.bounds[0, 2]) for _, mesh in made.meshes()) - float(made.normal.bounds[0, 2])
        if low > OFF_GROUND:
            return Rejected("off_ground", f"what is left hangs {low:.3f} above the ground")
        found = (self.misplaced(made.normal, mesh) for _, mesh in made.meshes())
        return next((why for why in found if why is not None), None)

    def _refuse_missing(self, made: AnomalousShape) -> Rejected | None:
        share, limits = made.severity, self.recipe.missing
        if share < limits.min_area:
            return Rejected("too_small", f"{share:.4f} of the surface")
        if 1 - share < limits.min_remaining:
            return Rejected("too_much", f"{share:.2f} of the surface would be gone")
        return None

    def _refuse_moved(self, made: AnomalousShape, mesh: Mesh) -> Rejected | None:
        if self.on_tray and made.spec.kind in RIGID and len(made.normal.parts) == 1:
            return Rejected("nothing_beside", "it is the only part, which may lie anywhere on the tray")
        misplaced = self.misplaced(made.normal, mesh)
        if misplaced is not None:
            return misplaced
        mean, most = made.measures["mean_distance"], made.measures["p95_distance"]
        # A long bar slid along itself covers its old place: too little of its surface is anywhere new.
        is_told = span_of(self.recipe, made.spec.kind) is not None
        if made.spec.kind == "position" and not is_told and most < 0.01 * made.normal.diagonal:
            return Rejected("hardly_moved", f"95 % of the surface within {most:.4f}")
        if made.spec.kind in RIGID and (why := like_a_joint(made, self.joints.unlike)) is not None:
            return why
        limit = self.recipe.rotation.min_distance * made.old_mesh.diagonal
        if made.spec.kind == "rotation" and not is_told and mean < limit:
            return Rejected("symmetric", f"surface moved {mean:.4f} of {limit:.4f}")
        limit = self.recipe.swapped.min_distance * made.normal.diagonal
        if made.spec.kind == "swapped" and most < limit:
            return Rejected("nearly_same", f"surface distance {most:.4f} of {limit:.4f}")
        return None


def _by_pattern(shape: Shape, patterns: Mapping[str, float], rng: np.random.Generator) -> Part | Rejected:
    """A part by the weight of the first pattern that its name fits."""
    weights = {part.part_id: matched((part.name, part.path), patterns) or 0.0 for part in shape.parts}
    mass = np.array([weights[part.part_id] for part in shape.parts])
    if mass.sum() == 0:
        return Rejected("no_part", f"no part fits {', '.join(patterns)}")
    return shape.parts[int(rng.choice(len(shape.parts), p=mass / mass.sum()))]


def chair_setting(recipe: Recipe, donors: DonorPool, nominal: Shape | None = None) -> Setting:
    """All that operators may draw on for a shape; `nominal` has every part in its place."""
    anomaly = recipe.anomaly
    tolerance = recipe.tolerance if recipe.units else None
    tray = recipe.variation.tray
    on_tray = bool(recipe.units and (tray.turn_deg or tray.shift_mm))
    policy = ChairPolicy(anomaly, recipe.categories, recipe.joints, tolerance, nominal, on_tray)
    return Setting(policy, donors=donors, plugin=anomaly.plugin)


class NoDonors:
    """A pool for single shapes: nothing can be swapped in."""

    def candidates(self, part_class: str, shape_id: str) -> tuple[str, ...]:
        """None."""
        return ()

    def load(self, shape_id: str) -> Shape:
        """Raises UsageError: there is none."""
        raise UsageError(f"{shape_id}: a single shape has no donors; build a collection to get swaps")


def offered(recipe: Recipe) -> Setting:
    """What chairs offer to operators, as long as there are none: they get their materials after the anomaly."""
    return chair_setting(recipe, NoDonors())


alone = offered
"""What operators may draw on for a shape without its collection."""
