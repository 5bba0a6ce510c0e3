"""What the stages of a job need: the plan, the renderer and the caches, with nothing hidden in globals."""

import hashlib
import importlib.metadata
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from datagen.core.ids import canonical_json
from datagen.core.material import Material
from datagen.core.scene import Light
from datagen.core.shape import Shape
from datagen.materials.library import MaterialLibrary
from datagen.pipeline.plan import Plan
from datagen.recipe import Recipe
from datagen.render.protocol import Renderer
from datagen.scenes.lights import light_setups

VERSIONED = ("numpy", "scipy", "trimesh", "manifold3d", "pymeshlab", "embreex", "pillow", "pyarrow", "bpy")


@dataclass
class ShapeCache:
    """The last few shapes loaded; a shape that failed fails again without being read again."""

    plan: Plan
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

    plan: Plan
    library: MaterialLibrary
    renderer_name: str
    renderer: Renderer | None = None
    """None where nothing is rendered: the geometry half of a job needs only its name."""
    cost: dict[str, float] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """The plan's recipe."""
        return self.plan.recipe

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
        return SplitDonors(self.plan, self.shapes, split)

    def materials(self, ids: tuple[str, ...]) -> Mapping[str, Material]:
        """Materials with their maps baked."""
        return {material_id: self.library.prepare(material_id) for material_id in ids}

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
