"""A build read by the published loader's rules: no sample dropped."""

import itertools
import json

import numpy as np
import pytest

from tests.kinds.brokenchairs import loader_rules as rules


def test_every_query_loads(fake_dataset):
    samples = [s for mode in ("train", "val", "test") for s in rules.load_split(fake_dataset, mode)]
    images = list((fake_dataset / "images").glob("*/*"))
    assert len(samples) == len(images) >= 40
    for mode in ("train", "test"):
        assert {s.label for s in rules.load_split(fake_dataset, mode)} == {0, 1}
    assert rules.load_split(fake_dataset, "val")


def test_random_crops_keep_the_box(fake_dataset):
    rng = np.random.default_rng(0)
    samples = [s for mode in ("train", "val", "test") for s in rules.load_split(fake_dataset, mode) if s.label]
    for sample in samples:
        kept = [rules.crop_keeps(sample.box, rng) for _ in range(50)]
        assert np.mean(kept) >= 0.98, sample.path


def test_references_give_pairs(fake_dataset):
    splits = json.loads((fake_dataset / "split.json").read_text())
    for shape in itertools.chain(*splits.values()):
        views = rules.load_reference(fake_dataset, shape)
        assert len(views) == 20
        for view in views:
            assert view["pxy"].shape == (2000, 2) and view["pxy"].dtype == np.int64
            assert view["is_visible"].shape == (2000,) and view["is_visible"].dtype == bool
            assert view["xyz"].shape == (32, 32, 3) and view["xyz"].dtype == np.float64
            assert (view["grey"][..., 0] == view["grey"][..., 1]).all() and (view["grey"][0, 0] == 255).all()
            inside = view["grey"][..., 0] < 255
            assert view["grey"][inside].mean() < 200 and (view["grey"][..., 0][inside] < 229.5).mean() > 0.9
        pairs = [rules.pair_is_usable(a, b) for a, b in itertools.combinations(views, 2)]
        assert np.mean(pairs) > 0.85


@pytest.mark.parametrize("key", ["2d_bbox", "IoU", "camera_parameters", "texture_id", "config"])
def test_annotations_hold_what_the_readme_names(fake_dataset, key):
    path = next((fake_dataset / "annotations").glob("*/info_*.json"))
    assert key in json.loads(path.read_text())
