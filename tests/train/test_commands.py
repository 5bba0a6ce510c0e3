"""train, evaluate, predict through the real command line: the thin way from a dataset to an answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from datagen.cli.main import DatagenStopped, _stop
from datagen.core.errors import MissingDependency, OtherRecipe
from datagen.datasets.samples import list_samples, open_dataset
from datagen.models.published import PublishedCMT
from datagen.train.predict import predict
from datagen.train.run import open_run
from datagen.train.runtime import choose_device
from datagen.train.tasks.matching.recipe import MatchingRecipe
from datagen.train.tasks.matching.reference import open_reference
from datagen.view.scores import read_scores
from tests.conftest import ROOT
from tests.helpers.forked_commands import TRAIN, run_forked
from tests.train.conftest import TINY, tiny


def datagen(*arguments, cache=None):
    """A command, forked from a process that has torch."""
    environment = {"COLUMNS": "200", **({"DATAGEN_CACHE": str(cache)} if cache else {})}
    return run_forked(arguments, environment, modules=TRAIN)


def started(*arguments):
    """The same as a command of its own, as a user starts it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "datagen.cli.main", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    recipe = folder / "tiny.yaml"
    recipe.write_text(yaml.safe_dump({**TINY, "log": {"checkpoint_steps": 3}}))
    done = started("train", "--data", dataset, "--recipe", recipe, "--out", folder / "run", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "samples/s" in done.stderr and "GiB" in done.stderr and done.stdout == ""
    return folder / "run"


def test_a_second_start_is_refused_and_resume_goes_on(run, dataset):
    recipe = run.parent / "tiny.yaml"
    again = datagen("train", "--data", dataset, "--recipe", recipe, "--out", run, "--unverified")
    assert again.returncode == 2 and "--resume" in again.stderr and "Traceback" not in again.stderr
    other = datagen("train", "--data", dataset, "--recipe", recipe, "--out", run, "--unverified", "--set", "optim.lr=1")
    assert other.returncode == 6
    resumed = datagen("train", "--data", dataset, "--recipe", recipe, "--out", run, "--unverified", "--resume")
    assert resumed.returncode == 0, resumed.stderr


def test_evaluate_writes_json_and_a_page(run, dataset, tmp_path):
    done = datagen("evaluate", run, "--data", dataset, "--json", "--sweep", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    samples = list_samples(open_dataset(dataset), "test")
    assert report["n"] == len(samples)
    assert {"auc", "accuracy", "ap50", "per_kind", "per_part_class", "per_severity", "viewpoint"} <= set(report)
    assert set(report["per_kind"]) == {s.kind for s in samples if s.label}
    assert sum(group["anomalies"] for group in report["per_kind"].values()) == sum(s.label for s in samples)
    for counts, right in (
        ("confusion", "accuracy"),
        ("confusion_at_validation_threshold", "accuracy_at_validation_threshold"),
    ):
        assert sum(report[counts].values()) == report["n"]
        hits = report[counts]["true_positive"] + report[counts]["true_negative"]
        assert hits / report["n"] == pytest.approx(report[right])
    assert set(report["sweep"]) == {"k", "views"} and "all" in report["sweep"]["k"]
    low, high = report["intervals"]["auc"]
    assert low <= report["auc"] <= high
    assert json.loads((tmp_path / "evaluation-test.json").read_text()) == report
    scores = read_scores(tmp_path / "scores-test.csv")
    assert len(scores) == report["n"] and all(path.startswith("images/") for path in scores)
    page = (tmp_path / "evaluation-test.html").read_text()
    for word in ("<h2>Curves", "Confusion", "Best samples", "Worst samples", "Correspondences", "AUC over k"):
        assert word in page, word
    assert page.count("data:image/png;base64,") >= 12 and "http" not in page.replace("http-equiv", "")
    again = datagen("evaluate", run, "--data", dataset, "--json", "--sweep", "--out", tmp_path)
    assert again.stdout == done.stdout


def test_a_split_that_is_not_there_is_told_with_those_that_are(run, dataset):
    done = datagen("evaluate", run, "--data", dataset, "--split", "nonsense")
    assert done.returncode == 2 and "has no split nonsense; its splits are train, val, test" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [(["train", "--data", "x"], "again with --resume"), (["train", "--resume"], "again to"), (["build"], "again to")],
)
def test_what_was_stopped_says_how_to_go_on(monkeypatch, words, told):
    monkeypatch.setattr("sys.argv", ["datagen", *words])
    with pytest.raises(DatagenStopped, match=told):
        _stop()


def test_a_bundle_and_its_mesh_give_the_same_views(dataset):
    """The bundle's mesh has six decimals and may have a part that was repaired, so not byte for byte."""
    for shape in sorted((dataset / "shapes").iterdir())[:2]:
        bundle, mesh = (open_reference(p, 64, published=False, views=4) for p in (shape, shape / "model.obj"))
        assert np.array_equal(bundle.azimuths, mesh.azimuths)
        away = np.abs(bundle.pictures[:, None].astype(float) - mesh.pictures).mean(axis=(2, 3))
        assert away.argmin(axis=1).tolist() == list(range(4))
        on_object = (bundle.pictures < 250) | (mesh.pictures < 250)
        assert np.abs(bundle.pictures.astype(float) - mesh.pictures)[on_object].mean() < 1.5
        ours, theirs = (np.isfinite(reference.xyz).all(axis=-1) for reference in (bundle, mesh))
        assert (ours & theirs).sum() > 0.8 * (ours | theirs).sum()
        distance = np.linalg.norm(bundle.xyz - mesh.xyz, axis=-1)[ours & theirs]
        assert np.median(distance) < 1 / 16, "a quarter of a patch of 8 px, an object being 2 wide and 8 patches"


def test_predict_takes_a_bundle_or_a_mesh(run, dataset, tmp_path):
    sample = next(s for s in list_samples(open_dataset(dataset), "test") if s.label)
    shape = dataset / "shapes" / f"shape_{sample.shape}"
    answers = []
    for reference in (shape, shape / "model.obj"):
        picture = tmp_path / "answer.png"
        done = datagen(
            "predict", run, "--query", dataset / sample.query_path, "--reference", reference, "--json", "--out", picture
        )
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
        drawn = Image.open(picture)
        assert np.asarray(drawn).std() > 10 and drawn.height > 256
    assert {"score", "box", "box_px", "nearest_view", "anomalous", "threshold", "nearest_azimuth_deg"} <= set(
        answers[0]
    )
    assert 0 <= answers[0]["box_px"][0] <= answers[0]["box_px"][2] <= 256
    function = predict(run, dataset / sample.query_path, shape, device="cpu")
    assert function.score == pytest.approx(answers[0]["score"]) and function.nearest_view == answers[0]["nearest_view"]


def test_predict_judges_a_folder_and_goes_on_past_what_is_no_photo(run, dataset, tmp_path):
    samples = list_samples(open_dataset(dataset), "test")[:2]
    for number, sample in enumerate(samples):
        (tmp_path / f"photo {number}.png").write_bytes((dataset / sample.query_path).read_bytes())
    Image.new("RGB", (64, 64), "white").save(tmp_path / "blank.png")
    (tmp_path / "notes.txt").write_text("no photo")
    shape = dataset / "shapes" / f"shape_{samples[0].shape}"
    sheet = tmp_path / "out" / "sheet.png"
    done = datagen("predict", run, "--query", tmp_path, "--reference", shape, "--json", "--out", sheet)
    assert done.returncode == 3 and "blank.png" not in done.stdout.replace(str(tmp_path / "blank.png"), "")
    assert "error: blank.png: the query shows no object" in done.stderr
    answers = json.loads(done.stdout)
    assert [Path(answer["query"]).name for answer in answers] == ["blank.png", "photo 0.png", "photo 1.png"]
    assert "no object" in answers[0]["error"] and 0 <= answers[1]["score"] <= 1
    assert np.asarray(Image.open(sheet)).std() > 10
    (tmp_path / "IMG_1.HEIC").write_bytes(b"no picture at all")
    (tmp_path / "scan").write_bytes((tmp_path / "photo 0.png").read_bytes())
    (tmp_path / "manual.pdf").write_bytes(b"%PDF")
    done = datagen("predict", run, "--query", tmp_path, "--reference", shape, "--json")
    answers = {Path(answer["query"]).name: answer for answer in json.loads(done.stdout)}
    assert done.returncode == 3 and "export it as JPEG or PNG" in answers["IMG_1.HEIC"]["error"]
    assert "error" in answers["manual.pdf"] and "score" in answers["scan"] and "notes.txt" not in answers
    done = datagen("predict", run, "--query", tmp_path / "blank.png", "--reference", shape)
    assert done.returncode == 2 and "blank.png: the query shows no object" in done.stderr
    (tmp_path / "none").mkdir()
    done = datagen("predict", run, "--query", tmp_path / "none", "--reference", shape)
    assert done.returncode == 2 and "holds no photo" in done.stderr


def test_predict_loads_the_published_checkpoint(dataset, tmp_path):
    """A published file is five plain state dicts; ours is made here with random weights."""
    torch.manual_seed(0)
    model = PublishedCMT()
    parts = ("encoder", "encoder_ema", "projector", "projector_ema", "attention_decoder")
    torch.save({part: model.get_submodule(part).state_dict() for part in parts}, tmp_path / "model.pt")
    sample = list_samples(open_dataset(dataset), "test")[0]
    found = predict(
        tmp_path / "model.pt", dataset / sample.query_path, dataset / "shapes" / f"shape_{sample.shape}", device="cpu"
    )
    assert 0 <= found.score <= 1 and found.box is not None and found.query.shape == (256, 256, 3)


def pickled_code(path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {path.parent}/ran",)

    torch.save({"encoder": Evil()}, path)


def test_a_checkpoint_that_would_run_code_is_refused(dataset, tmp_path):
    pickled_code(tmp_path / "model.pt")
    sample = list_samples(open_dataset(dataset), "test")[0]
    query, reference = dataset / sample.query_path, dataset / "shapes" / f"shape_{sample.shape}"
    done = datagen("predict", tmp_path / "model.pt", "--query", query, "--reference", reference)
    assert done.returncode == 2 and "BadCheckpoint" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_without_torch_the_advice_is_given(command, tmp_path):
    arguments = {
        "train": ["--data", "."],
        "evaluate": ["run", "--data", "."],
        "predict": ["run", "--query", "q.png", "--reference", "r"],
    }
    code = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        f"sys.argv = ['datagen', {command!r}, *{arguments[command]!r}]\n"
        "from datagen.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 5, done.stderr
    assert "pip install 'datagen[train]'" in done.stderr


def test_data_that_do_not_pass_verify_are_refused(dataset, tmp_path):
    import shutil

    copy = shutil.copytree(dataset, tmp_path / "copy")
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(yaml.safe_dump({**TINY, "optim": {**TINY["optim"], "max_steps": 1}}))
    shape = sorted((copy / "shapes").iterdir())[0]
    sorted((shape / "mv_images").glob("*.png"))[0].unlink()
    options = ["train", "--data", copy, "--recipe", recipe, "--out", tmp_path / "run", "--device", "cpu"]
    done = datagen(*options, cache=tmp_path / "cache")
    assert done.returncode == 4, done.stderr
    assert "UnverifiedData" in done.stderr and "--unverified" in done.stderr
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_failed_start_leaves_the_folder_to_the_next(dataset, tmp_path):
    """A device or a split that is not there ends before the run's folder exists."""
    run = tmp_path / "run"
    absent = datagen("train", "--data", dataset, "--recipe", "smoke", "--out", run, "--device", "cuda:63")
    assert absent.returncode == 5 and "torch sees" in absent.stderr, absent.stderr
    unknown = datagen("train", "--data", dataset, "--recipe", "smoke", "--out", run, "--device", "gpu")
    assert unknown.returncode == 2 and "cpu, cuda, cuda:N, mps" in unknown.stderr, unknown.stderr
    assert not run.exists()


@pytest.mark.parametrize(
    ("name", "local", "count", "expected"),
    [(None, 1, 2, "cuda:1"), (None, 0, 0, "cpu"), ("cuda", 1, 2, "cuda:1"), ("cuda:1", 0, 2, "cuda:1")],
)
def test_cuda_without_a_number_is_the_process_s_own(monkeypatch, name, local, count, expected):
    monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    assert str(choose_device(name, local)) == expected


def test_predict_names_a_device_that_is_not_here(run, dataset):
    with pytest.raises(MissingDependency, match="cuda:63 is not here"):
        predict(run, dataset / "photo.png", dataset, device="cuda:63")


def test_another_recipe_is_told_by_its_values(tmp_path):
    (tmp_path / "images").mkdir()
    run = open_run(tmp_path / "run", tmp_path, tiny(), 1, resume=False)
    (run / "train.csv").write_text("step,loss\n0,1.0\n")
    with pytest.raises(OtherRecipe, match=r"optim.lr \(asked for 0.5, there 0.001\)"):
        open_run(tmp_path / "run", tmp_path, tiny(optim={"lr": 0.5}), 1, resume=False)


def test_every_key_of_a_recipe_is_documented():
    text = (ROOT / "docs" / "train.md").read_text(encoding="utf-8")
    for section, field in MatchingRecipe.model_fields.items():
        keys = getattr(field.annotation, "model_fields", {section: None})
        assert [key for key in keys if f"`{key}`" not in text] == [], section
