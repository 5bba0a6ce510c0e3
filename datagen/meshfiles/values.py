"""What a mesh file says: parts with faces, coordinates and colours, and the materials that they name."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datagen.core.errors import MeshLoadError
from datagen.core.shape import Mesh, concatenate

MAX_BYTES = 2_000_000_000
ABOUT_LOOKS = (
    "material",
    "texture",
    "opacity",
    "emission",
    "reflection",
    "bump",
    "displacement",
    "specular",
    "transparency",
    "clamped",
)
"""How warnings begin that speak of a file's looks; the others speak of its geometry."""
NEXT_STEP = "open it in a mesh viewer, export it again, or take it out of the folder"


@dataclass(frozen=True)
class Texture:
    """An image that a material names: a file or bytes, not opened yet.

    `channels` picks one channel ('r', 'g', 'b' or 'a') of a packed image, '' takes its colours. `mirror` says in
    which directions (u, v) every second repeat is mirrored.
    """

    name: str
    path: Path | None = None
    data: bytes | None = None
    channel: str = ""
    mirror: tuple[bool, bool] = (False, False)


@dataclass(frozen=True)
class SpecularGlossiness:
    """The specular workflow of KHR_materials_pbrSpecularGlossiness: factors, and an image with glossiness in alpha."""

    specular: tuple[float, float, float]
    glossiness: float
    texture: Texture | None = None


@dataclass(frozen=True)
class FileMaterial:
    """A material as its file describes it. Colours are linear Rec. 709; factors multiply their textures."""

    name: str
    base_color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    roughness: float = 0.5
    metallic: float = 0.0
    base_map: Texture | None = None
    roughness_map: Texture | None = None
    metallic_map: Texture | None = None
    normal_map: Texture | None = None
    normal_strength: float = 1.0
    specular: SpecularGlossiness | None = None

    @property
    def textures(self) -> tuple[Texture, ...]:
        """Every image that it names."""
        named = (self.base_map, self.roughness_map, self.metallic_map, self.normal_map)
        extra = (self.specular.texture,) if self.specular else ()
        return tuple(texture for texture in (*named, *extra) if texture is not None)


@dataclass(frozen=True, eq=False)
class FilePart:
    """A named piece of a file, in the file's own frame and units.

    `slot` (F,) numbers each face's material in the file, -1 for none. `uv` (F, 3, 2) counts repeats of the texture
    at each corner with v upwards, NaN where there is none. `color` (F, 3, 3) is linear and multiplies base colours.
    """

    name: str
    mesh: Mesh
    slot: np.ndarray
    uv: np.ndarray | None = None
    color: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class MeshFile:
    """Everything that was read of one file. `warnings` name what the file holds and this reader leaves out."""

    path: Path
    parts: tuple[FilePart, ...]
    materials: tuple[FileMaterial, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def mesh(self) -> Mesh:
        """All faces as one mesh."""
        return concatenate(part.mesh for part in self.parts)


def bad(path: Path | str, what: str, step: str = NEXT_STEP) -> MeshLoadError:
    """The error for a file that cannot be read: the file, what is wrong, and the next step."""
    return MeshLoadError(f"{path}: {what}; {step}")


def checked(path: Path | str, name: str, vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """A mesh, or a MeshLoadError that names the file and the piece."""
    where = "" if name == Path(path).stem else f"{name}: "
    try:
        return Mesh(vertices, faces)
    except MeshLoadError as error:
        raise bad(path, f"{where}{error.args[0]}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise bad(path, f"{where}{error}") from error


def used_only(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices that faces use, in order, and the faces on them."""
    used, inverse = np.unique(faces, return_inverse=True)
    return vertices[used], inverse.reshape(-1, 3)


def unique_names(names: Iterable[str]) -> list[str]:
    """Names made distinct: the second `leg` is `leg_2`, unless a part of that name is there already."""
    names = list(names)
    taken, count, found = set(names), dict[str, int](), []
    seen: set[str] = set()
    for name in names:
        if name in seen:
            number = count.get(name, 1) + 1
            while f"{name}_{number}" in taken:
                number += 1
            count[name] = number
            name = f"{name}_{number}"
            taken.add(name)
        seen.add(name)
        found.append(name)
    return found
