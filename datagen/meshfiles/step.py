"""STEP through OpenCASCADE (the extra `step`), by way of GLB."""

import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from datagen.core.errors import MeshLoadError, MissingDependency
from datagen.meshfiles.gltf import read_gltf
from datagen.meshfiles.places import Places
from datagen.meshfiles.text import refuse_pointer
from datagen.meshfiles.values import MeshFile, bad

ROUGHNESS = 0.5


def read_step(path: Path) -> MeshFile:
    """The solids of a STEP file as triangles, z up as the file has them.

    Raises MeshLoadError naming the file, MissingDependency without the extra.
    """
    if find_spec("cascadio") is None:
        raise MissingDependency(f"{path}: needs cascadio; install the extra with: pip install 'datagen[step]'")
    data = path.read_bytes()
    refuse_pointer(data, path)
    if b"ISO-10303-21" not in data[:4096]:
        raise bad(path, "not readable as STEP (no ISO-10303-21 header)")
    import cascadio

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "step.glb"
        try:
            status = cascadio.step_to_glb(str(path), str(made), tol_linear=0.01, tol_angular=0.5)
        except (RuntimeError, ValueError, OSError) as error:
            raise bad(path, f"OpenCASCADE cannot read it ({error})") from error
        if status != 0 or not made.is_file():
            raise bad(path, "not readable as STEP")
        try:
            found = read_gltf(made, Places(made, Path(folder)))
        except MeshLoadError as error:
            raise bad(path, f"its triangles cannot be used ({str(error.args[0]).split(': ', 1)[-1]})") from error
    # STEP has colours alone: what glTF takes for granted where nothing is said, bare metal, is not meant.
    materials = tuple(replace(m, roughness=ROUGHNESS, metallic=0.0) for m in found.materials)
    return MeshFile(path, found.parts, materials, found.warnings)
