"""Parquet shards and the card's YAML against the manifest; `make exports` lets `datasets` read them."""

import io
import json
import shutil
from datetime import UTC, datetime

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from datagen.core.errors import BrokenFile, UsageError
from datagen.export import hub_card, parquet
from datagen.export.hub import Hub
from datagen.export.run import export_dataset
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import ExporterConformance, what_to_export

FORMAT = "hub"


class TestHub(ExporterConformance):
    def open(self):
        return Hub()


def head(out):
    return yaml.safe_load((out / "README.md").read_text().split("---\n")[1])


def test_rows_are_the_samples(exported):
    root, out = exported
    rows = {row["sample_id"]: row for row in read_manifest(root) if row["row_type"] == "sample"}
    for path in (out / "data").glob("*.parquet"):
        for told in pq.read_table(path).to_pylist():
            row = rows.pop(told["sample_id"])
            assert path.name.startswith(f"{row['split'].replace('-', '_')}-00000-of-00001")
            assert told["image"]["bytes"] == (root / row["query_path"]).read_bytes()
            assert told["label"] == row["label"] and (told["mask"] is None) == (not told["objects"])
            if told["mask"]:
                mask = np.asarray(Image.open(io.BytesIO(told["mask"]["bytes"]))) > 127
                assert 0 < mask.sum() <= sum(found["area"] for found in told["objects"])
                assert all(json.loads(found["attributes"])["shape_id"] for found in told["objects"])
    assert not rows


def test_the_card_names_every_file_and_column(exported):
    root, out = exported
    told = head(out)
    assert told["license"] == "apache-2.0" and (out / "README.md").read_text().endswith(
        (root / "README.md").read_text()
    )
    named = [out / each["path"] for config in told["configs"] for each in config["data_files"]]
    found = {path for pattern in named for path in pattern.parent.glob(pattern.name)}
    assert found == set(out.rglob("*.parquet")), "a file that no configuration names is guessed at by readers"
    assert [config.get("default") for config in told["configs"]] in ([True], [True, None])
    for config, info in zip(told["configs"], told["dataset_info"], strict=True):
        schema = pq.read_schema(next(out.glob(config["data_files"][0]["path"])))
        assert [feature["name"] for feature in info["features"]] == schema.names
        assert list(json.loads(schema.metadata[b"huggingface"])["info"]["features"]) == schema.names
        assert all(each["split"].isidentifier() for each in config["data_files"])


def test_references_stand_once_a_shape(fake_dataset, tmp_path):
    export_dataset(fake_dataset, "hub", tmp_path / "out")
    views = [row for p in (tmp_path / "out" / "references").iterdir() for row in pq.read_table(p).to_pylist()]
    assert sorted(row["source_path"] for row in views) == sorted(
        path.relative_to(fake_dataset).as_posix() for path in fake_dataset.glob("shapes/*/mv_images/*.png")
    )
    assert all(row["image"]["bytes"] == (fake_dataset / row["source_path"]).read_bytes() for row in views)


def test_shards_end_before_they_outgrow_their_size(fake_dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 3)
    hub = Hub(shard_bytes=100_000)
    reader, rows, options = what_to_export(hub, fake_dataset)
    told = hub.write(reader, rows, tmp_path, options)
    shards = sorted(path.name for path in (tmp_path / "data").glob("train-*"))
    assert len(shards) > 2 and shards == [f"train-{k:05d}-of-{len(shards):05d}.parquet" for k in range(len(shards))]
    assert all(path.stat().st_size < 120_000 for path in (tmp_path / "data").iterdir())
    assert Hub().read_back(tmp_path) == told


def test_croissant_names_every_file_and_plain_column(exported):
    _, out = exported
    told = json.loads((out / "croissant.json").read_text())
    assert {"license", "citeAs", "datePublished", "version"} <= set(told)
    found = {path for files in told["distribution"] for path in out.glob(files["includes"])}
    assert found == set(out.rglob("*.parquet"))
    for records in told["recordSet"]:
        folder = next(f["includes"] for f in told["distribution"] if f["@id"] == f"{records['@id']}-files")
        names = [field["source"]["extract"].get("column") for field in records["field"]]
        assert [name for name in names if name] == [
            name for name in pq.read_schema(next(out.glob(folder))).names if name != "objects"
        ]


def test_a_folder_to_be_pushed_has_its_licences_checked(fake_dataset, tmp_path):
    export_dataset(fake_dataset, "hub", tmp_path / "out", ["push=true"])
    assert "filter=lfs" in (tmp_path / "out" / ".gitattributes").read_text()
    assert not (tmp_path / "out" / "LICENSE.md").exists() and head(tmp_path / "out")["license"] == "apache-2.0"
    root = tmp_path / "root"
    shutil.copytree(fake_dataset, root)
    card = (root / "README.md").read_text()
    (root / "README.md").write_text(card.replace("Apache-2.0", "CC BY 4.0", 1))
    export_dataset(root, "hub", tmp_path / "two", ["push=true"])
    assert head(tmp_path / "two") | {"license": "other", "license_link": "LICENSE.md"} == head(tmp_path / "two")
    assert "- CC BY 4.0" in (tmp_path / "two" / "LICENSE.md").read_text()
    for word in ("ShapeNet and PartNet terms of use: registered users (shapenet.org)", "unknown"):
        (root / "README.md").write_text(card.replace("Apache-2.0", word, 1))
        with pytest.raises(UsageError, match="is not to be published"):
            export_dataset(root, "hub", tmp_path / "three", ["push=true"])
        assert export_dataset(root, "hub", tmp_path / word[:4]).pictures


@pytest.mark.parametrize(
    "card, word",
    [
        ("Source: mine. Licence: MIT\n", "mit"),
        ("Source: mine. Licence: MIT\n\n| source | licence |\n|---|---|\n| theirs | CC0 |\n", "other"),
        ("Source: mine. Licence: ShapeNet and PartNet terms of use: registered users (shapenet.org)\n", "other"),
        ("# Nothing said\n", "other"),
    ],
)
def test_a_licence_is_named_only_where_all_say_the_same(card, word):
    assert hub_card.licence(card) == word


def test_damage_is_told_by_the_files_name(fake_dataset, tmp_path):
    export_dataset(fake_dataset, "hub", tmp_path / "out")
    shard = next((tmp_path / "out" / "data").iterdir())
    shard.write_bytes(shard.read_bytes()[:2000])
    with pytest.raises(BrokenFile, match=shard.name):
        Hub().read_back(tmp_path / "out")


def test_the_day_of_publication_is_the_datasets_own_or_given(fake_dataset, tmp_path):
    def day(root, *sets):
        export_dataset(root, "hub", tmp_path / "out", sets)
        told = json.loads((tmp_path / "out" / "croissant.json").read_text()).get("datePublished")
        shutil.rmtree(tmp_path / "out")
        return told

    ended = max(pq.read_table(fake_dataset / "cost.parquet")["t"].to_pylist())
    assert day(fake_dataset) == datetime.fromtimestamp(ended, UTC).date().isoformat()
    assert day(fake_dataset, "date=2031-02-03") == "2031-02-03"
    with pytest.raises(UsageError, match=r"--set date=tomorrow: write a day as"):
        day(fake_dataset, "date=tomorrow")
    imported = tmp_path / "imported"
    shutil.copytree(fake_dataset, imported, ignore=shutil.ignore_patterns("cost.parquet"))
    assert day(imported) is None
