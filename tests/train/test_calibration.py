"""Thresholds of photographs keep what they promise, in simulations of known truth; foreign files are refused."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import UsageError
from datagen.core.rng import stream
from datagen.datasets.samples import list_samples, open_dataset
from datagen.train.calibration import calibrate, photos_for, photos_to_bound, read_calibration, write_calibration
from datagen.train.predict import open_judge
from tests.train.test_commands import datagen, run  # noqa: F401


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "network.safetensors"
    path.write_bytes(b"weights")
    return path


@pytest.mark.parametrize(("n", "wanted"), [(10, 0.2), (20, 0.05), (60, 0.05), (200, 0.02)])
def test_false_calls_are_as_often_as_told(network, n, wanted):
    rng, rates, told = stream(0, "calibration", n), [], None
    for _ in range(400):
        told = calibrate(list(rng.random(n)), [], network, false_calls=wanted)
        rates.append(1 - told.threshold)  # uniform scores: the share of new ones above it
    assert np.mean(rates) == pytest.approx(told.expected_false_calls, abs=4 * np.std(rates) / 20)
    assert told.expected_false_calls <= max(wanted, 1 / (n + 1))
    assert np.mean(np.array(rates) <= told.most_false_calls) >= 0.92


def test_too_few_photos_are_told_with_the_number_that_it_takes(network):
    few = calibrate([0.1, 0.3, 0.2], [], network, false_calls=0.05)
    assert few.threshold == pytest.approx(0.3) and few.expected_false_calls == 0.25
    assert any("too few photos for 5.0%: that takes 19" in line for line in few.lines())
    assert (photos_for(0.05), photos_to_bound(0.05)) == (19, 59)
    some, many = (calibrate(list(np.linspace(0, 0.5, n)), [], network, false_calls=0.05).lines() for n in (30, 400))
    assert any("takes 59 good photos" in line for line in some) and len(many) == 2
    with pytest.raises(UsageError, match="no good photo"):
        calibrate([], [0.5], network)


def test_bad_photos_tell_hits_and_a_scale(network):
    good, bad = list(np.linspace(0.7, 0.8, 30)), list(np.linspace(0.79, 0.95, 20))
    plain = calibrate(good, bad, network, false_calls=0.05)
    scaled = calibrate(good, bad, network, false_calls=0.05, affine=True)
    assert plain.hits == scaled.hits and plain.auc == scaled.auc, "a scale moves no rank"
    rate, low, high = scaled.hit_rate
    assert low < rate < high and rate == scaled.hits / 20
    assert np.mean([scaled(s) for s in good]) < 0.5 < np.mean([scaled(s) for s in bad])
    assert plain(0.3) == pytest.approx(0.3)
    for other in ([], good[:5]):
        with pytest.raises(UsageError, match=r"--bad|no higher"):
            calibrate(bad, other, network, affine=True)


def test_a_file_of_another_network_or_of_none_is_refused(network, tmp_path):
    path = tmp_path / "calibration.json"
    write_calibration(calibrate([0.2, 0.4], [0.5], network), path)
    assert read_calibration(path, network).threshold == pytest.approx(0.4)
    told = json.loads(path.read_text())
    for wrong, why in (
        ({**told, "checkpoint": "0" * 64}, "another network"),
        ({**told, "threshold": 7}, "out of range"),
        ({"threshold": 0.5}, "make it again"),
        ([], "make it again"),
    ):
        path.write_text(json.dumps(wrong))
        with pytest.raises(UsageError, match=why):
            read_calibration(path, network)


def test_the_commands_calibrate_and_decide_by_it(run, dataset, tmp_path):  # noqa: F811
    samples = list_samples(open_dataset(dataset), "test")
    shape = dataset / "shapes" / f"shape_{samples[0].shape}"
    folders = {False: tmp_path / "good", True: tmp_path / "bad"}
    for folder in folders.values():
        folder.mkdir()
    for k, sample in enumerate(s for s in samples if s.shape == samples[0].shape):
        Image.open(dataset / sample.query_path).save(folders[bool(sample.label)] / f"{k}.png")
    (folders[False] / "torn.png").write_bytes(b"no picture")
    given = ["--reference", shape, "--device", "cpu"]
    done = datagen("calibrate", run, "--photos", folders[False], "--bad", folders[True], *given, "--json")
    assert done.returncode == 3, done.stderr
    assert "torn.png" in done.stderr and "too few photos" in done.stderr
    told = json.loads(done.stdout)
    table = tmp_path / "table.csv"
    calibration = ["--calibration", run / "calibration.json"]
    done = datagen("predict", run, "--query", folders[False], *given, *calibration, "--csv", table)
    lines = list(csv.DictReader(table.open()))
    assert len(lines) == told["good"] + 1 and lines[-1]["error"]
    assert {float(line["threshold"]) for line in lines[:-1]} == {told["threshold"]}
    assert sum(line["anomalous"] == "True" for line in lines[:-1]) == 0, "the largest good score is the threshold"
    judge = open_judge(run, shape, "cpu", run / "calibration.json")
    assert judge(folders[False] / f"{lines[0]['query'].split('/')[-1]}").threshold == told["threshold"]
    done = datagen("predict", run, "--query", dataset / samples[0].query_path, *given, "--csv", table)
    assert done.returncode == 2 and "--csv is for a folder" in done.stderr
