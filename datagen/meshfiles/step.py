"""STEP through OpenCASCADE (the extra `step`), by way of GLB."""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from datagen.core.errors import MeshLoadError, MissingDependency, StoppedEarly
from datagen.core.shape import Mesh
from datagen.meshfiles.gltf import read_gltf
from datagen.meshfiles.places import Places
from datagen.meshfiles.step_solids import solid_faces
from datagen.meshfiles.step_units import check_units
from datagen.meshfiles.text import BOMS, plain_text, refuse_pointer
from datagen.meshfiles.values import NEXT_STEP, FilePart, MeshFile, bad, unique_names, used_only

ROUGHNESS = 0.5
MOST_SECONDS = 300
"""For one file; an assembly of hundreds of solids takes tens."""
CONVERT = (
    "import sys, cascadio; sys.exit(cascadio.step_to_glb(sys.argv[1], sys.argv[2], "
    "tol_linear=0.01, tol_angular=0.5, merge_primitives=False))"
)
"""A primitive a face, in the order of the solids: whatever has one colour would come first otherwise."""
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_SAID = re.compile(r"Incorrect [Ss]yntax ?: .*?(?=\s*\*\*\*\*|$)|^(?:RuntimeError|ValueError|OSError).*$", re.MULTILINE)


def read_step(path: Path) -> MeshFile:
    """The solids of a STEP file as triangles, z up as the file has them: a part each.

    Raises MeshLoadError naming the file, MissingDependency without the extra.
    """
    if find_spec("cascadio") is None:
        raise MissingDependency(f"{path}: needs cascadio; install the extra with: pip install 'datagen[step]'")
    data = path.read_bytes()
    refuse_pointer(data, path)
    marked = any(data.startswith(mark) for mark, _ in BOMS)
    if marked:
        data = plain_text(data, path)
    if b"ISO-10303-21" not in data[:4096]:
        raise bad(path, "not readable as STEP (no ISO-10303-21 header)")
    warnings = check_units(data, path)
    with tempfile.TemporaryDirectory() as folder:
        given, made = path, Path(folder) / "step.glb"
        if marked:  # OpenCASCADE stumbles over a byte order mark.
            given = Path(folder) / "plain.step"
            given.write_bytes(data)
        _convert(path, given, made)
        try:
            found = read_gltf(made, Places(made, Path(folder)))
        except MeshLoadError as error:
            cause = str(error.args[0]).split(": ", 1)[-1].removesuffix(f"; {NEXT_STEP}")
            raise bad(path, f"its triangles cannot be used ({cause})") from error
    # STEP has colours alone: what glTF takes for granted where nothing is said, bare metal, is not meant.
    materials = tuple(replace(m, roughness=ROUGHNESS, metallic=0.0) for m in found.materials)
    return MeshFile(path, _solids(found.parts), materials, (*warnings, *found.warnings))


def _solids(products: Sequence[FilePart]) -> tuple[FilePart, ...]:
    """The solids of every product, named by it."""
    pieces = []
    for product in products:
        groups = solid_faces(product.mesh)
        for faces in groups if len(groups) > 1 else ():
            mesh = Mesh(*used_only(product.mesh.vertices, product.mesh.faces[faces]))
            pieces.append(FilePart(product.name, mesh, product.slot[faces]))
        if len(groups) <= 1:
            pieces.append(product)
    names = unique_names(piece.name for piece in pieces)
    return tuple(replace(piece, name=name) for piece, name in zip(pieces, names, strict=True))


def _convert(path: Path, given: Path, made: Path) -> None:
    """Write the GLB in a process of its own: OpenCASCADE can crash on a file, or mesh a vast one for ever.

    `path` is named in errors; `given` is read. What OpenCASCADE says of it is told as the cause.
    """
    command = [sys.executable, "-c", CONVERT, str(given), str(made)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise bad(
            path, f"OpenCASCADE did not mesh it in {MOST_SECONDS} s; is its unit right? Else export it as STL or OBJ"
        ) from error
    if -done.returncode in (signal.SIGTERM, signal.SIGINT):
        raise StoppedEarly(f"stopped while {path} was read; run the same command again to go on")
    if done.returncode < 0:
        raise bad(path, f"OpenCASCADE crashed on it (signal {-done.returncode}); export it as STL or OBJ")
    if done.returncode or not made.is_file():
        said = _SAID.findall(_COLORS.sub("", f"{done.stdout}\n{done.stderr}"))
        raise bad(path, f"OpenCASCADE cannot read it ({said[-1].strip()})" if said else "not readable as STEP")
