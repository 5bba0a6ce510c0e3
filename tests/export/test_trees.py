"""MVTec AD's tree and WebDataset shards, by the rules of their readers (anomalib 2.7, webdataset 1.0) restated here."""

import io
import json
import re
import tarfile
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import BrokenFile, UsageError
from datagen.export.mvtec import MVTec
from datagen.export.run import export_dataset
from datagen.export.webdataset import WebDataset
from datagen.formats.instances import flat_name
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import what_to_export

KEY = re.compile(r"^((?:.*/|)[^.]+)[.]([^/]*)$")
"""How webdataset, Hugging Face and Ray cut a member's name: at the first dot of its base name."""


@pytest.fixture(scope="module")
def roots(fake_dataset, scene_dataset):
    return {"chairs": fake_dataset, "scenes": scene_dataset}


@pytest.mark.parametrize("name", ["chairs", "scenes"])
def test_pictures_and_masks_pair_by_their_sorted_place(roots, tmp_path, name):
    told = export_dataset(roots[name], "mvtec", tmp_path / "out")
    assert told.pictures and told.anomalous
    for category in (p for p in (tmp_path / "out").iterdir() if p.is_dir()):
        pictures = sorted(category.glob("test/*/*.png"))
        odd = [p for p in pictures if p.parent.name != "good"]
        masks = sorted(category.glob("ground_truth/*/*.png"))
        assert len(odd) == len(masks), "anomalib pairs the two lists by place"
        for picture, mask in zip(odd, masks, strict=True):
            assert picture.stem in mask.stem and picture.parent.name == mask.parent.name
            shown, marked = Image.open(picture), np.asarray(Image.open(mask))
            assert shown.size == marked.shape[::-1] and set(np.unique(marked)) == {0, 255}
        assert not (category / "ground_truth" / "good").exists()
        assert {p.name for p in category.glob("train/*")} <= {"good"}
        stems = [p.name for p in (*pictures, *masks)]
        assert all(stem.count(".") == 1 for stem in stems) and not any(p.is_symlink() for p in pictures)


def test_what_the_tree_cannot_say_is_left_out(fake_dataset, tmp_path):
    rows = [row for row in read_manifest(fake_dataset) if row["row_type"] == "sample"]
    told = export_dataset(fake_dataset, "mvtec", tmp_path / "out")
    test = [row for row in rows if row["split"] == "test"]
    assert told.anomalous == sum(row["label"] for row in test)
    assert told.by_split == {
        "test": len(test),
        "train": sum(not row["label"] for row in rows if row["split"] != "test"),
    }


def test_a_category_may_be_a_shape(fake_dataset, tmp_path):
    told = export_dataset(fake_dataset, "mvtec", tmp_path / "out", ["category=shape"])
    rows = [row for row in read_manifest(fake_dataset) if row["row_type"] == "sample"]
    odd = {row["shape_id"] for row in rows if row["label"]}
    folders = [path for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert {path.name for path in folders} == {flat_name(s) for s in odd}
    assert told.pictures == sum(row["shape_id"] in odd for row in rows)
    for folder in folders:
        normal, learned = len(list(folder.glob("*/good/*"))), len(list(folder.glob("train/good/*")))
        assert learned == (normal + 1) // 2 and normal


def test_scenes_leave_out_what_has_nothing_to_test_on(scene_dataset, tmp_path):
    apart = export_dataset(scene_dataset, "mvtec", tmp_path / "apart")
    whole = export_dataset(scene_dataset, "mvtec", tmp_path / "whole", ["category=dataset"])
    assert [note.split()[0] for note in apart.notes] == ["horse"] and not whole.notes
    assert not (tmp_path / "apart" / "horse").exists() and whole.pictures > apart.pictures


@pytest.mark.parametrize("given", ["category=part", "categories=shape", "category"])
def test_a_setting_that_is_none_is_told_with_those_there_are(fake_dataset, tmp_path, given):
    with pytest.raises(UsageError, match=r"collection, shape|has the keys category=collection"):
        export_dataset(fake_dataset, "mvtec", tmp_path / "out", [given])


@pytest.mark.parametrize("name", ["chairs", "scenes"])
def test_readers_of_shards_find_whole_samples(roots, tmp_path, name):
    root = roots[name]
    told = export_dataset(root, "webdataset", tmp_path / "out")
    rows = {row["sample_id"]: row for row in read_manifest(root) if row["row_type"] == "sample"}
    found = Counter()
    for shard in sorted((tmp_path / "out").glob("*.tar")):
        with tarfile.open(shard) as archive:
            samples: dict[str, dict[str, bytes]] = {}
            for member in archive:
                key, suffix = KEY.match(member.name).groups()
                if key in samples:
                    assert key == list(samples)[-1], "members of a key stand together"
                samples.setdefault(key, {})[suffix] = archive.extractfile(member).read()
        for key, sample in samples.items():
            record = json.loads(sample["json"])
            row = rows[record["sample_id"]]
            assert sample["query.png"] == (root / row["query_path"]).read_bytes()
            assert record["label"] == row["label"] and shard.name.startswith(f"{row['split']}-")
            assert ("mask.png" in sample) == bool(record["instances"])
            if name == "chairs":
                views = sorted(k for k in sample if k.startswith("ref_"))
                assert views[0] == "ref_00.png" and len(views) >= 2, key
            if "mask.png" in sample:
                mask = np.asarray(Image.open(io.BytesIO(sample["mask.png"]))) > 127
                assert mask.sum() <= sum(instance["area"] for instance in record["instances"])
            found[record["label"]] += 1
    assert sum(found.values()) == told.pictures == len(rows) and found[1] == told.anomalous


def test_a_shard_ends_before_it_outgrows_its_size_and_bytes_repeat(fake_dataset, tmp_path):
    small = WebDataset(shard_bytes=2_000_000)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        reader, rows, options = what_to_export(small, fake_dataset)
        small.write(reader, rows, tmp_path / folder, options)
    shards = sorted((tmp_path / "one").glob("*.tar"))
    assert len(shards) > 3 and all(path.stat().st_size < 2_100_000 for path in shards)
    assert [p.read_bytes() for p in shards] == [p.read_bytes() for p in sorted((tmp_path / "two").glob("*.tar"))]
    assert small.read_back(tmp_path / "one").pictures == sum(row["row_type"] == "sample" for row in rows)


def test_damage_is_told_by_the_files_name(fake_dataset, tmp_path):
    export_dataset(fake_dataset, "mvtec", tmp_path / "mvtec")
    next((tmp_path / "mvtec").glob("*/ground_truth/*/*.png")).write_bytes(b"no picture")
    with pytest.raises(BrokenFile, match=r"_mask\.png"):
        MVTec().read_back(tmp_path / "mvtec")
    export_dataset(fake_dataset, "webdataset", tmp_path / "shards")
    shard = next((tmp_path / "shards").glob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:700])
    with pytest.raises(BrokenFile, match=shard.name):
        WebDataset().read_back(tmp_path / "shards")
