"""What scenes want of anomalies: parts of a fitting size, and objects that do not fall apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.anomalies.common import MAX_REACH, comes_loose
from datagen.anomalies.operator import Setting
from datagen.anomalies.registry import settings
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.errors import UsageError
from datagen.core.material import Material
from datagen.core.shape import REMAINDER_PATH, Mesh, Part, Shape
from datagen.recipe.scenes import SceneAnomalyRecipe, SceneRecipe


@dataclass(frozen=True)
class ScenePolicy:
    """The anomaly section of a recipe as a policy."""

    recipe: SceneAnomalyRecipe

    def settings(self, kind: str) -> Any:
        """The section of a kind."""
        return settings(self.recipe, kind)

    def choose_part(self, shape: Shape, kind: str, rng: np.random.Generator) -> Part | Rejected:
        """A part of a fitting share of the surface, each alike; never the remainder of a segmentation."""
        low, high = self.recipe.material.area if kind == "material" else self.recipe.move.area
        parts = [p for p in shape.parts if p.path != REMAINDER_PATH and low <= p.mesh.area / shape.area <= high]
        if len(shape.parts) < 2 or not parts:
            return Rejected("no_part", f"{len(shape.parts)} parts, none of {low} to {high} of the surface")
        return parts[int(rng.integers(len(parts)))]

    def misplaced(self, shape: Shape, mesh: Mesh) -> Rejected | None:
        """Nowhere: objects are laid down once they are made."""
        return None

    def refuse(self, made: AnomalousShape) -> Rejected | None:
        """Rejection of what comes loose, hardly differs, reaches too far, or takes away a trifle or half."""
        move = self.recipe.move
        if made.gone and made.spec.part_id:
            return self._refuse_missing(made)
        if made.method == "rigid":
            loose = comes_loose(made.normal, made.shape, move.loose)
            if loose is not None:
                return loose
            if made.severity < move.min_distance:
                return Rejected("hardly_changed", f"the part lies {made.severity:.4f} of D from its old place")
            reach = max(
                float(np.linalg.norm(mesh.vertices - made.normal.centre, axis=1).max()) for _, mesh in made.meshes()
            )
            return Rejected("too_large", f"reaches {reach:.2f} of {MAX_REACH}") if reach > MAX_REACH else None
        return comes_loose(made.normal, made.shape, move.loose) if made.spec.kind == "broken" else None

    def _refuse_missing(self, made: AnomalousShape) -> Rejected | None:
        low, high = self.recipe.move.area
        if not low <= made.severity <= high:
            return Rejected("impractical", f"{made.severity:.3f} of the surface would be gone")
        loose = comes_loose(made.normal, made.shape, self.recipe.move.loose)
        return Rejected("impractical", loose.detail) if loose is not None else None


def alone(recipe: SceneRecipe) -> Setting:
    """All that operators may draw on for a shape without its collection and the materials of scenes."""
    return Setting(ScenePolicy(recipe.anomaly), plugin=recipe.anomaly.plugin)


class NoNeighbours:
    """Stands for the neighbours that a plan's shapes will have."""

    def nearest(self, shape: Shape) -> tuple[str, ...]:
        """None."""
        return ()

    def load(self, shape_id: str) -> Shape:
        """Raises UsageError: there is none."""
        raise UsageError(f"{shape_id}: a single shape has no neighbours; build a collection")


def offered(recipe: SceneRecipe) -> Setting:
    """What scenes offer to operators: objects that wear materials, and descriptors of the split's shapes."""
    some = (Material("any", "plastic"),)
    return Setting(ScenePolicy(recipe.anomaly), neighbours=NoNeighbours(), materials=some)
