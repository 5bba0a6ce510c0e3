"""Published data become datasets on which every command works."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from datagen.cli.show import run_import, run_show
from datagen.core.errors import BrokenFile, UsageError
from datagen.export.run import export_dataset
from datagen.importing.run import import_dataset
from datagen.kinds.registry import examination_of, kind_of, open_tree
from datagen.store.manifest import read_manifest
from datagen.verify.check import FAIL

PUBLISHED = ("2d_bbox", "IoU", "camera_parameters", "texture_id", "examplar_id")


@pytest.fixture(scope="module")
def download(fake_dataset, tmp_path_factory):
    """The demo as the published download has it: no manifest, no tables, no depth, and annotations that say less."""
    root = tmp_path_factory.mktemp("published") / "download"
    for name in ("images", "annotations", "shapes"):
        shutil.copytree(fake_dataset / name, root / name)
    shutil.copy(fake_dataset / "split.json", root)
    for path in (*root.rglob("*_depth.npy"), *root.rglob("model.obj")):
        path.unlink()
    for path in root.rglob("info_*.json"):
        told = json.loads(path.read_text())
        kept = {key: told[key] for key in PUBLISHED} | {"config": {"type": told["config"]["type"]}}
        path.write_text(json.dumps(kept))
    return root


@pytest.fixture(scope="module")
def imported(download, tmp_path_factory):
    out = tmp_path_factory.mktemp("imported") / "dataset"
    return out, import_dataset(download, out)


@pytest.fixture(scope="module")
def scene(samples, tmp_path_factory):
    out = tmp_path_factory.mktemp("imported") / "scene"
    return out, import_dataset(samples / "oddoneout_scene", out)


def failed(root):
    found = examination_of(open_tree(root))
    evidence = found.evidence(open_tree(root))
    return [result.name for result in found.checks.run(evidence) if result.status == FAIL]


def test_rows_say_what_the_builds_own_rows_say(fake_dataset, imported):
    out, told = imported
    ours = {row["query_path"]: row for row in read_manifest(fake_dataset) if row["row_type"] == "sample"}
    rows = {row["query_path"]: row for row in read_manifest(out) if row["row_type"] == "sample"}
    assert set(rows) == set(ours) and told.samples == len(rows)
    for path, row in rows.items():
        for name in ("label", "kind", "split", "public_id", "azimuth_deg", "elevation_deg", "radius", "texture_id"):
            assert row[name] == ours[path][name], name
        for name in ("mask_new_path", "mask_old_path", "annotation_path", "light_id", "bbox_xywh_512"):
            assert row[name] == ours[path][name], name
        assert np.allclose(row["T_world_camera"], ours[path]["T_world_camera"], atol=1e-9)
        assert np.allclose(row["K"], ours[path]["K"])
        assert row["sha256"].keys() == ours[path]["sha256"].keys()
        assert row["source"] == "published"
    assert {row["public_id"] for row in read_manifest(out) if row["row_type"] == "reference"} == {
        row["public_id"] for row in ours.values()
    }


def test_verify_show_and_export_work_on_what_is_imported(imported, tmp_path):
    out, told = imported
    assert kind_of(out).name == "brokenchairs" and failed(out) == []
    run_show(out, (), tmp_path / "sheet.png", 6)
    assert Image.open(tmp_path / "sheet.png").size[0] > 100
    for to in ("coco", "kaputt", "hub", "mad", "mvtec", "webdataset"):
        assert export_dataset(out, to, tmp_path / to).anomalous > 0
    assert export_dataset(out, "coco", tmp_path / "again").pictures == told.samples


def test_training_reads_what_is_imported(fake_dataset, imported):
    samples = pytest.importorskip("datagen.datasets.samples")
    ours = samples.list_samples(samples.open_dataset(fake_dataset), "train")
    theirs = samples.list_samples(samples.open_dataset(imported[0]), "train")
    assert [(s.query_path, s.label, s.box, s.kind, s.masks) for s in theirs] == [
        (s.query_path, s.label, s.box, s.kind, s.masks) for s in ours
    ]


def test_files_are_linked_and_the_download_is_left_alone(download, imported):
    out, _ = imported
    picture = next(download.glob("images/*/*.png"))
    assert (out / picture.relative_to(download)).samefile(picture)
    assert not (download / "manifest.parquet").exists()


def test_a_published_scene_becomes_a_dataset(samples, scene, tmp_path):
    out, told = scene
    folder = out / "scenes" / "oddoneout_scene"
    assert (told.kind, told.samples, told.anomalous) == ("oddoneout", 20, 20)
    assert failed(out) == []
    objects = [row for row in read_manifest(out) if row["row_type"] == "object"]
    assert [row["kind"] for row in objects] == ["crack", "normal", "normal"]
    table = json.loads((samples / "oddoneout_scene" / "scene3d.metadata.json").read_text())
    ours = json.loads((folder / "scene3d.metadata.json").read_text())
    assert all(mine | theirs == mine for mine, theirs in zip(ours["objects"], table["objects"], strict=True))
    for view in ("0000", "0013"):
        parts = [
            np.asarray(Image.open(p).convert("L")) > 127 for p in folder.glob(f"segmentations/object*/*_{view}.png")
        ]
        assert np.array_equal(np.asarray(Image.open(folder / "masks" / f"{view}.png")) > 127, np.any(parts, axis=0))
    run_show(out, (), tmp_path / "sheet.png", 1)
    coco = export_dataset(out, "coco", tmp_path / "coco")
    assert coco.by_kind == {"crack": 20} and coco.pictures == 20
    labels = [np.asarray(Image.open(p).convert("L")) > 127 for p in folder.glob("binary_labels/*.png")]
    assert coco.mask_px == sum(int(mask.sum()) for mask in labels)
    assert export_dataset(out, "poses", tmp_path / "poses").pictures == 20


def test_a_file_among_the_views_of_a_published_scene_is_told_and_a_note_beside_them_is_not(scene, tmp_path):
    out = tmp_path / "scene"
    shutil.copytree(scene[0], out)
    (out / "scenes" / "oddoneout_scene" / "NOTE.md").write_text("by others")
    assert "scene_no_stray_files" not in failed(out)
    (out / "scenes" / "oddoneout_scene" / "RGB" / "copy.png").write_bytes(b"")
    assert "scene_no_stray_files" in failed(out)


def test_scenes_are_of_the_splits_that_a_split_file_says(samples, tmp_path):
    root = tmp_path / "scenes"
    for name in ("banana_028-001", "banana_028-002", "banana_029-001"):
        shutil.copytree(samples / "oddoneout_scene", root / name, ignore=shutil.ignore_patterns("depth_exr"))
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"train": ["banana_028-001"], "seen-test": ["banana_028-002"]}))
    told = import_dataset(root, tmp_path / "out", split)
    assert told.by_split == {"seen-test": 20, "train": 20}
    assert told.notes == ("1 scenes left out: they are in no split (banana_029-001 is one)",)
    assert not (tmp_path / "out" / "scenes" / "banana_029-001").exists()


def test_what_cannot_be_imported_is_named_and_nothing_is_left(download, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="the form of no published dataset"):
        import_dataset(tmp_path / "empty", tmp_path / "out")
    root = tmp_path / "copy"
    shutil.copytree(download, root)
    (root / "split.json").unlink()
    with pytest.raises(UsageError, match="--split FILE"):
        import_dataset(root, tmp_path / "out")
    shutil.copy(download / "split.json", root)
    extra = next(root.glob("images/*/*_normal.png"))
    shutil.copy(extra, extra.with_name("render_7_1_2.5_0_20_0_normal.png"))
    shutil.copy(extra, extra.with_name("notes_x.png"))
    run_import(root, tmp_path / "out", None)
    said = capsys.readouterr().err
    assert "1 pictures left out: a shape that is in no split" in said and "1 pictures left out: a name that" in said
    next(root.glob("annotations/*/info_*.json")).write_text("{")
    with pytest.raises(BrokenFile, match=r"info_.*\.json"):
        import_dataset(root, tmp_path / "two")
    assert not list(tmp_path.glob("*two*")) and not list(tmp_path.glob(".*part"))
    with pytest.raises(UsageError, match="is there already"):
        import_dataset(root, tmp_path / "out")
