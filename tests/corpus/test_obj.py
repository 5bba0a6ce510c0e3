"""OBJ in every legal spelling is the same chair; what is no OBJ is refused by name and line."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.core.errors import MeshLoadError
from datagen.meshfiles.load import read_mesh_file
from tests.corpus.chair import Solid, assert_same, chair, prism

STAR = np.array(
    [[np.cos(a) * r, np.sin(a) * r] for k in range(10) for a, r in [(k * np.pi / 5, 0.1 if k % 2 else 0.3)]]
)


@dataclass(frozen=True)
class Spelling:
    """One way to write the same file."""

    interleaved: bool
    negative: bool
    fields: tuple[str, ...]
    """For the corners in turn: v, v/t, v//n, v/t/n."""
    keyword: str
    indent: str
    gap: str
    comment: str
    end: str
    encoding: str
    extra: str
    """After the three coordinates: a weight, or a colour."""
    number: str
    continued: bool
    unused: bool


SPELLINGS = st.builds(
    Spelling,
    interleaved=st.booleans(),
    negative=st.booleans(),
    fields=st.lists(st.sampled_from(["v", "v/t", "v//n", "v/t/n"]), min_size=1, max_size=4).map(tuple),
    keyword=st.sampled_from(["o", "g"]),
    indent=st.sampled_from(["", " ", "\t", "   "]),
    gap=st.sampled_from([" ", "\t", "  ", " \t "]),
    comment=st.sampled_from(["", " # a comment", "\t# 1 2 3"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    extra=st.sampled_from(["", "1.0", "0.2 0.4 0.9", "1.0 255 128 0"]),
    number=st.sampled_from(["%.9f", "%.9e", "%+.9f", "%.12g"]),
    continued=st.booleans(),
    unused=st.booleans(),
)


def written(solids: tuple[Solid, ...], way: Spelling) -> bytes:
    """The solids as OBJ."""
    lines, faces, count = ["# made by a test", "", "s off"], [], 0
    if way.unused:
        lines.append("v 9 9 9")
        count = 1
    for solid in solids:
        head = [f"{way.keyword} {solid.name}", "usemtl default"]
        rows = [("v", *(way.number % c for c in point), *way.extra.split()) for point in solid.points]
        rows += [("vt", "0.5", "0.25"), ("vn", "0", "0", "1")]
        total = sum(len(s.points) for s in solids) + way.unused
        above = count + len(solid.points) if way.interleaved else total
        textures = 1 + len([s for s in solids[: solids.index(solid)]])
        body = []
        for face in solid.faces:
            corners = []
            for k, place in enumerate(face):
                index = count + place + 1
                values = {"v": index - above - 1 if way.negative else index, "t": textures, "n": textures}
                field = way.fields[k % len(way.fields)]
                corners.append("".join(str(values.get(c, c)) for c in field))
            body.append(("f", *corners))
        count += len(solid.points)
        text = [way.indent + way.gap.join(row) + way.comment for row in rows]
        polygons = [way.indent + way.gap.join(row) + way.comment for row in body]
        if way.continued and not way.comment:
            polygons = [line.replace(way.gap, f" \\{way.end}", 1) if len(line) > 9 else line for line in polygons]
        if way.interleaved:
            lines += [*head, *text, *polygons]
        else:
            lines += text
            faces += [*head, *polygons]
    return way.end.join([*lines, *faces, ""]).encode(way.encoding)


@settings(max_examples=60, deadline=None)
@given(SPELLINGS)
def test_every_spelling_is_the_same_chair(tmp_path_factory: pytest.TempPathFactory, way: Spelling) -> None:
    path = tmp_path_factory.mktemp("obj") / "chair.obj"
    path.write_bytes(written(chair(), way))
    file = read_mesh_file(path)
    assert_same(file, chair())
    assert [part.name for part in file.parts] == [solid.name for solid in chair()], "the order of the file"
    assert (file.parts[0].color is not None) == (len(way.extra.split()) > 1)


def one(tmp_path: Path, text: str, name: str = "a.obj") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_concave_polygons_keep_their_notches(tmp_path: Path) -> None:
    star = prism("star", STAR, 0.2)
    rows = [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in star.points]
    rows += ["f " + " ".join(str(k + 1) for k in face) for face in star.faces]
    (part,) = read_mesh_file(one(tmp_path, "\n".join(rows))).parts
    assert part.mesh.area == pytest.approx(star.area, rel=1e-6)
    centres = part.mesh.triangles.mean(axis=1)
    radius = np.linalg.norm(centres[:, :2], axis=1)
    assert radius.max() < 0.3 * np.cos(np.pi / 10), "no triangle lies across a notch"


TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (TRIANGLE + "f 1 2 4\n", "outside 1..3"),
        (TRIANGLE + "f 1 2 0\n", "outside 1..3"),
        (TRIANGLE + "f -1 -2 -4\n", "outside 1..3"),
        ("f -3 -2 -1\n" + TRIANGLE, "outside 1..3"),
        (TRIANGLE + "f 1 2\n", "under three corners"),
        (TRIANGLE + "f 1 2 x\n", "'x' in a face line is no index"),
        (TRIANGLE + "f 1 2 1.5\n", "'1.5' in a face line is no index"),
        (TRIANGLE + "f 1/1/1/1 2 3\n", "more than three fields"),
        (TRIANGLE + "f 1 2 3_0\n", "underscore"),
        (TRIANGLE + "v 1 2\nf 1 2 3\n", "vertex 4 has 2 numbers"),
        (TRIANGLE + "v 1 2 3 4 5\nf 1 2 3\n", "vertex 4 has 5 numbers"),
        (TRIANGLE + "v 1 2 1,5\nf 1 2 3\n", "'1,5' is no number"),
        (TRIANGLE + "v nan 0 0\nf 1 2 4\n", "not finite"),
        (TRIANGLE + "surf 0 1 0 1 1 2 3\nf 1 2 3\n", "line 4: free-form surfaces"),
        (TRIANGLE + "call other.obj\nf 1 2 3\n", "line 4: call"),
        (TRIANGLE + "f1 2 3\n", "line 4: 'f1' is no OBJ statement"),
        ("<!DOCTYPE html>\n", "line 1"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "git-lfs pointer.*git lfs pull"),
        (TRIANGLE, "holds no face"),
        (TRIANGLE + "l 1 2\n", "holds no face"),
        ("v 0 0 0\0\n", "null bytes"),
    ],
)
def test_what_is_no_obj_is_refused_by_name(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(MeshLoadError, match=f"a\\.obj: .*{cause}"):
        read_mesh_file(one(tmp_path, text))


def test_objects_go_before_groups_and_repeats_are_joined(tmp_path: Path) -> None:
    text = TRIANGLE + "g x\no seat\nf 1 2 3\ng y\nf 3 2 1\no leg\nf 1 2 3\no seat\nf 2 3 1\n"
    file = read_mesh_file(one(tmp_path, text))
    assert [(part.name, len(part.mesh.faces)) for part in file.parts] == [("seat", 3), ("leg", 1)]
    single = read_mesh_file(one(tmp_path, TRIANGLE + "o only\ng a b\nf 1 2 3\ng\nf 3 2 1\n"))
    assert [part.name for part in single.parts] == ["a b", "a"], "one object: groups tell, the nameless is the file's"
    bare = read_mesh_file(one(tmp_path, TRIANGLE + "f 1 2 3\n", "thing.obj"))
    assert [part.name for part in bare.parts] == ["thing"]


def test_lines_points_and_lost_coordinates_are_told(tmp_path: Path) -> None:
    file = read_mesh_file(one(tmp_path, TRIANGLE + "vt 0 0\nf 1/7 2/1 3/1\nl 1 2\np 1\nvp 0 1\n"))
    assert file.warnings == (
        "lines left out: a.obj (1)",
        "points left out: a.obj (1)",
        "texture coordinates that are not defined left out: a.obj (1)",
    )
    assert file.parts[0].uv is not None and np.isnan(file.parts[0].uv[0, 0]).all()


def test_a_polygon_with_repeated_corners_keeps_its_surface(tmp_path: Path) -> None:
    file = read_mesh_file(one(tmp_path, TRIANGLE + "v 1 1 0\nf 1 2 2 4 3\n"))
    assert file.mesh.area == pytest.approx(1)
