"""PartNet folders: quirks, collections, splits, bad input."""

import cProfile
import json
import pstats
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datagen.core.errors import EmptyCollection, MeshLoadError, ShapeError, UsageError
from datagen.core.shape import REMAINDER_PATH
from datagen.recipe.categories import Categories, built_in
from datagen.shapes.collections import open_collection
from datagen.shapes.partnet_tree import read_tree
from datagen.shapes.procedural import generate
from datagen.shapes.source import Source

from .helpers import SEAT_BOX, inner, leaf, obj_box, sample, write_shape


def test_a_plain_chair_stands_upright_facing_minus_y(tmp_path: Path) -> None:
    write_shape(tmp_path)
    source = open_collection(str(tmp_path))
    assert isinstance(source, Source)
    shape = source.load("7")
    assert [(p.part_id, p.part_class) for p in shape.parts] == [
        (3, "SeatSurface"),
        (6, "Leg"),
        (7, "BackSurface"),
    ]
    assert shape.bounds[0, 2] == pytest.approx(0, abs=1e-12)
    seat, back = shape.parts[0].mesh.centre, shape.parts[2].mesh.centre
    assert back[1] > seat[1] and back[2] > seat[2]
    points = np.concatenate([part.mesh.vertices for part in shape.parts])
    assert np.linalg.norm(points - shape.centre, axis=1).max() == pytest.approx(1)


def test_source_transform_is_recorded(tmp_path: Path) -> None:
    write_shape(tmp_path)
    shape = open_collection(str(tmp_path)).load("7")
    T = np.array(shape.T_shape_source)
    corner = T @ [-0.5, -0.6, 0.4, 1]
    assert np.abs(shape.part(6).mesh.vertices - corner[:3]).sum(axis=1).min() < 1e-9


def test_leftovers_and_unnamed_objs_become_the_remainder(tmp_path: Path) -> None:
    knob = obj_box((0, 0, 0), (0.1, 0.1, 0.1))
    write_shape(tmp_path, extra=("original-14",), original_14=knob, new_77=knob)
    shape = open_collection(str(tmp_path)).load("7")
    rest = shape.parts[-1]
    assert (rest.path, rest.part_class, rest.name, rest.group) == (REMAINDER_PATH, "Other", "remainder", "")
    assert len(rest.mesh.faces) == 24
    assert "Other" not in open_collection(str(tmp_path)).entries()[0].part_classes


def test_zero_face_objs_are_skipped_with_a_warning(tmp_path: Path) -> None:
    write_shape(tmp_path, new_4="v 0 0 0\nv 1 0 0\n")
    shape = open_collection(str(tmp_path)).load("7")
    assert [part.name for part in shape.parts] == ["seat_surface", "chair_back"]
    assert any("obj without a face skipped: objs/new-4.obj" in warning for warning in shape.warnings)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (SEAT_BOX.replace("v -0.500000", "v nan", 1), "not finite"),
        (SEAT_BOX + "f 1 2 99\n", "outside 1..8"),
        (SEAT_BOX + "f 1 2 x\n", "face line"),
        (SEAT_BOX[:40] + "\n", "vertex 2 has 1 numbers"),
    ],
)
def test_a_bad_obj_is_an_error_with_its_name(tmp_path: Path, text: str, cause: str) -> None:
    write_shape(tmp_path, original_1=text)
    source = open_collection(str(tmp_path))
    assert len(source.entries()[0].part_classes) == 3
    with pytest.raises(MeshLoadError, match=f"original-1.obj.*{cause}"):
        source.load("7")


def test_a_missing_obj_is_an_error_with_its_name(tmp_path: Path) -> None:
    (write_shape(tmp_path) / "objs" / "new-4.obj").unlink()
    with pytest.raises(MeshLoadError, match=r"new-4\.obj"):
        open_collection(str(tmp_path)).load("7")


def test_a_broken_tree_keeps_its_entry(tmp_path: Path) -> None:
    write_shape(tmp_path, "7")
    (write_shape(tmp_path, "12") / "result_after_merging.json").write_text('[{"id": 0,')
    source = open_collection(str(tmp_path))
    assert [(e.shape_id, len(e.part_classes)) for e in source.entries()] == [("7", 3), ("12", 0)]
    with pytest.raises(ShapeError, match=r"12.result_after_merging\.json"):
        source.load("12")


@pytest.mark.parametrize("stem", ["../../../etc/passwd", "/etc/passwd", "a/b", "", 3])
def test_objs_never_leave_the_folder(tmp_path: Path, stem: object) -> None:
    folder = write_shape(tmp_path)
    tree = [{"id": 0, "name": "chair", "objs": [stem]}]
    (folder / "result_after_merging.json").write_text(json.dumps(tree))
    with pytest.raises(ShapeError, match="no obj name inside"):
        open_collection(str(tmp_path)).load("7")


def test_double_claims_and_bad_ids_are_mended(tmp_path: Path) -> None:
    folder = write_shape(tmp_path)
    twice = inner(0, "chair", leaf(3, "leg", "new-4"), leaf(3, "seat", "new-4", "original-1"))
    (folder / "result_after_merging.json").write_text(json.dumps([twice]))
    tree = read_tree(folder)
    assert [(part.node_id, part.objs) for part in tree.leaves] == [(0, ("new-4",)), (1, ("original-1",))]
    assert tree.warnings


def test_raw_tree_is_the_fallback(tmp_path: Path) -> None:
    folder = write_shape(tmp_path)
    (folder / "result_after_merging.json").unlink()
    children = [
        {"text": "Leg", "id": 90, "name": "leg", "objs": ["new-4"]},
        {"text": "Seat", "id": 4, "name": "seat_soft_surface", "objs": ["original-1"]},
    ]
    raw = {"text": "Chair", "id": 0, "name": "chair", "conf_score": "2", "children": children}
    (folder / "result.json").write_text(json.dumps([raw]))
    parts = open_collection(str(tmp_path)).load("7").parts
    assert [(p.part_id, p.name) for p in parts] == [(91, "leg"), (5, "seat_soft_surface"), (92, "remainder")]


def test_flat_download_is_filtered_by_category(tmp_path: Path) -> None:
    for anno_id in ("10", "9"):
        write_shape(tmp_path / "data_v0", anno_id)
    table = write_shape(tmp_path / "data_v0", "11")
    (table / "meta.json").write_text('{"model_id": "t", "anno_id": "11", "model_cat": "Table"}')
    lists = tmp_path / "stats" / "train_val_test_split"
    lists.mkdir(parents=True)
    (lists / "Chair.test.json").write_text('[{"model_id": "model-10", "anno_id": "10"}]')
    (lists / "Chair.train.json").write_text('[{"model_id": "model-9", "anno_id": 9}]')
    entries = open_collection("partnet/chair", tmp_path).entries()
    assert [(e.shape_id, e.published_split) for e in entries] == [("9", "train"), ("10", "test")]


def mixed(root: Path) -> Path:
    """Two chairs, a table and an annotation that does not say what it is."""
    for anno_id, category in (("9", "Chair"), ("10", "Chair"), ("11", "Table"), ("12", "")):
        meta = {"model_id": anno_id, "anno_id": anno_id, "model_cat": category}
        (write_shape(root, anno_id) / "meta.json").write_text(json.dumps(meta))
    return root


def test_a_mixed_folder_gives_every_annotation_under_its_category(tmp_path: Path) -> None:
    source = open_collection(str(mixed(tmp_path / "download")))
    found = {entry.shape_id: entry.category for entry in source.entries()}
    assert found == {"9": "chair", "10": "chair", "11": "table", "12": "chair"} and source.warnings == ()


def test_a_mixed_folder_gives_the_category_that_is_wanted_and_tells_the_rest(tmp_path: Path) -> None:
    told = Categories(built_in("table"))
    source = open_collection(str(mixed(tmp_path / "download")), categories=told)
    assert [entry.shape_id for entry in source.entries()] == ["11", "12"]
    assert len(source.warnings) == 2 and all("no table left out, give its folder" in w for w in source.warnings)
    mixed(tmp_path / "partnet" / "chair")
    by_name = open_collection("partnet/chair", tmp_path)
    assert [entry.shape_id for entry in by_name.entries()] == ["9", "10", "12"]
    assert [w.partition(": ")[2] for w in by_name.warnings] == ["11 (Table)"]
    # A category that none of them is says what those are that do not say it.
    lamps = open_collection(str(tmp_path / "download"), categories=Categories(built_in("lamp")))
    assert {e.shape_id: e.category for e in lamps.entries()} == {
        "9": "chair",
        "10": "chair",
        "11": "table",
        "12": "lamp",
    }


def test_one_annotation_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_shape(tmp_path / "partnet" / "chair", "33")
    assert [e.shape_id for e in open_collection(str(folder)).entries()] == ["33"]
    monkeypatch.setenv("DATAGEN_DATA", str(tmp_path))
    assert [e.shape_id for e in open_collection("partnet/chair").entries()] == ["33"]


def test_nothing_found_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EmptyCollection) as caught:
        open_collection(str(tmp_path))
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(EmptyCollection, match="no such file or folder"):
        open_collection("spaceships", tmp_path)
    with pytest.raises(EmptyCollection, match=r"no such category; known are bag, bed, .*datagen doctor"):
        open_collection("partnet/unicorn", tmp_path)
    with pytest.raises(EmptyCollection, match="did you mean partnet/table"):
        open_collection("partnet/tabel", tmp_path)


def test_an_id_that_two_collections_have_is_told_with_both(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_shape(tmp_path / name, "7")
    source = open_collection(f"{tmp_path / 'first'},{tmp_path / 'second'}")
    with pytest.raises(UsageError, match=r"the shape 7 \(chair\) is in .*first and in .*second; give each") as caught:
        source.entries()
    assert caught.value.exit_code == 2


def test_quirky_chairs_load_whole(tmp_path: Path) -> None:
    generate(tmp_path, 26, seed=5, quirks=True)
    source = open_collection(str(tmp_path))
    entries = source.entries()
    shapes = [source.load(entry.shape_id) for entry in entries]
    assert len({entry.model_id for entry in entries}) < len(entries)
    assert any(part.path == REMAINDER_PATH for shape in shapes for part in shape.parts)
    paths = {part.path for shape in shapes for part in shape.parts}
    assert paths & {"chair/chair_arm", "chair/chair_back/back_surface"}
    for entry, shape in zip(entries, shapes, strict=True):
        labelled = [p.part_class for p in shape.parts if p.path != REMAINDER_PATH]
        assert entry.part_classes == tuple(sorted(labelled))


def test_clvrai_samples_load(tmp_path: Path) -> None:
    source = open_collection(str(sample("chairs_partnet_format_clvrai")))
    entries = source.entries()
    assert len(entries) == 7 and "LICENSE.upstream.txt" in source.licence and not source.stand_in
    for entry in entries:
        shape = source.load(entry.shape_id)
        assert shape.category == "chair" and not shape.warnings


def calls(work: Callable[[], object]) -> int:
    """How many calls `work` makes: a count that no busy machine changes."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).total_calls


def test_parsing_an_obj_grows_with_its_lines_alone(tmp_path: Path) -> None:
    from tests.helpers.meshes import load_mesh

    counts = {}
    for side in (100, 312):
        grid = np.arange(side * side).reshape(side, side)
        a, b, c, d = grid[:-1, :-1].ravel(), grid[1:, :-1].ravel(), grid[1:, 1:].ravel(), grid[:-1, 1:].ravel()
        faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]) + 1
        lines = [f"v {i % side:.6f} {i // side:.6f} 0.000000" for i in range(side * side)]
        lines += [f"f {x} {y} {z}" for x, y, z in faces.tolist()]
        (tmp_path / f"{side}.obj").write_text("\n".join(lines))
        ((_, mesh),) = load_mesh(tmp_path / f"{side}.obj")
        assert len(mesh.faces) == 2 * (side - 1) ** 2
        counts[len(lines)] = calls(lambda side=side: load_mesh(tmp_path / f"{side}.obj"))
    (few, small), (many, large) = counts.items()
    assert large < 1.1 * small * many / few and large < 12 * many, counts
