"""PLY, STL and OFF in every legal spelling are the same chair; damage is refused by name."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.core.errors import MeshLoadError
from datagen.meshfiles.load import read_mesh_file
from tests.corpus.chair import Solid, assert_same, chair, triangles

WHOLE = chair()
BOXES = WHOLE[:-1]


def joined(solids: tuple[Solid, ...]) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    points, faces, count = [], [], 0
    for solid in solids:
        points.append(solid.points)
        faces += [tuple(count + k for k in face) for face in solid.faces]
        count += len(solid.points)
    return np.concatenate(points), faces


@dataclass(frozen=True)
class PlySpelling:
    encoding: str
    real: str
    count: str
    index: str
    name: str
    order: str
    """Order of the vertex properties: with colours before, between or after, or none."""
    faces_first: bool
    extra: bool
    """A further element and list, with comments."""
    end: str
    triangulated: bool


PLY = st.builds(
    PlySpelling,
    encoding=st.sampled_from(["ascii", "binary_little_endian", "binary_big_endian"]),
    real=st.sampled_from(["float", "float64", "double", "float32"]),
    count=st.sampled_from(["uchar", "uint8", "int", "ushort"]),
    index=st.sampled_from(["int", "uint", "int32", "ushort", "short"]),
    name=st.sampled_from(["vertex_indices", "vertex_index"]),
    order=st.sampled_from(["xyz", "xyz rgb", "rgb xyz", "x r y g z b"]),
    faces_first=st.booleans(),
    extra=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    triangulated=st.booleans(),
)
STRUCT = {
    "float": "f", "float32": "f", "float64": "d", "double": "d", "uchar": "B", "uint8": "B", "int": "i", "int32": "i",
    "uint": "I", "ushort": "H", "short": "h",
}  # fmt: skip


def ply(way: PlySpelling) -> bytes:
    points, faces = joined(BOXES if way.triangulated else WHOLE)
    if way.triangulated:
        faces = [(face[0], face[k], face[k + 1]) for face in faces for k in range(1, len(face) - 1)]
    letters = way.order.replace(" ", "")
    lines = ["ply", f"format {way.encoding} 1.0", "comment made by a test", "obj_info nothing"]
    vertex = [f"element vertex {len(points)}"]
    vertex += [f"property {way.real} {c}" if c in "xyz" else f"property uchar {COLOR[c]}" for c in letters]
    face = [f"element face {len(faces)}", f"property list {way.count} {way.index} {way.name}"]
    if way.extra:
        face.insert(1, "property float quality")
        face.append("property list uchar float texcoord")
    other = ["element edge 2", "property int vertex1", "property uchar flag"] if way.extra else []
    lines += [*face, *vertex, *other] if way.faces_first else [*vertex, *face, *other]
    rows = [[(value(c, p, k), way.real if c in "xyz" else "uchar") for c in letters] for k, p in enumerate(points)]
    polygons = []
    for polygon in faces:
        row = [(len(polygon), way.count), *((k, way.index) for k in polygon)]
        polygons.append([(0.5, "float"), *row, (0, "uchar")] if way.extra else row)
    edges = [[(0, "int"), (1, "uchar")], [(1, "int"), (0, "uchar")]] if way.extra else []
    body = [*polygons, *rows, *edges] if way.faces_first else [*rows, *polygons, *edges]
    head = way.end.join([*lines, "end_header", ""]).encode()
    if way.encoding == "ascii":
        text = [" ".join(repr(v) if isinstance(v, float) else str(v) for v, _ in row) for row in body]
        return head + way.end.join([*text, ""]).encode()
    sign = "<" if way.encoding == "binary_little_endian" else ">"
    return head + b"".join(struct.pack(sign + STRUCT[kind], v) for row in body for v, kind in row)


COLOR = {"r": "red", "g": "green", "b": "blue"}


def value(letter: str, point: np.ndarray, number: int) -> float | int:
    return float(point["xyz".index(letter)]) if letter in "xyz" else (40 * "rgb".index(letter) + number) % 256


@settings(max_examples=60, deadline=None)
@given(PLY)
def test_every_ply_is_the_same_chair(tmp_path_factory: pytest.TempPathFactory, way: PlySpelling) -> None:
    path = tmp_path_factory.mktemp("ply") / "chair.ply"
    path.write_bytes(ply(way))
    file = read_mesh_file(path)
    assert_same(file, BOXES if way.triangulated else WHOLE, named=False)
    (part,) = file.parts
    assert part.name == "chair" and (part.color is not None) == ("r" in way.order)


def test_triangle_strips_of_ply(tmp_path: Path) -> None:
    points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 2, 0)]
    head = "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\n"
    head += "element tristrips 1\nproperty list int int vertex_indices\nend_header\n"
    text = head + "".join(f"{x} {y} {z}\n" for x, y, z in points) + "9 0 1 2 3 -1 2 3 4 -1\n"
    (tmp_path / "a.ply").write_text(text)
    mesh = read_mesh_file(tmp_path / "a.ply").mesh
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    assert len(mesh.faces) == 3 and mesh.area == pytest.approx(1.5)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all(), "all wound one way"


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (
            "element vertex 76",
            "element vertex 77",
            "cut short|outside|under three|cannot be read",
        ),
        ("element face 56", "element face 57", "cut short"),
        ("element face 56", "element face 55", "stand after its last element"),
        ("property float z", "property float w", "no x, y and z"),
        ("property float z", "property real z", "is not understood"),
        ("format ascii 1.0", "format text 1.0", "does not exist"),
        ("vertex_indices", "corners", "no faces"),
        ("end_header", "end_headers", "no PLY header"),
    ],
)
def test_damaged_ply_is_refused(tmp_path: Path, old: str, new: str, cause: str) -> None:
    data = ply(PlySpelling("ascii", "float", "uchar", "int", "vertex_indices", "xyz", False, False, "\n", False))
    assert old.encode() in data, data[:200]
    (tmp_path / "a.ply").write_bytes(data.replace(old.encode(), new.encode(), 1))
    with pytest.raises(MeshLoadError, match=rf"a\.ply: .*({cause})"):
        read_mesh_file(tmp_path / "a.ply")


def stl_binary(header: bytes = b"made by a test") -> bytes:
    corners = np.concatenate([solid_points[faces].reshape(-1, 9) for solid_points, faces in map(triangles, BOXES)])
    rows = np.zeros(len(corners), np.dtype([("n", "<f4", 3), ("c", "<f4", 9), ("a", "<u2")]))
    rows["c"] = corners
    return header.ljust(80, b"\0") + struct.pack("<I", len(rows)) + rows.tobytes()


def stl_text(word: str = "solid", end: str = "\n", named: bool = True) -> str:
    lines = []
    for solid in BOXES:
        points, faces = triangles(solid)
        lines.append(f"{word} {solid.name}" if named else word)
        for face in faces:
            lines += ["  facet normal 0 0 0", "\touter loop"]
            lines += ["    vertex {:.9e} {:.9e} {:.9e}".format(*points[k]) for k in face]
            lines += ["  endloop", "  endfacet"]
        lines.append(f"end{word} {solid.name}")
    return end.join([*lines, ""])


@pytest.mark.parametrize("header", [b"binary", b"solid made by somebody", b"solid facet normal"])
@pytest.mark.parametrize("tail", [b"", b"\0" * 700, b"\r\n"])
def test_binary_stl(tmp_path: Path, header: bytes, tail: bytes) -> None:
    (tmp_path / "chair.stl").write_bytes(stl_binary(header) + tail)
    file = read_mesh_file(tmp_path / "chair.stl")
    assert_same(file, BOXES, named=False)
    assert len(file.mesh.faces) == 96 and [part.name for part in file.parts] == ["chair"]
    assert file.warnings == ((f"bytes after the last triangle left out: chair.stl ({len(tail)})",) if tail else ())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("word", ["solid", "SOLID"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_stl_has_a_part_for_every_solid(tmp_path: Path, end: str, word: str, encoding: str) -> None:
    text = stl_text(word, end)
    (tmp_path / "chair.stl").write_bytes((text.upper() if word == "SOLID" else text).encode(encoding))
    file = read_mesh_file(tmp_path / "chair.stl")
    if word == "solid":
        assert_same(file, BOXES)
    else:
        assert_same(file, BOXES, named=False)
        assert len(file.parts) == 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"solid\nendsolid\n",
        stl_binary()[:-1],
        stl_binary()[:84],
        stl_binary()[:60],
        b"\0" * 84,
        stl_text()[:-40].replace("endloop", "endlop", 1).encode(),
        stl_text().replace("vertex -2.5", "vertex x", 1).encode(),
        stl_text().replace("-2.5", "nan #", 1).encode(),
    ],
)
def test_damaged_stl_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.stl").write_bytes(data)
    with pytest.raises(MeshLoadError, match=r"a\.stl: "):
        read_mesh_file(tmp_path / "a.stl")


def off(head: str, vertex: str = "", face: str = "", comment: str = "", end: str = "\n") -> str:
    points, faces = joined(WHOLE)
    counts = f"{len(points)} {len(faces)} 0"
    lines = [head.format(counts=counts)] if "{counts}" in head else [head, comment, counts]
    lines += [f"{x:.9f} {y:.9f} {z:.9f} {vertex}{comment}" for x, y, z in points]
    lines += [f"{len(f)} {' '.join(map(str, f))} {face}{comment}" for f in faces]
    return end.join([*lines, ""])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("comment", ["", " # a comment"])
@pytest.mark.parametrize(
    ("head", "vertex", "face"),
    [
        ("OFF", "", ""),
        ("off", "", "3"),
        ("OFF {counts}", "", "0.1 0.5 0.2"),
        ("OFF{counts}", "", "10 50 20 255"),
        ("COFF", "0.1 0.2 0.3 1.0", ""),
        ("COFF", "10 20 30 255", ""),
        ("NOFF", "0 0 1", ""),
        ("CNOFF", "0 0 1 10 20 30 255", ""),
        ("STOFF", "0.5 0.5", ""),
    ],
)
def test_every_off_is_the_same_chair(tmp_path: Path, head: str, vertex: str, face: str, comment: str, end: str) -> None:
    (tmp_path / "chair.off").write_text(off(head, vertex, face, comment, end), newline="")
    file = read_mesh_file(tmp_path / "chair.off")
    assert_same(file, WHOLE, named=False)
    colored = "C" in head or len(face.split()) > 1
    assert (file.parts[0].color is not None) == colored


def test_an_off_is_words_not_lines(tmp_path: Path) -> None:
    words = off("OFF").split()
    for width in (1, 7, len(words)):
        text = "\n".join(" ".join(words[k : k + width]) for k in range(0, len(words), width))
        (tmp_path / "chair.off").write_text(text)
        assert_same(read_mesh_file(tmp_path / "chair.off"), WHOLE, named=False)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "no usable size"),
        ("hello\n", "no OFF header"),
        ("OFF BINARY\n", "binary OFF"),
        ("4OFF\n1 1 0\n", "other than three"),
        ("nOFF\n3\n", "other than three"),
        (off("OFF")[:-40], "cut short"),
        (off("OFF") + "3 0 1 2\n", "after its last face"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 3\n", "outside 0..2"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n2 0 1\n", "under three corners"),
        ("OFF\n3 1 0\n0 0\n1 0 0\n0 1 0\n3 0 1 2\n", "under 3 numbers"),
        ("OFF\n3 1 0\n0 0 x\n1 0 0\n0 1 0\n3 0 1 2\n", "cannot be read"),
    ],
)
def test_damaged_off_is_refused(tmp_path: Path, text: str, cause: str) -> None:
    (tmp_path / "a.off").write_text(text)
    with pytest.raises(MeshLoadError, match=rf"a\.off: .*{cause}"):
        read_mesh_file(tmp_path / "a.off")
