"""STEP through OpenCASCADE (the extra `step`), by way of GLB."""

import subprocess
import sys
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
MOST_SECONDS = 300
"""For one file; an assembly of hundreds of solids takes tens."""
CONVERT = (
    "import sys, cascadio; sys.exit(cascadio.step_to_glb(sys.argv[1], sys.argv[2], tol_linear=0.01, tol_angular=0.5))"
)


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
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "step.glb"
        _convert(path, made)
        try:
            found = read_gltf(made, Places(made, Path(folder)))
        except MeshLoadError as error:
            raise bad(path, f"its triangles cannot be used ({str(error.args[0]).split(': ', 1)[-1]})") from error
    # STEP has colours alone: what glTF takes for granted where nothing is said, bare metal, is not meant.
    materials = tuple(replace(m, roughness=ROUGHNESS, metallic=0.0) for m in found.materials)
    return MeshFile(path, found.parts, materials, found.warnings)


def _convert(path: Path, made: Path) -> None:
    """Write the GLB in a process of its own: OpenCASCADE can crash on a file, or mesh a vast one for ever."""
    command = [sys.executable, "-c", CONVERT, str(path), str(made)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise bad(
            path, f"OpenCASCADE did not mesh it in {MOST_SECONDS} s; is its unit right? Else export it as STL or OBJ"
        ) from error
    if done.returncode < 0:
        raise bad(path, f"OpenCASCADE crashed on it (signal {-done.returncode}); export it as STL or OBJ")
    if done.returncode or not made.is_file():
        said = [line for line in done.stderr.splitlines() if line.startswith(("RuntimeError", "ValueError", "OSError"))]
        raise bad(path, f"OpenCASCADE cannot read it ({said[-1]})" if said else "not readable as STEP")
