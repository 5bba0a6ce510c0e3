"""Folders as people have them: hidden files, ShapeNet's depth, links, PartNet-Mobility, cut downloads, any unit."""

from pathlib import Path

import numpy as np
import pytest

from datagen.core.errors import MeshLoadError, ShapeError, UsageError
from datagen.shapes.collections import open_collection
from tests.corpus.chair import BOXES, Solid, chair
from tests.corpus.test_obj import Spelling, written
from tests.shapes.helpers import SEAT_BOX, write_shape

PLAIN = Spelling(False, False, ("v",), "o", "", " ", "", "\n", "utf-8", "", "%.9f", False, False)
BOTH = pytest.mark.parametrize("textured", [False, True], ids=["chairs", "scenes"])
APPLE = b"\0\5\x16\7\0\2\0\0Mac OS X        "


def write_chair(path: Path, solids: tuple[Solid, ...] = chair(), scale: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    scaled = tuple(Solid(s.name, s.points * scale, s.faces) for s in solids)
    way = PLAIN if scale >= 1 else Spelling(*{**PLAIN.__dict__, "number": "%.9e"}.values())
    path.write_bytes(written(scaled, way))
    return path


def ids(path: Path, textured: bool) -> list[str]:
    return [entry.shape_id for entry in open_collection(str(path), textured=textured).entries()]


@BOTH
def test_hidden_files_are_as_if_they_were_not_there(tmp_path: Path, textured: bool) -> None:
    write_chair(tmp_path / "chairA" / "chair.obj")
    before = open_collection(str(tmp_path), textured=textured)
    digest = before.digest("chairA")
    for folder in (tmp_path, tmp_path / "chairA", tmp_path / "__MACOSX" / "chairA", tmp_path / ".Trash"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("._chair.obj", ".DS_Store", "Thumbs.db", "desktop.ini", "._chair.mtl", ".hidden.obj"):
            (folder / name).write_bytes(APPLE)
    source = open_collection(str(tmp_path), textured=textured)
    assert [entry.shape_id for entry in source.entries()] == ["chairA"]
    assert len(source.load("chairA").parts) == len(chair()) and source.digest("chairA") == digest


def test_hidden_files_are_no_parts(tmp_path: Path) -> None:
    for name in BOXES:
        write_chair(tmp_path / "chairP" / f"{name}.obj", tuple(s for s in chair() if s.name == name))
        (tmp_path / "chairP" / f"._{name}.obj").write_bytes(APPLE)
    source = open_collection(str(tmp_path))
    assert sorted(part.name for part in source.load("chairP").parts) == sorted(BOXES)


@BOTH
def test_shapenet_depth_is_named_by_the_shape(tmp_path: Path, textured: bool) -> None:
    for name in ("1a2b", "3c4d"):
        write_chair(tmp_path / name / "models" / "model_normalized.obj")
        (tmp_path / name / "models" / "model_normalized.json").write_text("{}")
    found = ids(tmp_path, textured)
    assert found == ["1a2b", "3c4d"]
    synset = tmp_path.parent / (tmp_path.name + "-root")
    (synset / "03001627").parent.mkdir()
    tmp_path.rename(synset / "03001627")
    assert ids(synset, textured) == [f"03001627{'/' if textured else '-'}{name}" for name in ("1a2b", "3c4d")]


@BOTH
def test_links_are_followed_once(tmp_path: Path, textured: bool) -> None:
    write_chair(tmp_path / "elsewhere" / "deep" / "chair.obj")
    collection = tmp_path / "collection"
    collection.mkdir()
    (collection / "linked").symlink_to(tmp_path / "elsewhere" / "deep")
    (collection / "loop").symlink_to(collection)
    (collection / "gone").symlink_to(tmp_path / "nowhere")
    (collection / "file").mkdir()
    (collection / "file" / "chair.obj").symlink_to(tmp_path / "elsewhere" / "deep" / "chair.obj")
    source = open_collection(str(collection), textured=textured)
    assert [entry.shape_id for entry in source.entries()] == ["file", "linked"]
    assert len(source.load("linked").parts) == len(source.load("file").parts) == len(chair())


def test_two_shapes_of_one_name_are_refused(tmp_path: Path) -> None:
    write_chair(tmp_path / "a-b" / "chair.obj")
    write_chair(tmp_path / "a" / "b" / "chair.obj")
    with pytest.raises(UsageError, match="would both be the shape a-b; rename one"):
        open_collection(str(tmp_path))


@BOTH
@pytest.mark.parametrize("layout", ["urdf", "json"])
def test_an_empty_tree_of_partnet_mobility_is_told(tmp_path: Path, textured: bool, layout: str) -> None:
    folder = tmp_path / "44853"
    write_chair(folder / "textured_objs" / "original-1.obj")
    (folder / "result.json").write_text("[]")
    if layout == "urdf":
        (folder / "mobility.urdf").write_text("<robot/>")
    source = open_collection(str(tmp_path), textured=textured)
    assert [entry.shape_id for entry in source.entries()] == ["44853"]
    with pytest.raises(ShapeError, match=r"44853/result\.json: expected a list with one root node"):
        source.load("44853")


@BOTH
@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git-lfs pointer"),
        ("", "ends after 0 bytes without a face"),
        (SEAT_BOX[:60], "ends after 60 bytes without a face"),
        ("<html>Not found</html>\n", "is no OBJ statement"),
    ],
)
def test_a_broken_obj_of_partnet_stops_its_shape_by_name(tmp_path: Path, textured: bool, text: str, cause: str) -> None:
    write_shape(tmp_path, "7", original_1=text)
    write_shape(tmp_path, "8")
    source = open_collection(str(tmp_path), textured=textured)
    with pytest.raises(MeshLoadError, match=f"7/objs/original-1.obj: .*{cause}"):
        source.load("7")
    assert len(source.load("8").parts) == 3


def test_a_pointer_instead_of_the_tree_is_named(tmp_path: Path) -> None:
    folder = write_shape(tmp_path, "7")
    (folder / "result_after_merging.json").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ShapeError, match=r"result_after_merging\.json: a git-lfs pointer.*git lfs pull"):
        open_collection(str(tmp_path)).load("7")


def test_byte_order_marks_in_partnets_json(tmp_path: Path) -> None:
    folder = write_shape(tmp_path, "7")
    for path in folder.glob("*.json"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (entry,) = open_collection(str(tmp_path)).entries()
    assert entry.model_id == "model-7" and len(entry.part_classes) == 3


@BOTH
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e4])
def test_units_change_nothing(tmp_path: Path, textured: bool, scale: float) -> None:
    """A shape without names is cut into the same components whatever its unit: all tolerances are relative."""
    apart = tuple(Solid("part", s.points + np.array([0.0, 0.02 * k, 0.0]), s.faces) for k, s in enumerate(chair()[:8]))
    shapes = []
    for factor in (1.0, scale):
        write_chair(tmp_path / f"{factor:g}" / "chair.obj", apart, factor)
        source = open_collection(str(tmp_path / f"{factor:g}"), textured=textured)
        shapes.append(source.load(source.entries()[0].shape_id))
    counts = [sorted(len(part.mesh.faces) for part in shape.parts) for shape in shapes]
    assert counts[0] == counts[1] and len(counts[0]) > 1
    for one, other in zip(shapes[0].parts, shapes[1].parts, strict=True):
        assert np.abs(one.mesh.bounds - other.mesh.bounds).max() < 1e-5


def test_a_chair_of_partnet_can_stand_in_a_scene(tmp_path: Path) -> None:
    """An annotation is one shape in scenes too, and none of its obj files is."""
    write_shape(tmp_path, "7")
    source = open_collection(str(tmp_path), textured=True)
    assert [entry.shape_id for entry in source.entries()] == ["7"] and len(source.load("7").parts) == 3


@BOTH
def test_a_buried_partnet_annotation_is_refused_with_its_folder(tmp_path: Path, textured: bool) -> None:
    write_shape(tmp_path / "train", "7")
    with pytest.raises(UsageError, match=f"give its folder, {tmp_path}/train, to --shapes"):
        open_collection(str(tmp_path), textured=textured)
    assert ids(tmp_path / "train", textured) == ["7"]


@BOTH
def test_what_lies_beside_annotations_is_told(tmp_path: Path, textured: bool) -> None:
    write_shape(tmp_path, "7")
    assert open_collection(str(tmp_path), textured=textured).warnings == ()
    write_chair(tmp_path / "sub" / "chair.obj")
    (tmp_path / "x.fbx").write_bytes(b"x")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert sorted(open_collection(str(tmp_path), textured=textured).warnings) == [
        "broken link left out: gone",
        "mesh file left out: sub/chair.obj",
        "mesh format not read: x.fbx",
    ]


@BOTH
@pytest.mark.parametrize("text", ["", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"])
def test_meshes_of_a_lost_xml_are_no_shapes(tmp_path: Path, textured: bool, text: str) -> None:
    for name in ("a", "b"):
        write_chair(tmp_path / "robot" / f"{name}.obj")
    (tmp_path / "robot" / "robot.xml").write_text(text)
    source = open_collection(str(tmp_path), textured=textured)
    (entry,) = source.entries()
    with pytest.raises(ShapeError, match=r"robot\.xml: it is empty or a git-lfs pointer"):
        source.load(entry.shape_id)


@BOTH
def test_a_loop_of_links_is_no_shape(tmp_path: Path, textured: bool) -> None:
    write_chair(tmp_path / "one" / "chair.obj")
    (tmp_path / "one" / "loop.obj").symlink_to(tmp_path / "one" / "loop.obj")
    source = open_collection(str(tmp_path), textured=textured)
    assert len(source.entries()) == 1 and source.warnings == ("broken link left out: one/loop.obj",)


@pytest.mark.parametrize("text", ['{"Up": "z"}', "[1]", "version https://git-lfs"])
def test_a_card_that_says_nothing_known_is_refused(tmp_path: Path, text: str) -> None:
    write_chair(tmp_path / "chair.obj")
    (tmp_path / "collection.json").write_text(text)
    with pytest.raises(UsageError, match=r"collection\.json"):
        open_collection(str(tmp_path))
    (tmp_path / "collection.json").write_text("\ufeff" + '{"up": "z"}')
    assert open_collection(str(tmp_path)).card.up == "z"


@BOTH
def test_what_a_scan_passes_over_is_told(tmp_path: Path, textured: bool) -> None:
    write_chair(tmp_path / "one" / "chair.obj")
    write_chair(tmp_path / "two" / "chair.obj")
    assert open_collection(str(tmp_path), textured=textured).warnings == ()
    (tmp_path / "one" / "chair.stl").write_bytes(b"a twin")
    (tmp_path / "one" / "chair.fbx").write_bytes(b"Kaydara FBX Binary")
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "chair.dae").write_text("<COLLADA/>")
    write_chair(tmp_path.joinpath(*"abcdefg") / "chair.obj")
    assert sorted(open_collection(str(tmp_path), textured=textured).warnings) == [
        "folder below six levels not searched: a/b/c/d/e/f/g",
        "mesh file left out: one/chair.stl",
        "mesh format not read: one/chair.fbx",
        "mesh format not read: three/chair.dae",
    ]
    assert open_collection(str(tmp_path / "one" / "chair.obj"), textured=textured).warnings == ()
