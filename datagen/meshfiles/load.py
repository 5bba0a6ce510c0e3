"""The one door: any mesh file by its suffix, guarded."""

from pathlib import Path

from datagen.core.errors import MeshLoadError
from datagen.meshfiles import gltf_document, mtl, obj, ply
from datagen.meshfiles.gltf import read_gltf
from datagen.meshfiles.off import read_off
from datagen.meshfiles.places import Places
from datagen.meshfiles.step import read_step
from datagen.meshfiles.stl import read_stl
from datagen.meshfiles.values import MAX_BYTES, FileMaterial, FilePart, MeshFile, bad

GLTF_SUFFIXES = (".glb", ".gltf")
STEP_SUFFIXES = (".step", ".stp")
MESH_SUFFIXES = (".obj", ".stl", ".ply", ".off", *GLTF_SUFFIXES, *STEP_SUFFIXES)


def read_mesh_file(path: Path | str, within: Path | None = None) -> MeshFile:
    """Parts, materials and warnings of one file, in the file's own frame and units (glTF is y up).

    Files that it names (buffers, material files, images) are looked for inside `within` alone, by default the
    folder of the file. Raises MeshLoadError naming the file and what is wrong, MissingDependency where an extra
    is needed to read it.
    """
    path = Path(path)
    _check(path)
    places = Places(path, within or path.parent)
    suffix = path.suffix.lower()
    try:
        if suffix == ".obj":
            return _read_obj(path, places)
        if suffix == ".ply":
            return ply.read_ply(path, places)
        if suffix == ".stl":
            return read_stl(path)
        if suffix == ".off":
            return read_off(path)
        return read_step(path) if suffix in STEP_SUFFIXES else read_gltf(path, places)
    except (OSError, MemoryError) as error:
        raise bad(path, f"{type(error).__name__}: {error}") from error


def _check(path: Path) -> None:
    if path.suffix.lower() not in MESH_SUFFIXES:
        raise MeshLoadError(f"{path}: {path.suffix or 'no suffix'} is no mesh format ({' '.join(MESH_SUFFIXES)})")
    if not path.is_file():
        raise MeshLoadError(f"{path}: the file is missing; restore it or take the shape out")
    size = path.stat().st_size
    if not 0 < size <= MAX_BYTES:
        raise bad(path, f"{size} bytes is no usable size for a mesh")


def _read_obj(path: Path, places: Places) -> MeshFile:
    text, shape = obj.read(path.read_bytes(), path)
    if len(shape.faces) == 0:
        raise bad(path, "it holds no face")
    library = mtl.read_library(path, text.libraries, places)
    named = list(dict.fromkeys(material for _, _, material in shape.owners))
    # A material whose image is missing is as good as none: its faces are dressed like bare ones.
    worn = [m for name in named if (m := library.materials.get(name)) and not _imageless(m.material)]
    slots = {m.material.name: k for k, m in enumerate(worn)}
    parts = []
    for part in obj.parts(path, shape, slots):
        uv = part.uv
        if uv is not None:
            uv = uv.copy()
            for k, material in enumerate(worn):
                uv[part.slot == k] = material.laid(uv[part.slot == k])
        parts.append(FilePart(part.name, part.mesh, part.slot, uv, part.color))
    unknown = [
        name for name in named if name and name not in library.materials and (library.materials or not text.libraries)
    ]
    warnings = [
        *library.warnings,
        *(f"material not defined: {path.name} names {name}" for name in unknown),
        *(f"{what} left out: {path.name} ({count})" for what, count in sorted(text.left_out.items())),
    ]
    return MeshFile(path, tuple(parts), tuple(m.material for m in worn), tuple(dict.fromkeys(warnings)))


def _imageless(material: FileMaterial) -> bool:
    base = material.base_map
    return base is not None and base.path is None and base.data is None


def needs_draco(path: Path) -> bool:
    """Whether a GLB/glTF cannot be read without Draco's decoder. Raises MeshLoadError on a broken header."""
    return gltf_document.needs_draco(path)


def files_named(path: Path, within: Path | None = None) -> tuple[Path, ...]:
    """Other files that a mesh file depends on: buffers, material files, images. A broken file names none."""
    places = Places(path, within or path.parent)
    suffix = path.suffix.lower()
    try:
        if suffix == ".obj":
            found = mtl.texture_files(path, obj.libraries(path.read_bytes(), path), places)
        elif suffix == ".ply":
            found = ply.texture_files(path, places)
        elif suffix in GLTF_SUFFIXES:
            found = gltf_document.files_named(path, places)
        else:
            found = []
    except (MeshLoadError, OSError):
        return ()
    return tuple(dict.fromkeys(found))
