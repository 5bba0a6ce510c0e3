"""What shapes and jobs of scenes may use besides what every job may: floors, poses, descriptors, physics."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from datagen.core.cache import cache_root
from datagen.core.material import Material
from datagen.kinds.oddoneout.assets import open_floor_library
from datagen.kinds.oddoneout.descriptors import Descriptor, open_descriptor
from datagen.kinds.oddoneout.plan import ScenePlan
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.context import Context
from datagen.render.blender.client import BlenderProcess
from datagen.scenes.poses import Physics


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
