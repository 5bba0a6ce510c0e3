"""What the stages of a job need: the plan, the renderer and the caches, with nothing hidden in globals."""

import hashlib
import importlib.metadata
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from datagen.core.cache import cache_root
from datagen.core.ids import canonical_json
from datagen.core.material import Material
from datagen.core.scene import Light
from datagen.core.shape import Shape
from datagen.materials.library import MaterialLibrary, listed
from datagen.pipeline.assets import open_floor_library
from datagen.pipeline.descriptors import Descriptor, open_descriptor
from datagen.pipeline.plan import Plan
from datagen.pipeline.plans import AnyPlan
from datagen.pipeline.scene_plan import ScenePlan
from datagen.recipe import Recipe
from datagen.render.blender.client import BlenderProcess
from datagen.render.protocol import Renderer
from datagen.scenes.lights import light_setups
from datagen.scenes.poses import Physics

if TYPE_CHECKING:
    from datagen.pipeline.scene_shapes import SceneShapes

VERSIONED = ("numpy", "scipy", "trimesh", "manifold3d", "pymeshlab", "embreex", "pillow", "pyarrow", "bpy")


@dataclass
class ShapeCache:
    """The last few shapes loaded; a shape that failed fails again without being read again."""

    plan: AnyPlan
    size: int = 12
    _shapes: dict[str, Shape] = field(default_factory=dict)

    def load(self, shape_id: str) -> Shape:
        """A normalised shape. Raises what the source raises."""
        if shape_id not in self._shapes:
            self._shapes[shape_id] = self.plan.source.load(shape_id)
            while len(self._shapes) > self.size:
                self._shapes.pop(next(iter(self._shapes)))
        return self._shapes[shape_id]


@dataclass(frozen=True)
class SplitDonors:
    """Donor pool of one split: shapes of other models that have a part of the class."""

    plan: Plan
    cache: ShapeCache
    split: str

    def candidates(self, part_class: str, shape_id: str) -> tuple[str, ...]:
        """Ids, sorted; never the shape itself or another annotation of its model."""
        model = self.plan.model_of(shape_id)
        entries = self.plan.donors.get((self.split, part_class), ())
        return tuple(e.shape_id for e in entries if e.shape_id != shape_id and self.plan.model_of(e.shape_id) != model)

    def load(self, shape_id: str) -> Shape:
        """A donor."""
        return self.cache.load(shape_id)


@dataclass
class Context:
    """Everything a job may use besides itself."""

    plan: AnyPlan
    library: MaterialLibrary
    renderer_name: str
    renderer: Renderer | None = None
    """None where nothing is rendered: the geometry half of a job needs only its name."""
    cost: dict[str, float] = field(default_factory=dict)

    _physics: BlenderProcess | None = None

    @property
    def chairs(self) -> Plan:
        """The plan of a job on chairs."""
        assert isinstance(self.plan, Plan), "a job on chairs in a plan of scenes"
        return self.plan

    @property
    def scenes(self) -> ScenePlan:
        """The plan of a scene's job."""
        assert isinstance(self.plan, ScenePlan), "a scene's job in a plan of chairs"
        return self.plan

    @property
    def recipe(self) -> Recipe:
        """The recipe of a plan of chairs."""
        return self.chairs.recipe

    @cached_property
    def scene_shapes(self) -> "SceneShapes":
        """Shapes of scenes, normal and odd, and how they lie."""
        from datagen.pipeline.scene_shapes import SceneShapes

        return SceneShapes(self)

    @cached_property
    def floors(self) -> MaterialLibrary:
        """Floors of scenes. Raises MissingDependency."""
        return open_floor_library(self.scenes)

    @property
    def pose_cache(self) -> Path:
        """Where resting poses are kept, by mesh hash."""
        return cache_root() / "poses"

    @cached_property
    def descriptor(self) -> Descriptor:
        """What tells how alike two shapes look. Raises MissingDependency."""
        return open_descriptor(self.scenes.recipe.anomaly.similar, cache_root() / "features")

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
        return replace(self._prepared(self.library, material.material_id), tile_size=material.tile_size)

    def floor(self, material_id: str) -> Material:
        """A floor, its maps on disk. Raises MaterialError; raises MissingDependency."""
        return self._prepared(self.floors, material_id)

    @property
    def flat(self) -> bool:
        """Whether what renders here shades by mean colours alone: maps and skies are then not made for it."""
        return self.renderer is not None and self.renderer.flat

    def _prepared(self, library: MaterialLibrary, material_id: str) -> Material:
        return listed(library, material_id) if self.flat else library.prepare(material_id)

    @cached_property
    def _library_ids(self) -> frozenset[str]:
        return frozenset(m.material_id for m in self.library.materials)

    @cached_property
    def shapes(self) -> ShapeCache:
        """Loaded shapes."""
        return ShapeCache(self.plan)

    @cached_property
    def lights(self) -> list[Light]:
        """Light set-ups by index."""
        return light_setups(self.recipe.light, self.recipe.seed)

    @cached_property
    def versions(self) -> str:
        """Canonical JSON of what makes the bytes: renderer, libraries, Python; the same in every process."""
        found = {name: importlib.metadata.version(name) for name in VERSIONED}
        return canonical_json(
            {
                "datagen": importlib.metadata.version("datagen"),
                "renderer": self.renderer_name,
                "python": platform.python_version(),
                **found,
            }
        )

    def donors(self, split: str) -> SplitDonors:
        """Donor pool of a split."""
        return SplitDonors(self.chairs, self.shapes, split)

    def materials(self, ids: tuple[str, ...]) -> Mapping[str, Material]:
        """Materials with their maps on disk. Raises MaterialError."""
        return {material_id: self._prepared(self.library, material_id) for material_id in ids}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Charge the CPU-seconds of a block, the renderer's process included, to a phase."""
        start = self._cpu_seconds()
        try:
            yield
        finally:
            self.cost[name] = round(self.cost.get(name, 0.0) + self._cpu_seconds() - start, 4)

    def _cpu_seconds(self) -> float:
        return time.process_time() + (self.renderer.cpu_seconds() if self.renderer else 0.0)

    def take_cost(self) -> dict[str, float]:
        """Cost since the last call, by phase."""
        cost, self.cost = self.cost, {}
        return cost


def texture_number(canonical: str) -> int:
    """A stable number below 100,000 for a dress: the texture field of a query's file name."""
    return int(hashlib.sha256(canonical.encode()).hexdigest()[:8], 16) % 100_000
