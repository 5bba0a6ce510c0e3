"""Exports of odd datasets to odd places: partial ones, names of other scripts, two at once, a full temporary folder."""

import json
import shutil
import tempfile

import numpy as np
import pytest

from datagen.core.errors import StoppedEarly, UsageError
from datagen.export.categories import CategoryFolders
from datagen.export.protocol import Options
from datagen.export.run import export_dataset
from datagen.formats.instances import Instance, Instances, Picture, flat_name
from datagen.kinds.brokenchairs.instances import CHAIR_INSTANCES
from datagen.store.manifest import read_manifest
from datagen.store.reader import DatasetReader


@pytest.fixture
def partial(fake_dataset, tmp_path):
    """A dataset whose build has not come to the reference views of one shape, and that shape."""
    root = tmp_path / "partial"
    shutil.copytree(fake_dataset, root)
    (root / "manifest.parquet").unlink()
    gone = None
    for path in (root / "log").glob("*.jsonl"):
        kept = []
        for line in path.read_text().splitlines(keepends=True):
            row = json.loads(line)["rows"][0]
            if row["row_type"] == "reference" and gone in (None, row["shape_id"]):
                gone = row["shape_id"]
                shutil.rmtree(root / "shapes" / f"shape_{row['public_id']}")
            else:
                kept.append(line)
        path.write_text("".join(kept))
    return root, gone


@pytest.mark.parametrize("to", ["mad", "kaputt"])
def test_pictures_without_their_reference_views_wait_for_them(partial, fake_dataset, tmp_path, to):
    root, gone = partial
    whole, found = (export_dataset(path, to, tmp_path / f"{to}-{path.name}") for path in (fake_dataset, root))
    assert 0 < found.instances < whole.instances and 0 < found.pictures < whole.pictures
    assert gone and not [path for path in (tmp_path / f"{to}-partial").rglob("*") if gone in path.name]


def test_remains_of_a_neighbour_are_left_alone(fake_dataset, tmp_path):
    names = [".out.v2.0123456789abcdef.part", ".out.0123456789abcdef.part", ".out1.0123456789abcdef.part"]
    for name in names:
        (tmp_path / name / "tree").mkdir(parents=True)
    export_dataset(fake_dataset, "mvtec", tmp_path / "out")
    assert [(tmp_path / name).exists() for name in names] == [True, False, True]
    export_dataset(fake_dataset, "mvtec", tmp_path / "out[1]")
    assert (tmp_path / names[2]).exists()


def test_a_temporary_folder_without_room_is_named(fake_dataset, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [])
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(StoppedEarly, match=r"temporary folder .*TMPDIR"):
        export_dataset(fake_dataset, "coco", tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr("datagen.store.rows.StoredRows.extend", full)
    with pytest.raises(StoppedEarly, match=r"No space left on device.*TMPDIR"):
        export_dataset(fake_dataset, "coco", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_names_of_any_script_stay_apart():
    assert flat_name("стол.1", "a/b") == "стол_1-a_b" != flat_name("стул.1", "a/b")
    assert flat_name("1017-a2-missing", "003") == "1017-a2-missing-003"


def picture_of(shape_id, category, split, odd, name="one"):
    """A sample of 4 x 4 px without a file."""
    instances = (Instance("missing", np.ones((4, 4), bool), {}),) if odd else ()
    return Picture(name, "one.png", 4, 4, split, int(odd), name, instances, shape_id=shape_id, category=category)


def categories_of(tmp_path, pictures, category):
    """CategoryFolders of a kind whose pictures are these."""
    rows = [
        {"row_type": "sample", "sample_id": p.sample_id, "shape_id": p.shape_id, "label": p.label, "split": p.split}
        for p in pictures
    ]
    by_id = {p.sample_id: p for p in pictures}
    kind = Instances(("missing",), lambda reader, rows: (by_id[row["sample_id"]] for row in rows))
    (tmp_path / "manifest.parquet").touch()
    return CategoryFolders(
        DatasetReader(tmp_path), rows, Options("set", "plain", kind, settings={"category": category})
    )


def test_two_categories_of_one_name_are_refused(tmp_path):
    pictures = [picture_of("a/b", "mug.a", "test", True), picture_of("a/b", "mug/a", "test", True, "two")]
    categories = categories_of(tmp_path, pictures, "collection")
    assert categories.folder(pictures[0]) == categories.folder(pictures[0]) == "mug_a"
    with pytest.raises(UsageError, match=r"mug\.a and mug/a are both mug_a"):
        categories.folder(pictures[1])
    assert categories_of(tmp_path, pictures, "shape").folder(pictures[0]) == "a_b"


def test_a_category_without_an_anomaly_to_test_on_is_left_out_by_name(tmp_path):
    cup, jug = picture_of("c", "cup", "train", False), picture_of("j", "jug", "train", False, "two")
    odd, seen = picture_of("j", "jug", "test", True, "three"), picture_of("j", "jug", "val", True, "four")
    categories = categories_of(tmp_path, [cup, jug, odd, seen], "collection")
    assert [categories.split(picture) for picture in (cup, jug, odd, seen)] == [None, "train", "test", None]
    assert [note.split()[0] for note in categories.notes()] == ["cup"]
    whole = categories_of(tmp_path, [cup, jug, odd, seen], "dataset")
    assert [whole.split(picture) for picture in (cup, jug, odd, seen)] == ["train", "train", "test", None]
    assert not whole.notes() and whole.folder(cup) == "set"
    with pytest.raises(UsageError, match="nothing that is held out shows an anomaly"):
        categories_of(tmp_path, [cup, jug, seen], "collection")


def test_a_shape_that_is_a_category_learns_from_half_of_its_normal_pictures(tmp_path):
    normal = [picture_of("j", "jug", "train", False, f"n{k}") for k in range(3)]
    odd, other = picture_of("j", "jug", "train", True, "odd"), picture_of("c", "cup", "test", False, "other")
    categories = categories_of(tmp_path, [*normal, odd, other], "shape")
    assert [categories.split(p) for p in (*normal, odd, other)] == ["train", "train", "test", "test", None]


def test_two_rows_of_one_name_are_not_one_picture(fake_dataset):
    reader = DatasetReader(fake_dataset)
    rows = [row for row in read_manifest(fake_dataset) if row["row_type"] == "sample"][:2]
    with pytest.raises(UsageError, match="two pictures are named"):
        list(Options("set", "brokenchairs", CHAIR_INSTANCES).pictures(reader, [*rows, rows[0]]))
    assert len(list(Options("set", "brokenchairs", CHAIR_INSTANCES).pictures(reader, rows))) == 2


def test_an_export_of_scenes_to_formats_of_pairs_is_refused_and_leaves_nothing(scene_dataset, tmp_path):
    for to, why in (("kaputt", "no picture of .* has reference views"), ("mad", "is no normal thing alone")):
        with pytest.raises(UsageError, match=why):
            export_dataset(scene_dataset, to, tmp_path / "out")
        assert not list(tmp_path.iterdir())
