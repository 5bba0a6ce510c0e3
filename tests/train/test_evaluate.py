"""What evaluation reports and draws belongs to what the network saw."""

from dataclasses import replace

import numpy as np

from datagen.datasets.samples import Sample
from datagen.train.tasks.matching.data import open_split
from datagen.train.tasks.matching.page import reference_of
from datagen.train.tasks.matching.predictions import MatchingPredictions, viewpoint_accuracy
from datagen.train.tasks.matching.report import matching_report
from tests.train.conftest import tiny


def test_pictures_show_the_views_that_were_judged_by(dataset):
    """Predicted views are numbered among the evaluated ones, 4 of 8 here, of the shape that was given."""
    for recipe in (tiny(), tiny(data={"shuffle_references": True})):
        data = open_split(dataset, "test", recipe)
        for number in (0, len(data) - 1):
            found = reference_of(data, data.samples[number], published=False)
            assert np.array_equal(found.pictures, data[number]["views"].numpy())
            assert found.azimuths.tolist() == [0.0, 90.0, 180.0, 270.0]


def predictions(severity):
    """Two shapes with two normal and two anomalous pictures each."""
    samples = [
        Sample(f"{shape}/{n}", str(shape), "test", n % 2, kind=("normal", "broken")[n % 2], severity=severity)
        for shape in range(2)
        for n in range(4)
    ]
    label = np.array([s.label for s in samples])
    box = np.full((8, 4), np.nan)
    view = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    true_view = np.array([0, 1, 3, -1, 0, 2, -1, 3])
    return MatchingPredictions(tuple(samples), label, np.linspace(0, 1, 8), box, box, view, true_view, np.zeros(8))


def test_severity_is_left_out_where_it_is_not_known():
    assert "per_severity" not in matching_report(predictions(None), 0.5, 10)
    assert set(matching_report(predictions(0.5), 0.5, 10)["per_severity"]) == {"low", "middle", "high"}


def test_auc_by_the_pixels_that_an_anomaly_changes():
    found = predictions(0.5)
    assert "per_changed_px" not in matching_report(found, 0.5, 10)
    shares = iter((0.004, 0.01, 0.01, 0.5))
    told = tuple(replace(s, changed_share=next(shares) if s.label else None) for s in found.samples)
    groups = matching_report(replace(found, samples=told), 0.5, 10)["per_changed_px"]
    assert {name: group["anomalies"] for name, group in groups.items()} == {
        "0 to 300": 1,
        "600 to 1000": 2,
        "4000 or more": 1,
    }
    assert list(groups) == ["0 to 300", "600 to 1000", "4000 or more"]


def test_viewpoint_is_measured_on_normal_pictures_of_known_pose():
    found = predictions(None)
    assert viewpoint_accuracy(found) == 2 / 3
    assert np.isnan(viewpoint_accuracy(replace(found, label=np.ones(8, dtype=int))))
