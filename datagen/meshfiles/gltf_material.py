"""glTF materials: factors, images, transforms of their coordinates, and the specular workflow."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from datagen.meshfiles.accessors import Buffers
from datagen.meshfiles.values import FileMaterial, SpecularGlossiness, Texture, bad

_SHOWN = {"KHR_materials_pbrSpecularGlossiness", "KHR_materials_unlit"}
_MIRRORED, _REPEAT, _CLAMP = 33648, 10497, 33071


@dataclass(frozen=True)
class _Laid:
    """How an image lies on a mesh: which set of coordinates, and its transform (3, 3) as nested tuples."""

    texture: Texture
    coordinates: int = 0
    clamped: bool = False
    transform: tuple[tuple[float, ...], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


class _MissingImage(Exception):
    """An image that is not there or not in a format that is read; the warning is noted."""


@dataclass
class MaterialReader:
    """Materials of one file, read as primitives ask for them."""

    path: Path
    buffers: Buffers
    warnings: dict[str, None]
    known: list[FileMaterial] = field(default_factory=list)
    _numbers: dict[Any, tuple[int, _Laid | None]] = field(default_factory=dict)

    def worn(self, index: Any, attributes: dict[str, np.ndarray], faces: np.ndarray) -> tuple[int, np.ndarray | None]:
        """(material's number in `known`, texture coordinates (F, 3, 2) with v upwards or None).

        The number is -1 where the primitive names no material, or one whose image is missing.
        """
        if index is None and "COLOR_0" not in attributes:
            return -1, None
        if index not in self._numbers:
            self._numbers[index] = self._default() if index is None else self._read(index)
        number, laid = self._numbers[index]
        if laid is None:
            return number, None
        name = f"TEXCOORD_{laid.coordinates}"
        if name not in attributes:
            self._warn("texture without coordinates left out", f"{name} of {laid.texture.name}")
            return number, None
        uv = np.concatenate([attributes[name][:, :2], np.ones((len(attributes[name]), 1))], axis=1)
        uv = (uv @ np.array(laid.transform, dtype=np.float64).T)[:, :2]
        uv[:, 1] = 1.0 - uv[:, 1]
        if laid.clamped and (np.abs(uv - 0.5) > 0.501).any():
            self._warn("clamped texture repeated", laid.texture.name)
        return number, uv[faces]

    def _warn(self, kind: str, detail: str) -> None:
        self.warnings[f"{kind}: {self.path.name} {detail}"] = None

    def _default(self) -> tuple[int, None]:
        """The material of primitives that have colours and name none (specification, 3.9.6)."""
        self.known.append(FileMaterial("default", roughness=1.0, metallic=1.0))
        return len(self.known) - 1, None

    def _read(self, index: Any) -> tuple[int, _Laid | None]:
        entry = self.buffers.item("materials", index)
        name = str(entry.get("name") or f"material {index}")
        extensions = entry.get("extensions") or {}
        for unknown in sorted(set(extensions) - _SHOWN):
            if unknown.startswith(("KHR_materials_", "EXT_materials_", "ADOBE_materials_", "MSFT_")):
                self._warn("material extension not shown", f"{name} ({unknown})")
        if entry.get("alphaMode", "OPAQUE") != "OPAQUE":
            self._warn("transparency shown opaque", name)
        if any(entry.get("emissiveFactor") or ()):
            self._warn("emission not shown", name)
        try:
            if "KHR_materials_pbrSpecularGlossiness" in extensions:
                material, laid = self._specular(name, extensions["KHR_materials_pbrSpecularGlossiness"])
            else:
                material, laid = self._metallic(name, entry.get("pbrMetallicRoughness") or {})
        except _MissingImage:
            return -1, None
        if "KHR_materials_unlit" in extensions:
            material = replace(material, roughness=1.0, metallic=0.0, roughness_map=None, metallic_map=None)
        if "normalTexture" in entry:
            normal = self._laid_or_none(entry["normalTexture"])
            if normal is not None and self._fits(normal, laid, name):
                strength = float(entry["normalTexture"].get("scale", 1.0))
                material = replace(material, normal_map=normal.texture, normal_strength=strength)
                laid = laid or normal
        self.known.append(material)
        return len(self.known) - 1, laid

    def _metallic(self, name: str, pbr: dict[str, Any]) -> tuple[FileMaterial, _Laid | None]:
        r, g, b = self._factor(pbr.get("baseColorFactor"), 4)[:3]
        material = FileMaterial(
            name, (r, g, b), float(pbr.get("roughnessFactor", 1.0)), float(pbr.get("metallicFactor", 1.0))
        )
        base = self._laid(pbr["baseColorTexture"]) if "baseColorTexture" in pbr else None
        packed = self._laid_or_none(pbr.get("metallicRoughnessTexture"))
        if base is not None:
            material = replace(material, base_map=base.texture)
        if packed is None or not self._fits(packed, base, name):
            return material, base
        roughness, metallic = replace(packed.texture, channel="g"), replace(packed.texture, channel="b")
        return replace(material, roughness_map=roughness, metallic_map=metallic), base or packed

    def _specular(self, name: str, entry: dict[str, Any]) -> tuple[FileMaterial, _Laid | None]:
        r, g, b = self._factor(entry.get("diffuseFactor"), 4)[:3]
        sr, sg, sb = self._factor(entry.get("specularFactor"), 3)
        gloss = float(entry.get("glossinessFactor", 1.0))
        base = self._laid(entry["diffuseTexture"]) if "diffuseTexture" in entry else None
        packed = self._laid_or_none(entry.get("specularGlossinessTexture"))
        if packed is not None and not self._fits(packed, base, name):
            packed = None
        specular = SpecularGlossiness((sr, sg, sb), gloss, packed.texture if packed else None)
        material = FileMaterial(
            name, (r, g, b), 1.0 - gloss, base_map=base.texture if base else None, specular=specular
        )
        return material, base or packed

    def _fits(self, packed: _Laid, base: _Laid | None, name: str) -> bool:
        """Whether an image lies as the base image does: a skin has one set of coordinates."""
        if base is None or (packed.coordinates, packed.transform) == (base.coordinates, base.transform):
            return True
        self._warn("texture on other coordinates left out", f"{name}: {packed.texture.name}")
        return False

    def _factor(self, value: Any, count: int) -> list[float]:
        factor = np.ones(count) if value is None else np.array(value, dtype=np.float64).reshape(count)
        if not np.isfinite(factor).all():
            raise ValueError("a colour factor is not finite")
        return np.clip(factor, 0.0, 1.0).tolist()

    def _laid_or_none(self, info: dict[str, Any] | None) -> _Laid | None:
        """The image of a textureInfo, or None where there is none to show."""
        try:
            return None if info is None else self._laid(info)
        except _MissingImage:
            return None

    def _laid(self, info: dict[str, Any]) -> _Laid:
        """The image of a textureInfo. Raises _MissingImage after a warning."""
        texture = self.buffers.item("textures", info.get("index"))
        coordinates = info.get("texCoord", 0)
        transform = (info.get("extensions") or {}).get("KHR_texture_transform")
        matrix = np.eye(3)
        if transform is not None:
            coordinates = transform.get("texCoord", coordinates)
            matrix = transform_matrix(transform)
        mirror, clamped = self._wraps(texture)
        image = replace(self._image(texture), mirror=mirror)
        return _Laid(image, int(coordinates), clamped, tuple(map(tuple, matrix.tolist())))

    def _wraps(self, texture: dict[str, Any]) -> tuple[tuple[bool, bool], bool]:
        """In which directions (u, v) repeats are mirrored, and whether the image's edge goes on in any."""
        sampler = self.buffers.item("samplers", texture["sampler"]) if "sampler" in texture else {}
        wraps = [sampler.get(key, _REPEAT) for key in ("wrapS", "wrapT")]
        if any(wrap not in (_REPEAT, _CLAMP, _MIRRORED) for wrap in wraps):
            raise bad(self.path, f"a sampler wraps by {wraps}")
        return (wraps[0] == _MIRRORED, wraps[1] == _MIRRORED), _CLAMP in wraps

    def _image(self, texture: dict[str, Any]) -> Texture:
        extensions = texture.get("extensions") or {}
        source = (extensions.get("EXT_texture_webp") or {}).get("source", texture.get("source"))
        if source is None:
            self._warn("texture format not read", ", ".join(sorted(extensions)) or "a texture without an image")
            raise _MissingImage
        entry = self.buffers.item("images", source)
        name = str(entry.get("name") or f"image {source}")
        if "bufferView" in entry:
            return Texture(name, data=self.buffers.view(entry["bufferView"]))
        shown, data, found = self.buffers.uri(entry.get("uri"), f"image {source}")
        if data is None and found is None:
            self._warn("texture missing", shown)
            raise _MissingImage
        return Texture(found.name if found else name, found, data)


def transform_matrix(transform: dict[str, Any]) -> np.ndarray:
    """KHR_texture_transform as (3, 3) on (u, v, 1) with v downwards: scale, then rotation, then offset.

    Counter-clockwise as seen on the image, so with v downwards u turns towards -v.
    """
    (x, y), (sx, sy) = transform.get("offset", (0, 0)), transform.get("scale", (1, 1))
    c, s = np.cos(transform.get("rotation", 0.0)), np.sin(transform.get("rotation", 0.0))
    matrix = np.array([[c * sx, s * sy, x], [-s * sx, c * sy, y], [0, 0, 1]], dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise ValueError("a texture transform is not finite")
    return matrix
