"""pairs.parquet: which pairs there are, what they say, and that neither side alone tells the label."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datagen.annotate.masks import tight_box
from datagen.formats.pairs import PAIRS, pairs_bytes, read_pairs
from datagen.kinds.brokenchairs.pairs import list_pairs, nearest_view_deg
from datagen.kinds.registry import load_recipe
from datagen.pipeline.merge import merge
from datagen.store.manifest import read_manifest
from datagen.store.reader import DatasetReader
from tests.conftest import run_build
from tests.kinds.brokenchairs.conftest import PAIRED

RECIPE = load_recipe(None, ["reference.counterfactual=true"])


@pytest.fixture(scope="module")
def pairs(paired_dataset):
    return read_pairs(DatasetReader(paired_dataset))


def test_every_picture_and_twin_meet_both_references(paired_dataset, pairs):
    cells = defaultdict(set)
    for pair in pairs:
        if pair.relation != "two":
            cells[pair.group, pair.camera].add((bool(pair.query_state), bool(pair.reference_state), pair.label))
    expected = {(False, False, 0), (False, True, 1), (True, False, 1), (True, True, 0)}
    assert cells and all(found == expected for found in cells.values())
    pictures = [r for r in read_manifest(paired_dataset) if r["row_type"] == "sample" and r["label"]]
    assert len(cells) == len(pictures)


def test_all_states_of_a_shape_meet(pairs):
    """K anomalies give (K + 1)^2 cells, the diagonal alone with label 0."""
    met = defaultdict(set)
    for pair in pairs:
        met[pair.shape_id].add((pair.query_state, pair.reference_state))
    for cells in met.values():
        states = {state for cell in cells for state in cell}
        assert len(cells) == len(states) ** 2
    assert all(pair.label == (pair.query_state != pair.reference_state) for pair in pairs)


def test_neither_side_of_a_balanced_pair_tells_the_label(pairs):
    for side in ("query_path", "reference"):
        labels = defaultdict(list)
        for pair in pairs:
            if pair.balanced:
                labels[getattr(pair, side)].append(pair.label)
        assert all(np.mean(found) == 0.5 for found in labels.values())


def test_relations_and_boxes_say_what_differs(paired_dataset, pairs):
    told = Counter(pair.relation for pair in pairs)
    assert told["extra"] == told["missing"] > 0 and told["whole"] == told["broken"] > 0 and told["two"] > 0
    for pair in pairs:
        sides = [(pair.mask_query_path, pair.bbox_xywh_512)]
        sides += [(pair.mask_reference_path, pair.bbox_reference_xywh_512)]
        if pair.relation in ("same", "two"):
            assert sides == [("", ()), ("", ())]
            continue
        for path, box in sides:
            if path:
                assert box == tight_box(np.asarray(Image.open(paired_dataset / path)) > 127)
        assert pair.bbox_xywh_512 and (pair.mask_query_path != "") == (pair.relation != "missing")
        assert (pair.mask_reference_path != "") == (pair.relation != "extra")
        assert (paired_dataset / f"{pair.reference_at_query}.png").is_file()


def rows_of(changed, kinds, parts):
    """A shape with one picture and twin of each anomaly."""
    rows = [{"row_type": "reference", "reason": "", "public_id": 7, "sha256": {"shapes/shape_7/model.obj": ""}}]
    for slot, (pixels, kind, part) in enumerate(zip(changed, kinds, parts, strict=True)):
        common = {"public_id": 7, "job_id": f"j{slot}", "split": "train", "shape_id": "s", "kind": kind}
        common |= {"label": 1, "part_id": part, "index": 0, "changed_px": 90, "azimuth_deg": 40.0}
        files = {f"shapes/shape_7-a{slot}/model.obj": ""}
        shown = {"row_type": "reference", "reason": "counterfactual", "detail": str(pixels), "sha256": files}
        masks = {"mask_new_path": "n", "mask_old_path": "o", "bbox_xywh_512": [0, 0, 9, 9]}
        picture = {"row_type": "sample", "reason": "", "sample_id": f"q{slot}", "query_path": f"images/q{slot}/x"}
        twin = {"query_path": f"images/t{slot}/x", "reason": "twin", "detail": f"q{slot}", "label": 0}
        rows += [common | shown, common | masks | picture, common | masks | picture | twin]
    return rows


@given(st.lists(st.lists(st.integers(0, 200), min_size=3, max_size=3), min_size=1, max_size=4))
def test_what_no_reference_view_shows_is_no_pair(changed):
    kinds = ["position", "rotation", "broken", "missing"][: len(changed)]
    found = list_pairs(rows_of(changed, kinds, range(1, len(changed) + 1)), RECIPE)
    shown = [max(views) >= 60 for views in changed]
    assert sum(pair.balanced for pair in found) == 4 * sum(shown)
    assert sum(pair.relation == "two" for pair in found) == sum(shown) * (len(changed) - 1)
    assert all(1 <= pair.views_showing <= pair.views == 3 for pair in found)


def test_one_kind_twice_at_one_part_may_be_one_anomaly():
    found = list_pairs(rows_of([[90, 0, 0]] * 3, ["rotation", "rotation", "missing"], [4, 4, 4]), RECIPE)
    two = {(pair.query_state, pair.reference_state) for pair in found if pair.relation == "two"}
    assert two == {("7-a0", "7-a2"), ("7-a1", "7-a2"), ("7-a2", "7-a0"), ("7-a2", "7-a1")}


@given(st.floats(0, 359.99))
def test_the_nearest_view_is_half_a_step_away_at_most(azimuth):
    assert 0 <= nearest_view_deg(azimuth, RECIPE) <= 9
    turned = load_recipe(None, ["reference.azimuth_offset=9"])
    assert nearest_view_deg(azimuth, turned) == pytest.approx(9 - nearest_view_deg(azimuth, RECIPE), abs=1e-4)


def test_the_table_is_read_back_and_is_the_same_from_shards(paired_dataset, pairs, plain_chairs, tmp_path):
    assert pairs_bytes(pairs) == (paired_dataset / PAIRS).read_bytes()
    assert pairs == list_pairs(read_manifest(paired_dataset), load_recipe(None, PAIRED))
    run_build(tmp_path / "tars", 4, sets=PAIRED, collection=plain_chairs, layout="shards")
    assert (tmp_path / "tars" / PAIRS).read_bytes() == (paired_dataset / PAIRS).read_bytes()
    assert DatasetReader(tmp_path / "tars").has(f"{pairs[0].reference_at_query}.png")


def test_shards_that_are_merged_list_their_pairs_at_the_next_build(paired_dataset, plain_chairs, tmp_path):
    shards = [tmp_path / "first", tmp_path / "second"]
    for k, out in enumerate(shards):
        run_build(out, 4, sets=PAIRED, collection=plain_chairs, shard=(k, 2))
    merge(shards, tmp_path / "whole")
    assert not (tmp_path / "whole" / PAIRS).exists()
    run_build(tmp_path / "whole", 4, sets=PAIRED, collection=plain_chairs)
    assert (tmp_path / "whole" / PAIRS).read_bytes() == (paired_dataset / PAIRS).read_bytes()
