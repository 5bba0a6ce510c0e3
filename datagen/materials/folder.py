"""A material library from any folder tree of image sets (section 3.2 uses 400 SVBRDFs found so).

A set with a texture that cannot be read is left out with a warning, not fatal to the library: one bad
download must not stop a build. `prepare` raises MaterialError if a file broke since.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from datagen.core.clutter import check_name, is_clutter
from datagen.core.colour import linear_from_srgb, luminance, srgb_from_linear
from datagen.core.errors import MaterialError
from datagen.core.ids import content_hash
from datagen.core.material import Material
from datagen.materials import images
from datagen.materials.cache import fetch, texture_cache
from datagen.materials.colour import MAX_LUMINANCE, as_rgb
from datagen.materials.library import unknown_material, with_maps
from datagen.materials.names import classify, parse

CLASS_CONSTANTS: Mapping[str, Material] = {
    "wood": Material("", "wood", roughness=0.5, specular=0.4, tile_size=0.8),
    "plastic": Material("", "plastic", roughness=0.35, tile_size=0.5),
    "leather": Material("", "leather", roughness=0.42, tile_size=0.6),
    "fabric": Material("", "fabric", roughness=0.9, specular=0.2, sheen=0.25, tile_size=0.6),
    "metal": Material("", "metal", roughness=0.35, metallic=1.0, tile_size=0.7),
}
"""Constants where a set has no map, and the scale at which photographs look right."""
FLOOR = Material("", "stone", roughness=0.3, tile_size=1.2)
"""Constants of a floor, of whatever it is made; its tile in metres."""
ATLAS = "atlas"
"""In the reason for which not even a floor wears a set; stone, ceramic and the nameless are floors."""
PACKED = {"arm": (1, 2, False), "rma": (0, 1, False), "mra": (1, 0, False), "maskmap": (3, 0, True)}
"""Packed maps: channels of roughness and metalness, and whether the first is smoothness (Unity's mask map).

arm: occlusion, roughness, metalness, which is glTF's metallicRoughness too; rma and mra as their letters say.
"""
UNUSED = ("ao", "opacity", "specular")
"""Channels that pictures do not take: path tracing finds occlusion itself, and parts are opaque."""
_VERSION = "folder-2"
_OTHER_TEXTURES = (".dds", ".ktx", ".ktx2", ".psd", ".hdr", ".gif", ".sbsar", ".svg", ".jxl", ".avif", ".heic", ".jp2")
_CONSTANT_DEVIATION = 1.5
_RELIEF = 0.008
"""Depth of a height map in tiles where a set has no normal map."""


@dataclass(frozen=True)
class ImageSet:
    """The files of one set by channel, and what is known about it."""

    material: Material
    files: Mapping[str, Path]
    gain: float
    """Factor on linear base colour that keeps it below what counts as background."""


@dataclass(frozen=True)
class FolderLibrary:
    """What a folder holds. `left_out` names every set that is not used, with the reason."""

    root: Path
    sets: Mapping[str, ImageSet]
    warnings: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    cache: Path | None = None

    @property
    def materials(self) -> tuple[Material, ...]:
        """Every usable set, sorted by id, without maps."""
        return tuple(self.sets[name].material for name in sorted(self.sets))

    def prepare(self, material_id: str) -> Material:
        """Convert a set into the cache: sRGB base colour, OpenGL normal, split ARM, equal proportions.

        Raises MaterialError for an unknown id or a file that cannot be read any more.
        """
        if material_id not in self.sets:
            raise unknown_material(material_id)
        image_set = self.sets[material_id]
        try:
            stamps = [[c, p.name, p.stat().st_size, p.stat().st_mtime_ns] for c, p in sorted(image_set.files.items())]
        except OSError as error:
            raise MaterialError(f"material {material_id}: {error}; the folder has changed since the plan") from error
        key = content_hash([_VERSION, str(self.root), material_id, stamps, image_set.material.material_class])[:16]
        folder = (self.cache or texture_cache()) / _VERSION / f"{material_id}-{key}"
        baked = fetch(folder, lambda: _converted(image_set))
        return with_maps(image_set.material, baked)


@dataclass
class _Findings:
    sets: dict[str, ImageSet] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def load_folder(root: Path, cache: Path | None = None, licence: str = "unknown", floors: bool = False) -> FolderLibrary:
    """Every image set below `root`, checked to be readable, classed by its name; as floors, any class counts.

    Raises MaterialError when the folder is not there or holds no usable set.
    """
    root = Path(root)
    if not root.is_dir():
        raise MaterialError(f"the material folder {root} is not there; check its path in the recipe")
    found = _Findings()
    for name, files in sorted(_grouped(root, found).items()):
        try:
            _add(name, files, root, licence, found, floors)
        except MaterialError as error:
            found.left_out.append((name, error.args[0]))
    if not found.sets:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found.left_out[:3]) or "it holds no texture sets"
        raise MaterialError(f"no usable material in {root} ({reasons}); add 'procedural' or another folder")
    return FolderLibrary(root, found.sets, tuple(found.warnings), tuple(found.left_out), cache)


def _grouped(root: Path, found: _Findings) -> dict[str, dict[str, Path]]:
    """Set name -> channel -> file. A set is named by its folder, or by its prefix
    where a folder holds several."""
    by_folder: dict[Path, dict[str, dict[str, Path]]] = {}
    inside = root.resolve()
    for path in sorted(root.rglob("*")):
        if any(is_clutter(part) for part in path.relative_to(root).parts):
            continue
        if path.is_symlink() and not path.is_file():
            found.warnings.append(f"link in a material folder not followed: {path.relative_to(root)}")
        if not path.is_file():
            continue
        check_name(path)
        if path.suffix.lower() not in images.SUFFIXES:
            if path.suffix.lower() in _OTHER_TEXTURES:
                found.warnings.append(f"texture format not read: {path.relative_to(root)}")
            continue
        if not path.resolve().is_relative_to(inside):
            found.warnings.append(f"link out of a material folder not read: {path.relative_to(root)}")
            continue
        name = parse(path.stem)
        if name is None:
            found.warnings.append(f"image whose name tells no channel passed over: {path.relative_to(root)}")
            continue
        groups = by_folder.setdefault(path.parent, {})
        # Sets of one folder are told apart by their names whatever the case.
        set_name = next((known for known in groups if known.lower() == name.set_name.lower()), name.set_name)
        files = groups.setdefault(set_name, {})
        if name.channel in files:
            kept = files[name.channel].name
            found.warnings.append(f"second image of one channel passed over: {path.relative_to(root)} (beside {kept})")
        elif name.channel in UNUSED:
            found.warnings.append(f"{name.channel} map not used: {path.relative_to(root)}")
            files[name.channel] = path
        else:
            files[name.channel] = path
    sets = {}
    for folder, groups in sorted(by_folder.items()):
        place = ".".join(folder.relative_to(root).parts)
        alone = len(groups) == 1 and place
        for prefix, files in groups.items():
            sets[place if alone or not prefix else f"{place}.{prefix}".lstrip(".")] = files
    return {name or root.name: files for name, files in sets.items()}


def _add(name: str, files: dict[str, Path], root: Path, licence: str, found: _Findings, floors: bool) -> None:
    """Check one set and add it to the findings. Raises MaterialError for a file that cannot be read."""
    row = classify(f"{name} {' '.join(path.stem for path in files.values())}" if classify(name).left_out else name)
    if row.left_out and not (floors and ATLAS not in row.left_out):
        found.left_out.append((name, row.left_out))
        return
    if "base_color" not in files:
        found.left_out.append((name, "it has no base colour"))
        return
    small = images.read(files["base_color"], "RGB", 512)
    if not floors and images.looks_like_atlas(small):
        found.left_out.append((name, "a flat background fills much of it: it is a UV atlas, made for one mesh"))
        return
    for channel, path in files.items():
        if channel != "base_color" and channel not in UNUSED:
            _packed(path, channel, 128) if channel in PACKED else images.read(path, "vector", 128)
    unused = row.material_class != "metal" and not floors and "metallic" in files
    if unused and images.read(files["metallic"], "L", 128).max() > 25:
        found.warnings.append(f"metallic map not used, its set is no metal by name: {name}")
    if "normal" in files and not {"normal_gl", "normal_dx"} & set(files):
        found.warnings.append(f"normal map's convention not stated, taken as OpenGL (+y up): {name}")
    mean = linear_from_srgb(small / 255).mean(axis=(0, 1))
    gain = min(1.0, MAX_LUMINANCE / max(float(luminance(mean)), 1e-6))
    if gain < 1:
        found.warnings.append(f"material darkened, brighter objects count as background: {name} (to {gain:.0%})")
    colour = as_rgb(mean * gain)
    material = replace(
        FLOOR if floors else CLASS_CONSTANTS[row.material_class],
        material_id=name,
        base_color=colour,
        mean_color=colour,
        source=f"folder {root.name}",
        licence=licence,
    )
    found.sets[name] = ImageSet(material, files, gain)


def _converted(image_set: ImageSet) -> dict[str, np.ndarray]:
    """uint8 maps of a set by channel, as `Material.maps` promises them."""
    files, material_class = image_set.files, image_set.material.material_class
    base = images.squared(images.read(files["base_color"], "RGB", images.MAX_EDGE))
    turn = material_class == "wood" and images.grain_runs_up(base)
    if image_set.gain < 1:
        linear = linear_from_srgb(base / 255) * image_set.gain
        base = np.round(srgb_from_linear(linear) * 255).astype(np.uint8)
    maps = {"base_color": base, **_grey_maps(files, material_class)}
    normal = _normal_map(files)
    if normal is not None:
        maps["normal"] = normal
    return {c: images.turned(a, c == "normal") for c, a in maps.items()} if turn else maps


def _packed(path: Path, name: str, max_edge: int) -> np.ndarray:
    """A packed map (H, W, C) uint8 with all the channels that its name promises. Raises MaterialError."""
    packed = images.read(path, "raw", max_edge)
    rough, metal, _ = PACKED[name]
    if packed.shape[2] <= max(rough, metal):
        raise MaterialError(f"{path} has {packed.shape[2]} channels, too few for a packed {name} map; export it again")
    return packed


def _grey_maps(files: Mapping[str, Path], material_class: str) -> dict[str, np.ndarray]:
    """Roughness and metallic, from their own files, a gloss map or a packed AO/roughness/metallic one."""
    grey = {}
    for name, (rough, metal, is_gloss) in PACKED.items():
        if name in files:
            packed = images.squared(_packed(files[name], name, images.MAX_EDGE))
            grey["roughness"] = 255 - packed[..., rough] if is_gloss else packed[..., rough]
            grey["metallic"] = packed[..., metal]
    if "gloss" in files:
        grey["roughness"] = 255 - images.squared(images.read(files["gloss"], "L", images.MAX_EDGE))
    for channel in ("roughness", "metallic"):
        if channel in files:
            grey[channel] = images.squared(images.read(files[channel], "L", images.MAX_EDGE))
    found = grey.get("metallic")
    # A map that is white all over says what the class says; a dark one is painted metal.
    if found is not None and (material_class != "metal" or (found.std() < _CONSTANT_DEVIATION and found.mean() > 250)):
        grey.pop("metallic")
    return grey


def _normal_map(files: Mapping[str, Path]) -> np.ndarray | None:
    """The normal map in OpenGL convention, or one made from the height map, or None."""
    for channel in ("normal_gl", "normal", "normal_dx"):
        if channel in files:
            normal = images.squared(images.read(files[channel], "vector", images.MAX_EDGE))
            return images.flipped_green(normal) if channel == "normal_dx" else normal
    if "height" not in files:
        return None
    height = images.squared(images.read(files["height"], "L", images.MAX_EDGE))
    return images.normal_from_grey(height, _RELIEF)
