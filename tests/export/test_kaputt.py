"""Kaputt's tables by the rules of anomalib's reader, restated here; `make exports` runs the reader itself."""

from collections import defaultdict

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.export.kaputt import Kaputt
from datagen.export.run import export_dataset
from datagen.formats.brokenchairs import reference_folder
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import ExporterConformance

SPLITS = {"train": "train", "val": "validation", "test": "test"}


class TestKaputt(ExporterConformance):
    refuses = ("scene_dataset",)

    def open(self):
        return Kaputt()


@pytest.fixture(scope="module")
def out(fake_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kaputt") / "out"
    export_dataset(fake_dataset, "kaputt", folder)
    return folder


def tables(out, which):
    """Published split -> rows."""
    return {name: pq.read_table(out / "datasets" / f"{which}-{name}.parquet").to_pylist() for name in SPLITS.values()}


def test_queries_are_the_samples_with_their_masks(fake_dataset, out):
    rows = {row["sample_id"]: row for row in read_manifest(fake_dataset) if row["row_type"] == "sample"}
    for split, queries in tables(out, "query").items():
        for query in queries:
            row = rows.pop(query["sample_id"])
            assert (SPLITS[row["split"]], row["label"], row["shape_id"]) == (
                split,
                query["defect"],
                query["item_identifier"],
            )
            picture = out / "query-image" / query["query_image"]
            assert picture.read_bytes() == (fake_dataset / row["query_path"]).read_bytes()
            assert query["defect_types"] == (row["kind"] if row["label"] else "")
            assert (query["query_mask"] is None) == (not row["label"])
            if row["label"]:
                mask = np.asarray(Image.open(out / "query-mask" / query["query_mask"]))
                assert mask.shape == Image.open(picture).size[::-1] and set(np.unique(mask)) == {0, 255}
    assert not rows


def test_a_query_and_its_references_share_their_item(fake_dataset, out):
    ids = {row["shape_id"]: row["public_id"] for row in read_manifest(fake_dataset)}
    for split, views in tables(out, "reference").items():
        found = defaultdict(list)
        for view in views:
            found[view["item_identifier"]].append((out / "reference-image" / view["reference_image"]).read_bytes())
        assert set(found) == {query["item_identifier"] for query in tables(out, "query")[split]}
        for item, pictures in found.items():
            folder = fake_dataset / reference_folder(ids[item]) / "mv_images"
            assert sorted(pictures) == sorted(path.read_bytes() for path in folder.glob("*.png"))


def test_a_view_that_is_gone_is_told(fake_dataset, tmp_path):
    export_dataset(fake_dataset, "kaputt", tmp_path / "out")
    next((tmp_path / "out" / "reference-image").rglob("*.png")).unlink()
    with pytest.raises(BrokenFile, match=r"reference-.*\.parquet: .* is not there"):
        Kaputt().read_back(tmp_path / "out")
