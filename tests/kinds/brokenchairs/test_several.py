"""Several anomalies in one object: on parts of their own, told one by one, their union in the published fields."""

import json

import numpy as np
import pytest
from PIL import Image

from datagen.annotate.masks import hull, tight_box
from datagen.core.anomaly import ALSO, further_specs, spec_from_json
from datagen.core.errors import RecipeError
from datagen.formats.brokenchairs import FOLDERS
from datagen.kinds.brokenchairs.instances import CHAIR_INSTANCES
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.registry import load_recipe, open_tree
from datagen.store.manifest import read_manifest
from datagen.store.reader import DatasetReader
from datagen.verify.check import FAIL
from tests.conftest import run_build, shared
from tests.kinds.brokenchairs.test_categories import failed
from tests.kinds.brokenchairs.verify.editor import Editor

SETS = ("query.size_px=96", "anomaly.min_changed_px=30", "anomaly.views={2: 1}", "normal.views={2: 1}")
SETS += ("reference.views=10", "reference.points=1500", "anomaly.per_image={1: 1, 2: 2, 3: 2}")


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Five built-in chairs, most of whose anomalous pictures show two or three anomalies."""
    return shared(tmp_path_factory, "several", lambda folder: run_build(folder, 5, sets=SETS))


def anomalous(root):
    return [row for row in read_manifest(root) if row["row_type"] == "sample" and row["label"]]


def mask(root, path):
    return np.asarray(Image.open(root / path)) > 127


def test_the_dataset_verifies_with_and_without_its_shapes(several):
    assert failed(several, "partnet/chair") == [] == failed(several)


def test_rows_list_each_anomaly_and_published_fields_hold_all(several):
    rows = anomalous(several)
    counts = [len(json.loads(row["anomalies"] or "[]")) for row in rows]
    assert set(counts) == {0, 2, 3}
    for row, count in zip(rows, counts, strict=True):
        note = json.loads((several / row["annotation_path"]).read_text())
        spec = spec_from_json(json.loads(row["spec"]))
        assert len(further_specs(spec)) == max(count - 1, 0) and ("anomalies" in note["config"]) == (count > 1)
        if not count:
            continue
        listed = note["config"]["anomalies"]
        assert listed == json.loads(row["anomalies"]) and len({one["part_id"] for one in listed}) == count
        # The first is the kind of the row and of config.type.
        assert listed[0]["kind"] == row["kind"] and listed[0]["type"] == note["config"]["type"]
        assert row["part_id"] == listed[0]["part_id"] and ALSO not in listed[0]["spec"]
        assert note["2d_bbox"] == list(hull([one["2d_bbox"] for one in listed]))
        for side in ("mask_new", "mask_old"):
            own = [mask(several, one[side]) for one in listed if one[side]]
            assert all(one.any() for one in own) and all(one[side] or one["kind"] == "missing" for one in listed)
            if own:
                assert (np.logical_or.reduce(own) == mask(several, row[f"{side}_path"])).all()
        for one in listed:
            shown = mask(several, one["mask_new"] or one["mask_old"])
            assert one["2d_bbox"] == list(tight_box(shown))


def test_exporters_get_an_instance_for_each(several):
    reader = DatasetReader(several, FOLDERS)
    rows = {row["sample_id"]: row for row in anomalous(several)}
    pictures = [p for p in CHAIR_INSTANCES.pictures(reader, read_manifest(several)) if p.label]
    assert len(pictures) == len(rows)
    for picture in pictures:
        listed = json.loads(rows[picture.sample_id]["anomalies"] or "[]")
        assert len(picture.instances) == max(len(listed), 1)
        assert [one.kind for one in picture.instances] == [one["kind"] for one in listed or [rows[picture.sample_id]]]


def test_wrong_lists_are_found(several, tmp_path):
    editor = Editor(several, tmp_path / "bad")
    row = next(row for row in anomalous(several) if row["anomalies"])
    listed = json.loads(row["anomalies"])
    path = editor.root / next(one["mask_old"] for one in listed)
    whole = np.asarray(Image.open(path)).copy()
    whole[: whole.shape[0] // 2 + 10] = 0
    path.unlink()
    Image.fromarray(np.roll(whole, 9, axis=1)).save(path)
    (check,) = [c for c in CHECKS.run(ChairEvidence(open_tree(editor.root))) if c.name == "several_anomalies"]
    assert check.status == FAIL and check.examples[0].subject == row["query_path"]


def test_pairs_compare_single_anomalies():
    with pytest.raises(RecipeError, match="compares single anomalies"):
        load_recipe(None, ["anomaly.per_image={2: 1}", "reference.counterfactual=true"])
    with pytest.raises(RecipeError, match="per_image"):
        load_recipe(None, ["anomaly.per_image={0: 1}"])
