"""The protocol of material libraries, and several of them as one."""

from dataclasses import dataclass, replace
from typing import Protocol

from datagen.core.errors import MaterialError
from datagen.core.ids import content_hash
from datagen.core.material import Material
from datagen.materials.cache import BakedSet


class MaterialLibrary(Protocol):
    """SVBRDF sets to choose from (section 3.2: 400 materials in five classes)."""

    @property
    def materials(self) -> tuple[Material, ...]:
        """Every usable material, sorted by id, with `mean_color` but without maps or digest."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was assumed or changed, one sentence each."""

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """(name, reason) of every set that is not used."""

    def prepare(self, material_id: str) -> Material:
        """The material with its maps on disk and its digest. Raises MaterialError."""


class Generated:
    """What libraries that are made here have to say of their sets: nothing is read, so nothing is wrong."""

    warnings: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CombinedLibrary:
    """Several libraries as one; ids must not repeat."""

    libraries: tuple[MaterialLibrary, ...]

    def __post_init__(self) -> None:
        ids = [material.material_id for library in self.libraries for material in library.materials]
        repeated = sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) != len(ids) else []
        if repeated:
            raise MaterialError(f"two libraries have a material named {repeated[0]}; rename one of the folders")

    @property
    def materials(self) -> tuple[Material, ...]:
        """Every usable material, sorted by id."""
        return tuple(sorted((m for lib in self.libraries for m in lib.materials), key=lambda m: m.material_id))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of all libraries, in order."""
        return tuple(warning for library in self.libraries for warning in library.warnings)

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Left-out sets of all libraries, in order."""
        return tuple(entry for library in self.libraries for entry in library.left_out)

    def prepare(self, material_id: str) -> Material:
        """The material from the library that has it. Raises MaterialError."""
        for library in self.libraries:
            if any(material.material_id == material_id for material in library.materials):
                return library.prepare(material_id)
        raise unknown_material(material_id)


def listed(library: MaterialLibrary, material_id: str) -> Material:
    """The material as it is listed: with `mean_color`, without maps or digest. Raises MaterialError."""
    found = next((m for m in library.materials if m.material_id == material_id), None)
    if found is None:
        raise unknown_material(material_id)
    return found


def unknown_material(material_id: str) -> MaterialError:
    """The error for an id that no library has."""
    return MaterialError(f"no material is named {material_id}; the recipe's libraries have changed since the plan")


def with_maps(material: Material, baked: BakedSet) -> Material:
    """The listed material with its maps and a digest of all that shows: map bytes and constants."""
    material = replace(material, maps=dict(baked.paths))
    shown = {
        name: getattr(material, name)
        for name in (
            "base_color",
            "roughness",
            "metallic",
            "specular",
            "sheen",
            "coat",
            "normal_strength",
            "tile_size",
        )
    }
    return replace(material, digest=content_hash([material.material_id, shown, dict(baked.digests)]))
