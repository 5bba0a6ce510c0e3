"""Mutated mesh files through loading, a second reader, cleaning and the solid chain, one line of outcome a case.

Run as `python -m tests.geometry.mutate SEED FIRST COUNT [FORMAT]`, a process of its own: native libraries may die.
"""

import base64
import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from datagen.core.errors import MeshLoadError
from datagen.core.rng import stream
from datagen.core.shape import Mesh, concatenate
from datagen.geometry.clean import clean
from datagen.geometry.solid import solidify_part
from tests.helpers.meshes import load_mesh

ROOT = Path(__file__).parents[2]
FORMATS = ("obj", "stl", "ply", "off", "glb", "gltf")
ABSURD = 1e6
"""Coordinates beyond this lose digits in one reader or the other."""


def seeds() -> list[tuple[str, bytes]]:
    """(suffix, bytes) of small whole files in every format."""
    import trimesh

    objs = sorted((ROOT / "assets" / "partnet" / "chair").glob("100[1-4]/objs/*.obj"))
    small = sorted(objs, key=lambda p: (p.stat().st_size, p.as_posix()))[:6]
    found = [("obj", path.read_bytes()) for path in small]
    mesh = trimesh.load(small[-1], process=False)
    for kind in FORMATS[1:]:
        if kind == "gltf":
            found.append((kind, _inline(mesh.export(file_type="glb"))))
            continue
        data = mesh.export(file_type=kind)
        found.append((kind, data.encode() if isinstance(data, str) else data))
    return found


def _inline(glb: bytes) -> bytes:
    """A GLB as .gltf with its buffer in a data URI: mutations fall on JSON and base64."""
    length = int.from_bytes(glb[12:16], "little")
    document, body = json.loads(glb[20 : 20 + length]), glb[28 + length :]
    document["buffers"] = [{"byteLength": len(body), "uri": "data:;base64," + base64.b64encode(body).decode()}]
    return json.dumps(document).encode()


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip, cut, repeat, swap or poison a piece of a file."""
    body = bytearray(data)
    for _ in range(int(rng.choice([1, 1, 1, 2, 5]))):
        at = int(rng.integers(0, max(len(body), 1)))
        length = int(rng.integers(1, 64))
        match int(rng.integers(0, 7)):
            case 0:
                body[at : at + 1] = rng.bytes(1)
            case 1:
                del body[at : at + length]
            case 2:
                del body[at:]
            case 3:
                body[at:at] = body[at : at + length] * int(rng.integers(1, 40))
            case 4:
                body[at : at + length] = rng.bytes(length)
            case 5:
                words = [b" nan ", b" 1e39 ", b" -1 ", b" 999999999 ", b"\n", b"f 1 1 1\n", b"v 0 0\n", b"inf"]
                body[at : at + length] = words[int(rng.integers(len(words)))]
            case 6:
                body[at : at + 4] = np.array([rng.choice([np.nan, np.inf, 1e38, -0.0])], dtype="<f4").tobytes()
    return bytes(body)


def outcome(seed: int, case: int, files: list[tuple[str, bytes]], folder: Path) -> str:
    """`loaded` or `refused`; anything else is a finding."""
    rng = stream(seed, "mutate", case)
    suffix, data = files[int(rng.integers(len(files)))]
    path = folder / f"mesh.{suffix}"
    path.write_bytes(mutate(data, rng))
    try:
        meshes = [mesh for _, mesh in load_mesh(path)]
    except MeshLoadError as error:
        return "refused" if path.name in str(error) else f"unnamed: {error}"
    if not meshes or any(len(m.faces) == 0 or not np.isfinite(m.vertices).all() for m in meshes):
        return "accepted an empty or non-finite mesh"
    if (why := _told_apart(concatenate(meshes), path)) is not None:
        return why
    for mesh in meshes[:2]:
        if len(mesh.faces) < 5000:
            try:
                clean(mesh)
            except MeshLoadError:
                continue
            solidify_part(mesh)
    return "loaded"


def _told_apart(ours: Mesh, path: Path) -> str | None:
    """What a second reader sees otherwise in a file that it takes too: its faces, or the box around them."""
    import trimesh

    try:
        scene = trimesh.load_scene(str(path), process=False, skip_materials=True)
        found = [g for g in scene.dump() if isinstance(g, trimesh.Trimesh) and len(g.faces)]
        corners = np.concatenate([np.asarray(g.triangles) for g in found]).reshape(-1, 3)
    except Exception:
        return None
    if not np.isfinite(corners).all() or np.abs(corners).max() > ABSURD or np.abs(ours.bounds).max() > ABSURD:
        return None
    box = np.array([corners.min(axis=0), corners.max(axis=0)])
    if _same(ours, len(corners) // 3, box) or _same(ours, *_by_a_third(path)):
        return None
    return (
        f"differs: {len(ours.faces)} faces in {ours.bounds.round(4).tolist()}, "
        f"{len(corners) // 3} in {box.round(4).tolist()} by the second reader"
    )


def _same(ours: Mesh, faces: int, box: np.ndarray) -> bool:
    return len(ours.faces) == faces and np.abs(box - ours.bounds).max() < 1e-5 * max(1.0, float(np.abs(box).max()))


BLENDER = """
import sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
path = sys.argv[1]
if path.endswith("obj"):
    bpy.ops.wm.obj_import(filepath=path, forward_axis="Y", up_axis="Z", validate_meshes=False)
elif path.endswith("ply"):
    bpy.ops.wm.ply_import(filepath=path)
elif path.endswith("stl"):
    bpy.ops.wm.stl_import(filepath=path, use_mesh_validate=False)
else:
    bpy.ops.import_scene.gltf(filepath=path)
faces, corners = 0, []
for thing in bpy.data.objects:
    thing.data.calc_loop_triangles()
    for t in thing.data.loop_triangles:
        faces += 1
        corners += [thing.matrix_world @ thing.data.vertices[v].co for v in t.vertices]
print("FOUND", faces, *(f(c[k] for c in corners) for f in (min, max) for k in range(3)))
"""


MESHLAB = """
import sys, numpy, pymeshlab
meshes = pymeshlab.MeshSet()
meshes.load_new_mesh(sys.argv[1])
corners = numpy.concatenate([m.vertex_matrix()[m.face_matrix()].reshape(-1, 3) for m in meshes])
print("FOUND", len(corners) // 3, *corners.min(axis=0), *corners.max(axis=0))
"""


def _by_a_third(path: Path) -> tuple[int, np.ndarray]:
    """Faces and box by Blender's importer (MeshLab's for OFF), asked where two disagree; no face where it refuses."""
    reader = MESHLAB if path.suffix == ".off" else BLENDER
    done = subprocess.run([sys.executable, "-c", reader, str(path)], capture_output=True, text=True, check=False)
    line = next((line.split() for line in done.stdout.splitlines() if line.startswith("FOUND")), None)
    if line is None:
        return 0, np.zeros((2, 3))
    return int(line[1]), np.array(line[2:], dtype=float).reshape(2, 3)


def main() -> None:
    seed, first, count = map(int, sys.argv[1:4])
    files = [file for file in seeds() if len(sys.argv) < 5 or file[0] == sys.argv[4]]
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        for case in range(first, first + count):
            sys.stdout.write(f"{case} {outcome(seed, case, files, Path(folder))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
