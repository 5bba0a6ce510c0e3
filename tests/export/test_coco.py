"""A round trip: what the COCO tree says against the manifest and the masks of the dataset."""

import json
import re
import shutil
from collections import Counter

import numpy as np
import pytest

from datagen.cli.show import run_export
from datagen.core.errors import BrokenFile, UsageError
from datagen.export.coco import Coco
from datagen.export.run import export_dataset
from datagen.formats import brokenchairs, oddoneout
from datagen.formats.pictures import decoded
from datagen.store.manifest import read_manifest
from tests.conftest import build_scenes, run_build
from tests.export.coco_rules import mask_of
from tests.helpers.box_chairs import SMALL_PICTURES

SMALL = (*SMALL_PICTURES, "anomaly.slots_per_shape=2", "normal.views={2: 1}")


@pytest.fixture(scope="module")
def chairs(fake_dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("coco") / "chairs"
    return fake_dataset, out, export_dataset(fake_dataset, "coco", out)


@pytest.fixture(scope="module")
def scenes(scene_dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("coco") / "scenes"
    return scene_dataset, out, export_dataset(scene_dataset, "coco", out)


@pytest.fixture(params=["chairs", "scenes"])
def exported(request):
    return request.getfixturevalue(request.param)


def tables(out):
    found = (out / "annotations").glob("*.json")
    return {path.stem.removeprefix("instances_"): json.loads(path.read_text()) for path in found}


def notes_with_images(out):
    """(annotation, its image, its category's name) of all splits."""
    for table in tables(out).values():
        images = {image["id"]: image for image in table["images"]}
        names = {category["id"]: category["name"] for category in table["categories"]}
        for note in table["annotations"]:
            yield note, images[note["image_id"]], names[note["category_id"]]


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_counts_and_labels_are_those_of_the_manifest(exported):
    root, out, told = exported
    samples = [row for row in read_manifest(root) if row["row_type"] == "sample"]
    assert told == Coco().read_back(out)
    assert told.pictures == len(samples)
    assert told.anomalous == sum(row["label"] for row in samples)
    assert told.by_split == Counter(row["split"] for row in samples)
    for split, table in tables(out).items():
        own = {row["sample_id"]: row for row in samples if row["split"] == split}
        assert {image["sample_id"] for image in table["images"]} == set(own)
        for image in table["images"]:
            assert image["label"] == own[image["sample_id"]]["label"]
            picture = out / "images" / split / image["file_name"]
            assert picture.read_bytes() == (root / own[image["sample_id"]]["query_path"]).read_bytes()
            assert decoded(picture.read_bytes()).shape[:2] == (image["height"], image["width"])


def test_ids_begin_at_one_and_names_are_flat_unique_and_without_dots(exported):
    _, out, told = exported
    images = [image for table in tables(out).values() for image in table["images"]]
    notes = [note for table in tables(out).values() for note in table["annotations"]]
    assert sorted(image["id"] for image in images) == list(range(1, told.pictures + 1))
    assert sorted(note["id"] for note in notes) == list(range(1, told.instances + 1))
    names = [image["file_name"] for image in images]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+\.png", name) for name in names)


def test_every_mask_fits_its_area_and_box(exported):
    _, out, told = exported
    total = 0
    for note, image, _ in notes_with_images(out):
        mask = mask_of(note["segmentation"])
        rows, columns = np.nonzero(mask)
        x, y, width, height = note["bbox"]
        assert mask.shape == (image["height"], image["width"])
        assert (x, y) == (columns.min(), rows.min())
        assert (x + width, y + height) == (columns.max() + 1, rows.max() + 1)
        assert note["area"] == mask.sum() > 0 and note["iscrowd"] == 0
        total += note["area"]
    assert total == told.mask_px


def test_categories_are_the_kinds_of_anomaly_in_every_split(chairs, scenes):
    for (_, out, _), kinds in ((chairs, brokenchairs.KINDS), (scenes, oddoneout.KINDS)):
        for table in tables(out).values():
            assert [category["name"] for category in table["categories"]] == sorted(kinds)
            assert [category["id"] for category in table["categories"]] == list(range(1, len(kinds) + 1))


def test_chairs_have_one_instance_an_anomalous_query_the_changed_part(chairs):
    root, out, told = chairs
    rows = {row["sample_id"]: row for row in read_manifest(root) if row["row_type"] == "sample" and row["label"]}
    assert told.by_kind == Counter(row["kind"] for row in rows.values())
    assert "missing" in told.by_kind
    for note, image, kind in notes_with_images(out):
        row = rows.pop(image["sample_id"])
        which = "old" if kind == "missing" else "new"
        assert (kind, note["attributes"]["mask"]) == (row["kind"], which)
        for name in ("severity", "shape_id", "changed_px", "part", "part_class"):
            assert note["attributes"][name] == row[name]
        mask = decoded((root / row[f"mask_{which}_path"]).read_bytes(), "L") > 0
        assert np.array_equal(mask_of(note["segmentation"]), mask)
    assert not rows


def test_scenes_have_an_instance_of_every_odd_object_a_view_shows(scenes):
    root, out, told = scenes
    odd = {row["query_path"]: row for row in read_manifest(root) if row["row_type"] == "object" and row["label"]}
    most_seen, most_changed = Counter(), Counter()
    for note, image, kind in notes_with_images(out):
        scene, view = image["source_path"].split("/")[1], image["source_path"][-8:-4]
        name = note["attributes"]["object"]
        row = odd[f"scenes/{scene}#{name}"]
        assert (kind, note["attributes"]["severity"]) == (row["kind"], row["severity"])
        mask = decoded((root / f"scenes/{scene}/segmentations/{name}/{name}_{view}.png").read_bytes(), "L") > 0
        assert np.array_equal(mask_of(note["segmentation"]), mask)
        most_seen[row["query_path"]] = max(most_seen[row["query_path"]], note["area"])
        most_changed[row["query_path"]] = max(most_changed[row["query_path"]], note["attributes"]["changed_px"])
    assert most_seen == {path: row["visible_px"] for path, row in odd.items()}
    assert most_changed == {path: row["changed_px"] for path, row in odd.items()}
    shown = [decoded(path.read_bytes(), "L") for path in root.glob("scenes/*/binary_labels/*.png")]
    assert told.mask_px == sum(int((mask > 0).sum()) for mask in shown)


def test_loose_pictures_are_linked_not_copied(chairs):
    root, out, _ = chairs
    for table in tables(out).values():
        image = table["images"][0]
        assert next((out / "images").rglob(image["file_name"])).samefile(root / image["source_path"])


def test_the_dataset_card_travels_with_its_licences(exported):
    root, out, _ = exported
    assert (out / "DATASET_CARD.md").read_bytes() == (root / "README.md").read_bytes()


@pytest.mark.parametrize("kind", ["chairs", "scenes"])
def test_shards_give_the_same_export_as_loose_files(tmp_path, plain_chairs, kind):
    for layout in ("loose", "shards"):
        if kind == "chairs":
            run_build(tmp_path / layout, 3, sets=SMALL, collection=plain_chairs, layout=layout)
        else:
            build_scenes(tmp_path / layout, 1, layout=layout)
        export_dataset(tmp_path / layout, "coco", tmp_path / f"{layout}-coco")
    assert not (tmp_path / "shards" / "images").exists() and not (tmp_path / "shards" / "scenes").exists()
    assert tree(tmp_path / "loose-coco") == tree(tmp_path / "shards-coco")


def test_a_partial_dataset_exports_what_is_committed(tmp_path, fake_dataset):
    root = tmp_path / "partial"
    shutil.copytree(fake_dataset, root)
    (root / "manifest.parquet").unlink()
    (log,) = (root / "log").glob("*.jsonl")
    lines = log.read_bytes().splitlines(keepends=True)[:10]
    log.write_bytes(b"".join(lines) + b'{"job_id": "torn')
    rows = [row for line in lines for row in json.loads(line)["rows"] if row["row_type"] == "sample"]
    told = export_dataset(root, "coco", tmp_path / "out")
    assert 0 < told.pictures == len(rows) and told.anomalous == sum(row["label"] for row in rows)
    assert Coco().read_back(tmp_path / "out") == told


def test_a_torn_mask_is_named_and_nothing_is_left(tmp_path, fake_dataset):
    root = tmp_path / "torn"
    shutil.copytree(fake_dataset, root)
    path = next(row["mask_new_path"] for row in read_manifest(root) if row["mask_new_path"])
    (root / path).write_bytes((root / path).read_bytes()[:60])
    with pytest.raises(BrokenFile, match=re.escape(path)):
        export_dataset(root, "coco", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["torn"]


def test_read_back_finds_a_picture_that_is_gone(tmp_path, chairs):
    shutil.copytree(chairs[1], tmp_path / "out")
    next((tmp_path / "out" / "images" / "val").iterdir()).unlink()
    with pytest.raises(BrokenFile, match=r"instances_val\.json: .* is not in"):
        Coco().read_back(tmp_path / "out")


def test_an_export_into_files_or_into_the_dataset_is_refused(tmp_path, fake_dataset):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds notes\.txt already"):
        export_dataset(fake_dataset, "coco", tmp_path / "mine")
    with pytest.raises(UsageError, match="lies in the dataset"):
        export_dataset(fake_dataset, "coco", fake_dataset / "coco")
    (tmp_path / "empty").mkdir()
    assert export_dataset(fake_dataset, "coco", tmp_path / "empty").pictures
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "mine"]


def test_the_command_ends_with_one_line_of_counts(tmp_path, scene_dataset, capsys):
    run_export(scene_dataset, "coco", tmp_path / "out")
    said = capsys.readouterr()
    splits = "seen-test 10, train 20, unseen-test 10"
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert re.match(rf"coco: 40 pictures \(\d+ anomalous; {splits}\) and \d+ instances in ", said.err)


def test_pycocotools_reads_what_is_written(exported):
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    _, out, told = exported
    found = [coco.COCO(str(path)) for path in sorted((out / "annotations").iterdir())]
    assert sum(len(each.imgs) for each in found) == told.pictures
    masks = [int(each.annToMask(note).sum()) for each in found for note in each.anns.values()]
    assert (len(masks), sum(masks)) == (told.instances, told.mask_px)
