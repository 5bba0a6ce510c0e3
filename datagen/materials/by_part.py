"""Materials that a recipe gives to parts by name: from a folder of PBR image sets, or from factors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from datagen.core.colour import linear_from_srgb, rgb_of
from datagen.core.errors import MaterialError
from datagen.core.ids import content_hash
from datagen.core.material import Material
from datagen.materials.colour import as_rgb
from datagen.materials.folder import load_folder
from datagen.materials.library import MaterialLibrary
from datagen.recipe.materials import PartLookRecipe


@dataclass(frozen=True)
class PartLibrary:
    """The materials of one pattern; ids begin with the pattern."""

    pattern: str
    told: PartLookRecipe
    sets: MaterialLibrary | None
    """None: made of factors."""

    @property
    def materials(self) -> tuple[Material, ...]:
        """Those that may be worn, without maps."""
        if self.sets is None:
            return (_of_factors(self.pattern, self.told),)
        return tuple(replace(m, material_id=self._id(m.material_id)) for m in self.sets.materials)

    def listed(self, material_id: str) -> Material:
        """A material without maps. Raises MaterialError for an id that is none of these."""
        found = next((m for m in self.materials if m.material_id == material_id), None)
        if found is None:
            raise MaterialError(f"materials.by_part.{self.pattern}: no material is named {material_id} any more")
        return found

    def prepare(self, material_id: str) -> Material:
        """The material with its maps on disk and its digest. Raises MaterialError."""
        if self.sets is None:
            made = self.listed(material_id)
            return replace(made, digest=content_hash([made.material_id, made.base_color, made.roughness]))
        return replace(self.sets.prepare(material_id.removeprefix(self._id(""))), material_id=material_id)

    def _id(self, name: str) -> str:
        return f"{self.pattern}: {name}"


def open_by_part(table: Mapping[str, PartLookRecipe]) -> tuple[PartLibrary, ...]:
    """The materials of every pattern, in the recipe's order. Raises MaterialError naming key and folder."""
    found = []
    for pattern, told in table.items():
        try:
            sets = None if told.folder is None else load_folder(Path(told.folder).expanduser())
        except MaterialError as error:
            raise MaterialError(f"materials.by_part.{pattern}: {error.args[0]}") from error
        found.append(PartLibrary(pattern, told, sets))
    return tuple(found)


def _of_factors(pattern: str, told: PartLookRecipe) -> Material:
    assert told.colour is not None
    colour = as_rgb(linear_from_srgb(np.array(rgb_of(told.colour))))
    return Material(
        f"{pattern}: {told.colour} metallic {told.metallic:g} roughness {told.roughness:g}",
        "metal" if told.metallic > 0.5 else "plastic",
        base_color=colour,
        mean_color=colour,
        roughness=told.roughness,
        metallic=told.metallic,
        source="recipe",
        licence="none needed",
    )
