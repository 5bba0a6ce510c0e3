"""What a texture's file name says: channel, set, normal convention; what a set's name says: its class."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml

from datagen.core.errors import MaterialError
from datagen.core.material import MATERIAL_CLASSES

_CHANNELS: dict[str, str] = {}
for _channel, _names in {
    "base_color": "color colour col basecolor base_color base_colour albedo diffuse diff dif map_kd map_diff "
    "diffuse_map diffuse_color color_map albedo_map",
    "normal": "normal nor nrm norm normals normal_map map_normal normal_ogl",
    "normal_gl": "normalgl normal_gl nor_gl normal_opengl normalopengl nrm_gl",
    "normal_dx": "normaldx normal_dx nor_dx normal_directx normaldirectx nrm_dx",
    "roughness": "roughness rough rgh roughness_map map_rough map_roughness",
    "gloss": "gloss glossiness smoothness glossiness_map",
    "metallic": "metallic metalness metal_map metallic_map mtl",
    "height": "height displacement disp bump height_map displacement_map bump_map",
    "arm": "arm aorm orm ao_rough_metal occlusion_roughness_metallic occlusionroughnessmetallic "
    "metallicroughness metalrough metalroughness",
    "rma": "rma rmo rough_metal_ao roughness_metallic_ao",
    "mra": "mra mro metal_rough_ao metallic_roughness_ao",
    "maskmap": "maskmap mask_map hdrpmask hdrp_mask metallicsmoothness metallic_smoothness metalsmoothness",
    "ao": "ao ambientocclusion ambient_occlusion occlusion",
    "opacity": "opacity alpha mask transparency",
    "specular": "specular spec refl reflection specular_map map_spec",
}.items():
    _CHANNELS.update({name: _channel for name in _names.split()})
_NOISE = re.compile(r"\d+k|\d{3,4}|\d+x\d+|jpg|jpeg|png|tif|tiff|var\d*|hires|lowres|\d+m|tex|texture")
"""Words that say how an image is stored, not what it shows: resolution, format, variant."""


@dataclass(frozen=True)
class TextureName:
    """Channel of a file, and the set it belongs to ('' where the folder names the set)."""

    channel: str
    set_name: str


def parse(stem: str) -> TextureName | None:
    """The channel and set of a file by its name without extension; None if it names no channel.

    Knows ambientCG (`Wood051_1K-JPG_NormalGL`), Poly Haven (`oak_veneer_nor_gl_1k`), PhotoShape and
    Poliigon (`X_COL_VAR1_1K`), and plain names (`basecolor`, `normal_dx`).
    """
    words = [word for word in re.split(r"[_\-. ]+", stem) if word]
    kept = [word for word in words if not _NOISE.fullmatch(word.lower())]
    for length in (3, 2, 1):
        channel = _CHANNELS.get("_".join(kept[-length:]).lower()) if len(kept) >= length else None
        if channel is not None:
            return TextureName(channel, "_".join(kept[:-length]))
    return None


def words_of(name: str) -> tuple[str, ...]:
    """Lower-case words of a name; camel case, digits and punctuation split it."""
    return tuple(w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


@dataclass(frozen=True)
class ClassRow:
    """One row of the table of names: words, and the class they mean or why such a set is left out."""

    words: tuple[str, ...]
    material_class: str = ""
    left_out: str = ""

    def matches(self, words: Sequence[str]) -> bool:
        """Whether a name with these words falls in this row."""
        text = f" {' '.join(words)} "
        return any(f" {word} " in text or (len(word) >= 4 and f" {word}" in text) for word in self.words)


@lru_cache(maxsize=1)
def class_table() -> tuple[ClassRow, ...]:
    """The table data/class_names.yaml. Raises MaterialError for a row with neither class nor reason."""
    text = files("datagen.materials").joinpath("data/class_names.yaml").read_text()
    rows = []
    for row in yaml.safe_load(text):
        made = ClassRow(tuple(row["words"]), row.get("class", ""), row.get("left_out", ""))
        if (made.material_class in MATERIAL_CLASSES) == bool(made.left_out):
            raise MaterialError(f"class_names.yaml: the row of {made.words[0]!r} needs one of the classes or left_out")
        rows.append(made)
    return tuple(rows)


def classify(name: str) -> ClassRow:
    """The first row of the table that a set's name falls in; a left-out row where there is none."""
    words = words_of(name)
    for row in class_table():
        if row.matches(words):
            return row
    return ClassRow((), left_out="its name tells no class; put wood, plastic, leather, fabric or metal into it")
