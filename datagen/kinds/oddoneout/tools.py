"""What jobs on scenes may use beside the shapes: floors, environments, weights, plug-ins, the rigid-body simulation."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from datagen.anomalies.fracture import open_plugin
from datagen.core.errors import MaterialError, MissingDependency
from datagen.core.folders import cache_root
from datagen.core.material import Material
from datagen.kinds.oddoneout.descriptors import Descriptor, check_descriptor, open_descriptor
from datagen.kinds.oddoneout.plan import ScenePlan
from datagen.materials.library import MaterialLibrary
from datagen.materials.open import open_floors
from datagen.pipeline.context import Context
from datagen.pipeline.warned import Warned
from datagen.render.blender.client import BlenderProcess
from datagen.scenes.poses import Physics
from datagen.scenes.skies import check_image_world, check_world, listed_worlds


@dataclass
class SceneTools(Context):
    """Floors, poses, descriptors and the rigid-body simulation."""

    plan: ScenePlan
    _physics: BlenderProcess | None = None

    @cached_property
    def floors(self) -> MaterialLibrary:
        """Floors of scenes. Raises MissingDependency."""
        return open_floor_library(self.plan)

    @property
    def pose_cache(self) -> Path:
        """Where resting poses are kept, by mesh hash."""
        return cache_root() / "poses"

    @cached_property
    def descriptor(self) -> Descriptor:
        """What tells how alike two shapes look. Raises MissingDependency."""
        return open_descriptor(self.plan.recipe.anomaly.similar, cache_root() / "features")

    @property
    def sky_cache(self) -> Path:
        """Where environments that are made here are kept."""
        return cache_root()

    def open_physics(self) -> Physics:
        """The rigid-body simulation: the renderer's Blender where there is one, else one of our own."""
        if isinstance(self.renderer, Physics):
            return self.renderer
        if self._physics is None:
            self._physics = BlenderProcess()
        return self._physics

    def prepared_material(self, material: Material) -> Material:
        """A material of a palette with its maps on disk: its own, or the library's under its own scale."""
        if material.material_id not in self._library_ids:
            return material
        return replace(self.prepared(self.library, material.material_id), tile_size=material.tile_size)

    def floor(self, material_id: str) -> Material:
        """A floor, its maps on disk. Raises MaterialError; raises MissingDependency."""
        return self.prepared(self.floors, material_id)

    @cached_property
    def _library_ids(self) -> frozenset[str]:
        return frozenset(m.material_id for m in self.library.materials)


def open_floor_library(plan: ScenePlan) -> MaterialLibrary:
    """The floors of a recipe of scenes. Raises MissingDependency."""
    try:
        return open_floors(plan.recipe.light.floors, plan.recipe.seed)
    except MaterialError as error:
        raise MissingDependency(f"light.floors: {error.args[0]}") from error


def check_assets(plan: ScenePlan) -> tuple[Warned, ...]:
    """Floors, environments, weights and plug-ins that a recipe names. Raises MissingDependency, UsageError."""
    open_floor_library(plan)
    for name in listed_worlds(plan.recipe.light.worlds):
        check_world(name)
        if Path(name).suffix:
            check_image_world(name)
    check_descriptor(plan.recipe.anomaly.similar)
    if plan.recipe.anomaly.plugin:
        open_plugin(plan.recipe.anomaly.plugin)
    return ()
