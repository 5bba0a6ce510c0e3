"""Scores of objects out of maps of pixels; anomalib's data module itself is tried in `make exports`."""

import math

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import UsageError
from datagen.export.object_scores import auroc, object_scores
from datagen.store.manifest import read_manifest


def maps_of(root, folder):
    """Path of a picture -> one of the dataset's own masks as a map."""
    paths = sorted(path.relative_to(root).as_posix() for path in root.glob("scenes/*/RGB/*.png"))
    return {path: np.asarray(Image.open(root / path.replace("/RGB/", f"/{folder}/"))) / 255.0 for path in paths}


def test_a_map_of_what_is_odd_finds_every_odd_object(scene_dataset):
    scores = object_scores(scene_dataset, maps_of(scene_dataset, "binary_labels"))
    rows = {row["query_path"]: row["label"] for row in read_manifest(scene_dataset) if row["row_type"] == "object"}
    assert {f"scenes/{s.stage}#{s.name}": s.label for s in scores} == rows
    assert auroc([s.label for s in scores], [s.score for s in scores]) == 1.0
    assert all((s.score == 1.0) == bool(s.label) and 0 < s.views <= 10 for s in scores)
    assert all((s.relative > 0.5) == bool(s.label) for s in scores)


def test_maps_may_be_of_another_size(scene_dataset):
    small = {
        path: np.asarray(Image.fromarray(told).resize((48, 48), Image.Resampling.BOX))
        for path, told in maps_of(scene_dataset, "binary_labels").items()
    }
    scores = object_scores(scene_dataset, small)
    assert auroc([s.label for s in scores], [s.score for s in scores]) == 1.0


def test_a_map_that_knows_nothing_tells_nothing(scene_dataset):
    rng = np.random.default_rng(0)
    scores = object_scores(scene_dataset, {p: rng.random(m.shape) for p, m in maps_of(scene_dataset, "masks").items()})
    assert max(abs(s.relative) for s in scores) < 0.05


def test_what_has_no_objects_is_told(fake_dataset, scene_dataset):
    with pytest.raises(UsageError, match="no objects side by side"):
        object_scores(fake_dataset, {})
    with pytest.raises(UsageError, match="name them by their paths"):
        object_scores(scene_dataset, {"x.png": np.zeros((4, 4))})


def test_the_area_counts_ties_by_half():
    assert auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75
    assert auroc([0, 1], [1.0, 1.0]) == 0.5
    assert math.isnan(auroc([1, 1], [0.0, 1.0]))
