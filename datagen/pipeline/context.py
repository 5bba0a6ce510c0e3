"""What the stages of a job need: the plan, the renderer and the caches, with nothing hidden in globals."""

import importlib.metadata
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from datagen.core.ids import canonical_json
from datagen.core.material import Material
from datagen.core.shape import Shape
from datagen.materials.library import MaterialLibrary, listed
from datagen.pipeline.plan import Plan
from datagen.render.protocol import Renderer

VERSIONED = ("numpy", "scipy", "trimesh", "manifold3d", "pymeshlab", "embreex", "pillow", "pyarrow", "bpy")


@dataclass
class ShapeCache:
    """The last few shapes loaded; a shape that failed fails again without being read again."""

    plan: Plan[Any]
    size: int = 12
    _shapes: dict[str, Shape] = field(default_factory=dict)

    def load(self, shape_id: str) -> Shape:
        """A normalised shape. Raises what the source raises."""
        if shape_id not in self._shapes:
            self._shapes[shape_id] = self.plan.source.load(shape_id)
            while len(self._shapes) > self.size:
                self._shapes.pop(next(iter(self._shapes)))
        return self._shapes[shape_id]


@dataclass
class Context:
    """Everything a job may use besides itself."""

    plan: Plan[Any]
    library: MaterialLibrary
    renderer_name: str
    renderer: Renderer | None = None
    """None where nothing is rendered: the geometry half of a job needs only its name."""
    cost: dict[str, float] = field(default_factory=dict)

    @property
    def flat(self) -> bool:
        """Whether what renders here shades by mean colours alone: maps and skies are then not made for it."""
        return self.renderer is not None and self.renderer.flat

    def prepared(self, library: MaterialLibrary, material_id: str) -> Material:
        """A material of a library with its maps on disk, or as it is listed where no map is looked at."""
        return listed(library, material_id) if self.flat else library.prepare(material_id)

    @cached_property
    def shapes(self) -> ShapeCache:
        """Loaded shapes."""
        return ShapeCache(self.plan)

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

    def materials(self, ids: tuple[str, ...]) -> Mapping[str, Material]:
        """Materials with their maps on disk. Raises MaterialError."""
        return {material_id: self.prepared(self.library, material_id) for material_id in ids}

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
