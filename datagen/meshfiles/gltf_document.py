"""The JSON side of glTF: containers, versions, extensions, and the files that a document names."""

import json
import struct
from pathlib import Path
from typing import Any

from datagen.core.errors import MissingDependency
from datagen.meshfiles.accessors import Buffers
from datagen.meshfiles.places import Places
from datagen.meshfiles.text import plain_text, refuse_pointer
from datagen.meshfiles.values import bad

DRACO = "KHR_draco_mesh_compression"
READ = frozenset(
    {
        "KHR_mesh_quantization",
        "KHR_texture_transform",
        "EXT_mesh_gpu_instancing",
        DRACO,
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_unlit",
        "EXT_texture_webp",
        "KHR_node_visibility",
    }
)
"""Extensions that change what is seen and are read."""
HARMLESS = frozenset(
    {
        "KHR_lights_punctual",
        "KHR_xmp_json_ld",
        "KHR_xmp",
        "KHR_materials_variants",
        "KHR_materials_emissive_strength",
        "EXT_lights_image_based",
        "KHR_animation_pointer",
        "MSFT_lod",
        "KHR_audio",
        "EXT_mesh_manifold",
        "KHR_node_selectability",
        "KHR_node_hoverability",
        "EXT_structural_metadata",
        "EXT_mesh_features",
    }
)
"""Extensions that say nothing of a shape's surface as it is shown: they may even be required."""


def header(path: Path) -> tuple[dict[str, Any], bytes | None]:
    """The JSON document of a .gltf or .glb, and the binary chunk of a GLB. Raises MeshLoadError."""
    data = path.read_bytes()
    refuse_pointer(data, path)
    chunk = None
    if data[:4] == b"glTF":
        data, chunk = _chunks(path, data)
    else:
        data = plain_text(data, path)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise bad(path, f"broken glTF header ({error})") from error
    if not isinstance(document, dict):
        raise bad(path, "the glTF header is no object")
    version = str((document.get("asset") or {}).get("version", "")) if isinstance(document.get("asset"), dict) else ""
    if not version.startswith("2."):
        raise bad(path, f"glTF version {version or 'unknown'} is not read; 2.0 is")
    least = str(document["asset"].get("minVersion", "2.0"))
    if least != "2.0":
        raise bad(path, f"it asks for glTF {least} at least; 2.0 is read")
    return document, chunk


def _chunks(path: Path, data: bytes) -> tuple[bytes, bytes | None]:
    try:
        version, total = struct.unpack_from("<II", data, 4)
        length, kind = struct.unpack_from("<II", data, 12)
    except struct.error as error:
        raise bad(path, "a GLB header cut short") from error
    if version != 2:
        raise bad(path, f"GLB version {version} is not read; 2 is")
    if kind != 0x4E4F534A or total != len(data) or 20 + length > len(data):
        raise bad(path, f"a GLB of {len(data)} bytes whose header says {total}: cut short or broken")
    at = 20 + length
    text = data[20:at]
    while at + 8 <= len(data):
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > len(data):
            raise bad(path, "a chunk of the GLB is cut short")
        if kind == 0x004E4942:
            return text, data[at + 8 : at + 8 + size]
        at += 8 + size  # chunks of other kinds are to be ignored
    return text, None


def extensions(document: dict[str, Any], key: str) -> tuple[str, ...]:
    """Names under extensionsRequired or extensionsUsed."""
    names = document.get(key) or ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def needs_draco(path: Path) -> bool:
    """Whether the geometry is Draco-compressed and cannot be read without a decoder. Raises MeshLoadError."""
    return DRACO in extensions(header(path)[0], "extensionsRequired")


def check_extensions(path: Path, document: dict[str, Any]) -> None:
    for name in extensions(document, "extensionsRequired"):
        if name not in READ | HARMLESS:
            raise bad(path, f"it requires the extension {name}, which is not read", "export it without that extension")
        if name == DRACO:
            require_draco(path)


def require_draco(path: Path) -> None:
    from importlib.util import find_spec

    if find_spec("DracoPy") is None:
        raise MissingDependency(f"{path}: needs DracoPy; install the extra with: pip install 'datagen[draco]'")


def files_named(path: Path, places: Places) -> list[Path]:
    """Buffers and images outside a glTF file that are there. Raises MeshLoadError on a broken header."""
    document, chunk = header(path)
    buffers = Buffers(path, document, chunk, places)
    found = []
    for kind in ("buffers", "images"):
        for entry in document.get(kind) or []:
            if isinstance(entry, dict) and isinstance(entry.get("uri"), str):
                _, _, file = buffers.uri(entry["uri"], kind)
                if file is not None:
                    found.append(file)
    return found
