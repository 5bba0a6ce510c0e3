"""Material libraries of OBJ (MTL): colours, roughness, metalness and images with their options."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.colour import linear_from_srgb
from datagen.core.errors import MeshLoadError
from datagen.meshfiles.places import Places
from datagen.meshfiles.text import name_text, plain_text, without_remark
from datagen.meshfiles.values import FileMaterial, Texture, bad

_OPTION_WORDS = {
    "-blendu": 1,
    "-blendv": 1,
    "-cc": 1,
    "-clamp": 1,
    "-imfchan": 1,
    "-texres": 1,
    "-boost": 1,
    "-bm": 1,
    "-type": 1,
    "-mm": 2,
}
"""How many words follow an option; -s, -o and -t take one to three numbers."""
_MAPS = {"map_kd": "base_map", "map_pr": "roughness_map", "map_pm": "metallic_map", "norm": "normal_map"}
_UNSHOWN = {
    "map_d": "opacity map",
    "map_opacity": "opacity map",
    "map_tr": "opacity map",
    "tf": "transparency",
    "map_ka": "material map",
    "map_ao": "material map",
    "decal": "material map",
    "map_normal": "material map",
    "map_kn": "material map",
    "pc": "material coat",
    "aniso": "material anisotropy",
    "map_ke": "emission map",
    "refl": "reflection map",
    "bump": "bump map",
    "map_bump": "bump map",
    "disp": "displacement map",
    "map_ks": "specular map",
    "map_ns": "specular map",
}


@dataclass(frozen=True)
class ObjMaterial:
    """A material of an MTL with how its base image lies: `scale` and `offset` of texture coordinates (u, v)."""

    material: FileMaterial
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)

    def laid(self, uv: np.ndarray) -> np.ndarray:
        """Texture coordinates (..., 2) under the options."""
        return uv * np.array(self.scale) + np.array(self.offset)


@dataclass
class Library:
    """Materials of several MTL files by name, what was wrong with them, and the images that are not there."""

    materials: dict[str, ObjMaterial] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def read_library(mesh: Path, libraries: Sequence[str], places: Places) -> Library:
    """Every material that the `mtllib` lines of an OBJ bring.

    A library or an image that is not there or cannot be read is a warning: the faces that wear it are dressed as bare
    ones are.
    """
    found = Library()
    for line in libraries:
        names = [line] if places.find(line) is not None else line.split()
        for name in names:
            path = places.find(name)
            if path is None:
                found.warnings.append(f"material file missing: {mesh.name} names {name}")
                continue
            found.files.append(path)
            try:
                _read(path, replace(places, mesh=path), found)
            except MeshLoadError as error:
                found.warnings.append(f"material file not read: {error.args[0]}")
    return found


def _read(path: Path, places: Places, found: Library) -> None:
    try:
        text = name_text(plain_text(path.read_bytes(), path)).replace("\\\n", " ")
    except OSError as error:
        raise bad(path, f"{error.strerror}") from error
    name = ""
    statements: dict[str, str] = {}
    for line in [*text.split("\n"), "newmtl"]:
        words = without_remark(line.encode()).decode().split(None, 1)
        if not words:
            continue
        key, rest = words[0].lower(), words[1].strip() if len(words) > 1 else ""
        if key == "newmtl":
            if name:
                if name in found.materials:
                    found.warnings.append(f"material defined twice, the first one taken: {path.name} {name}")
                found.materials.setdefault(name, _material(path, name, statements, places, found))
            name, statements = rest, {}
        else:
            statements[key] = rest


def _material(path: Path, name: str, said: dict[str, str], places: Places, found: Library) -> ObjMaterial:
    color = _color(path, name, said.get("kd"))
    material = FileMaterial(name, color, _roughness(path, name, said), _number(path, name, said.get("pm"), 0.0))
    result = ObjMaterial(material)
    maps: dict[str, Any] = {}
    laid: dict[str, Any] = {}
    for key, slot in _MAPS.items():
        if key not in said:
            continue
        reference, options = _map(path, name, said[key])
        image = places.find(reference)
        if image is None:
            found.warnings.append(f"texture missing: {path.name} names {reference}")
            if slot == "base_map":
                return replace(result, material=replace(material, base_map=Texture(reference)))
            continue
        channel = options.pop("channel")
        if maps and options != laid:
            found.warnings.append(f"texture on other coordinates left out: {path.name} {name} ({key})")
            continue
        laid = options
        maps[slot] = Texture(image.name, image, channel=channel if slot in ("roughness_map", "metallic_map") else "")
        result = replace(result, scale=options["-s"], offset=options["-o"])
        if slot == "base_map":
            # The image stands for Kd: exporters write black, grey or white beside it without meaning it.
            material = replace(material, base_color=(1.0, 1.0, 1.0))
        elif slot == "roughness_map":
            material = replace(material, roughness=1.0)
        elif slot == "metallic_map":
            material = replace(material, metallic=1.0)
        if slot == "base_map" and options["clamp"]:
            found.warnings.append(f"clamped texture repeated: {path.name} {name} (-clamp on)")
    if any(_is_number(word) and float(word) > 0 for word in said.get("ke", "").split()):
        found.warnings.append(f"emission not shown: {path.name} {name} (Ke)")
    for key, what in _UNSHOWN.items():
        if key in said:
            found.warnings.append(f"{what} not shown: {path.name} {name} ({key})")
    if _opacity(path, name, said) < 1.0:
        found.warnings.append(f"transparency shown opaque: {path.name} {name}")
    return replace(result, material=replace(material, **maps))


def _map(path: Path, name: str, text: str) -> tuple[str, dict]:
    """The file of a map statement and its options; a file name may hold spaces."""
    words = text.split()
    options: dict = {"-s": (1.0, 1.0), "-o": (0.0, 0.0), "clamp": False, "channel": ""}
    at = 0
    while at < len(words) and words[at].startswith("-"):
        option = words[at].lower()
        at += 1
        if option in ("-s", "-o", "-t"):
            values: list[float] = []
            while at < len(words) and len(values) < 3 and _is_number(words[at]):
                values.append(float(words[at]))
                at += 1
            if not values:
                raise bad(path, f"{name}: {option} without a number in a map line")
            default = 1.0 if option == "-s" else 0.0
            options[option] = (values[0], values[1] if len(values) > 1 else default)
        elif option in _OPTION_WORDS:
            options["clamp"] |= option == "-clamp" and words[at : at + 1] == ["on"]
            if option == "-imfchan" and words[at : at + 1] and words[at].lower() in ("r", "g", "b"):
                options["channel"] = words[at].lower()
            at += _OPTION_WORDS[option]
        else:
            at -= 1
            break
    # The name as it stands in the line: several spaces in it are kept.
    rest = text.split(None, at)[at:] if at else [text]
    return (rest[0].strip() if rest else ""), options


def _is_number(word: str) -> bool:
    try:
        return np.isfinite(float(word))
    except ValueError:
        return False


def _color(path: Path, name: str, text: str | None) -> tuple[float, float, float]:
    """Kd as linear colour; a material without one is white."""
    if text is None:
        return (1.0, 1.0, 1.0)
    words = text.partition("#")[0].split()
    if not words or not all(map(_is_number, words)) or words[0] in ("spectral", "xyz"):
        raise bad(path, f"{name}: Kd {text!r} is no RGB colour")
    values = [float(word) for word in words]
    r, g, b = linear_from_srgb(np.clip((values * 3 if len(values) == 1 else [*values, 0.0, 0.0])[:3], 0, 1)).tolist()
    return (r, g, b)


def _number(path: Path, name: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    word = text.split()[0] if text.split() else ""
    if not _is_number(word):
        raise bad(path, f"{name}: {text!r} is no number")
    return float(np.clip(float(word), 0.0, 1.0))


def _roughness(path: Path, name: str, said: dict[str, str]) -> float:
    """Pr where it is said; the Phong exponent of Ns is no roughness of a standard, so it does not count."""
    return _number(path, name, said.get("pr"), 0.5)


def _opacity(path: Path, name: str, said: dict[str, str]) -> float:
    if "d" in said:
        return _number(path, name, said["d"].replace("-halo", ""), 1.0)
    return 1.0 - _number(path, name, said.get("tr"), 0.0)


def texture_files(mesh: Path, libraries: Sequence[str], places: Places) -> list[Path]:
    """Material files and images that an OBJ depends on; broken ones count as far as they can be read."""
    library = read_library(mesh, libraries, places)
    images = [texture.path for m in library.materials.values() for texture in m.material.textures]
    return [*library.files, *(path for path in images if path is not None)]
