"""The quick reader of plain OBJ gives what the careful one gives, to the bit, or leaves a file to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.core.errors import MeshLoadError
from datagen.core.shape import Mesh
from datagen.formats.encode import obj_bytes
from datagen.meshfiles import obj
from datagen.meshfiles.load import read_mesh_file
from datagen.meshfiles.obj_plain import read_plain

GOOD = b"v 0.5 -1.25 3.000001\nv 1.0 0.0 0.0\nv 0.0 1.0 -0.0\nf 1 2 3\nf 3 2 1\n"
ODD = [
    b" ",
    b"\n",
    b"-",
    b".",
    b"1",
    b"v",
    b"f",
    b"v ",
    b"f ",
    b"1.0",
    b"\nf 1 2 3",
    b"\nv 1.0 2.0 3.0",
    b"/",
    b"e",
    b"#",
]


def careful(data):
    shape = obj.geometry(obj.read_text(data, "a.obj"))
    return shape.vertices, shape.faces


def test_what_the_program_writes_is_plain():
    rng = np.random.default_rng(0)
    mesh = Mesh(rng.normal(scale=100, size=(500, 3)), rng.integers(0, 500, (900, 3)))
    data = obj_bytes(mesh)
    quick = read_plain(data)
    for found, told in zip(quick, careful(data), strict=True):
        assert found.dtype == told.dtype and np.array_equal(found, told)


@settings(max_examples=400)
@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 3), st.sampled_from([b"", *ODD])), max_size=4))
def test_what_it_takes_the_careful_reader_reads_alike(edits):
    data = GOOD
    for place, removed, put in edits:
        data = data[:place] + put + data[place + removed :]
    quick = read_plain(data)
    if quick is not None:
        for found, told in zip(quick, careful(data), strict=True):
            assert np.array_equal(found, told)


@pytest.mark.parametrize(
    "data",
    [
        GOOD.replace(b"f 3 2 1", b"f 3 2 1 1"),
        GOOD.replace(b"f 3 2 1", b"f -1 2 1"),
        GOOD.replace(b"f 3 2 1", b"f 4 2 1"),
        GOOD.replace(b"f 3 2 1", b"f 0 2 1"),
        GOOD.replace(b"0.5 -1.25 3.000001", b"0.5 -1.25"),
        GOOD.replace(b"0.5 -1.25 3.000001", b"0.5-1.25 3.000001"),
        GOOD.replace(b"0.5 -1.25 3.000001", b"0.5 -1.2.5 3000001"),
        GOOD.replace(b"0.5", b"5e-1"),
        GOOD.replace(b"v 1.0", b"o seat\nv 1.0"),
        GOOD + b"v 1.0 2.0 3.0\n",
        GOOD.replace(b"\n", b"\r\n"),
        GOOD[:-1],
        b"",
    ],
)
def test_anything_else_is_left_to_the_careful_reader(data):
    assert read_plain(data) is None


def test_a_file_read_quickly_has_the_parts_of_one_read_carefully(tmp_path):
    (tmp_path / "leg.obj").write_bytes(GOOD)
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "leg.obj").write_bytes(b"# by hand\n" + GOOD)
    quick, slow = (read_mesh_file(tmp_path / path) for path in ("leg.obj", "slow/leg.obj"))
    (one,), (other,) = quick.parts, slow.parts
    assert one.name == other.name == "leg"
    assert np.array_equal(one.mesh.vertices, other.mesh.vertices) and np.array_equal(one.mesh.faces, other.mesh.faces)
    assert np.array_equal(one.slot, other.slot) and one.uv is None is other.uv and one.color is None is other.color


def test_libraries_are_found_in_any_encoding_and_broken_files_are_told():
    named = b"mtllib looks.mtl\n" + GOOD
    wide = b"\xff\xfe" + named.decode().encode("utf-16-le")
    assert obj.libraries(named, "a.obj") == ["looks.mtl"] == obj.libraries(wide, "a.obj")
    assert obj.libraries(GOOD, "a.obj") == []
    with pytest.raises(MeshLoadError):
        obj.libraries(b"mtllib looks.mtl\nnonsense\n", "a.obj")
