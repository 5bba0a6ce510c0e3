"""What jobs on chairs may use besides what every job may."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from datagen.core.material import Material
from datagen.core.scene import Light
from datagen.core.shape import Shape
from datagen.kinds.brokenchairs.plan import ChairPlan, open_part_materials
from datagen.materials.by_part import PartLibrary
from datagen.materials.library import CombinedLibrary, MaterialLibrary
from datagen.pipeline.context import Context, ShapeCache
from datagen.recipe import Recipe
from datagen.scenes.backdrops import open_background_floors
from datagen.scenes.lights import light_setups


@dataclass(frozen=True)
class SplitDonors:
    """Donor pool of one split: shapes of the category and of other models that have a part of the class."""

    plan: ChairPlan
    cache: ShapeCache
    split: str

    def candidates(self, part_class: str, shape_id: str) -> tuple[str, ...]:
        """Ids, sorted; never the shape itself or another annotation of its model."""
        model = self.plan.model_of(shape_id)
        entries = self.plan.donors.get((self.split, self.plan.category_of(shape_id), part_class), ())
        return tuple(e.shape_id for e in entries if e.shape_id != shape_id and self.plan.model_of(e.shape_id) != model)

    def load(self, shape_id: str) -> Shape:
        """A donor."""
        return self.cache.load(shape_id)


@dataclass
class ChairContext(Context):
    """Donors and lights."""

    plan: ChairPlan

    @property
    def recipe(self) -> Recipe:
        """The plan's recipe."""
        return self.plan.recipe

    @cached_property
    def lights(self) -> list[Light]:
        """Light set-ups by index."""
        return light_setups(self.recipe.light, self.recipe.seed)

    @cached_property
    def floors(self) -> tuple[MaterialLibrary, tuple[Material, ...]]:
        """The library of the background's floors, and those that may be drawn. Raises MissingDependency."""
        name = self.recipe.query.background.floor
        return open_background_floors(name, self.recipe.seed) if name is not None else (CombinedLibrary(()), ())

    @cached_property
    def by_part(self) -> tuple[PartLibrary, ...]:
        """Materials by part name. Raises MissingDependency."""
        return open_part_materials(self.plan)

    def materials(self, ids: tuple[str, ...]) -> Mapping[str, Material]:
        """Materials with their maps on disk, those by part name among them. Raises MaterialError."""
        named = {m.material_id: library for library in self.by_part for m in library.materials}
        own = {name: self._named(named[name], name) for name in ids if name in named}
        return {**super().materials(tuple(name for name in ids if name not in named)), **own}

    def _named(self, library: PartLibrary, name: str) -> Material:
        return library.listed(name) if self.flat else library.prepare(name)

    def donors(self, split: str) -> SplitDonors:
        """Donor pool of a split."""
        return SplitDonors(self.plan, self.shapes, split)
