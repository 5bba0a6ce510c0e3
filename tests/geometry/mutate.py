"""Mutated mesh files through loading, cleaning and the solid chain, one line of outcome a case.

Run as `python -m tests.geometry.mutate SEED FIRST COUNT`: a process of its own, since native libraries may die.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from datagen.core.errors import MeshLoadError
from datagen.core.rng import stream
from datagen.geometry.clean import clean
from datagen.geometry.solid import solidify_part
from datagen.meshfiles.load import load_mesh

ROOT = Path(__file__).parents[2]
FORMATS = ("obj", "stl", "ply", "off", "glb")


def seeds() -> list[tuple[str, bytes]]:
    """(suffix, bytes) of small whole files in every format."""
    import trimesh

    objs = sorted((ROOT / "assets" / "partnet" / "chair").glob("100[1-4]/objs/*.obj"))
    small = sorted(objs, key=lambda p: (p.stat().st_size, p.as_posix()))[:6]
    found = [("obj", path.read_bytes()) for path in small]
    mesh = trimesh.load(small[-1], process=False)
    for kind in FORMATS[1:]:
        data = mesh.export(file_type=kind)
        found.append((kind, data.encode() if isinstance(data, str) else data))
    return found


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip, cut, repeat, swap or poison a piece of a file."""
    body = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
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
    for mesh in meshes[:2]:
        if len(mesh.faces) < 5000:
            try:
                clean(mesh)
            except MeshLoadError:
                continue
            solidify_part(mesh)
    return "loaded"


def main() -> None:
    seed, first, count = map(int, sys.argv[1:4])
    files = seeds()
    with tempfile.TemporaryDirectory() as folder:
        for case in range(first, first + count):
            sys.stdout.write(f"{case} {outcome(seed, case, files, Path(folder))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
