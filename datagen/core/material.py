"""Materials as values: an SVBRDF set, and which part wears which."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MATERIAL_CLASSES = ("wood", "plastic", "leather", "fabric", "metal")
"""The five classes of the paper, section 3.2."""


@dataclass(frozen=True)
class Material:
    """One SVBRDF: image maps where it has them, constants where it does not.

    `tile_size` is the edge of one texture repeat in object units: shapes fit in a unit
    sphere, where one unit of furniture is about 0.55 m. Colours are linear Rec. 709.
    """

    material_id: str
    material_class: str
    maps: Mapping[str, str] = field(default_factory=dict)
    """channel -> path of an 8- or 16-bit image file: base_color (sRGB), roughness, metallic, normal (OpenGL, +y up),
    height; all but the first are linear."""
    base_color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    roughness: float = 0.5
    metallic: float = 0.0
    specular: float = 0.5
    sheen: float = 0.0
    coat: float = 0.0
    normal_strength: float = 1.0
    tile_size: float = 0.5
    mean_color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Mean of the base colour, linear: what assignment compares for contrast."""
    source: str = "procedural"
    licence: str = "unknown"
    vertex_color: bool = False
    """Whether a skin's corner colours multiply the base colour."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Multiplies the base colour, linear; `mean_color` has it in already."""
    wear: float = 0.0
    """How worn the surface is, 0 to 1: patches of it lose their colour and their gloss."""
    rougher: float = 0.0
    """Added to the roughness, which stays within 0 and 1."""
    tilt_deg: tuple[float, float] = (0.0, 0.0)
    """Normals are shaded as if turned by this about the world's x and y axes."""
    digest: str = ""
    """Content hash of the maps and constants."""


@dataclass(frozen=True)
class PartMaterial:
    """How one part is dressed. `projection` is 'box' or 'smart'; `offset` in tiles, per part."""

    part_id: int
    material_id: str
    projection: str
    offset: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class MaterialAssignment:
    """Every part's dress, sorted by part id."""

    parts: tuple[PartMaterial, ...]

    @property
    def material_ids(self) -> tuple[str, ...]:
        """Distinct materials, sorted."""
        return tuple(sorted({part.material_id for part in self.parts}))
