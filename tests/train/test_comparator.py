"""The comparator as a run: it learns, comes back from its checkpoint, is evaluated, shown and asked."""

import numpy as np
import pytest
import torch

from datagen.core.errors import RecipeError
from datagen.core.statistics import auc
from datagen.datasets.samples import list_samples, open_dataset
from datagen.kinds.registry import kinds
from datagen.train.evaluate import evaluate
from datagen.train.infer import predict_split
from datagen.train.load import load_network
from datagen.train.loop import train
from datagen.train.page import render_page
from datagen.train.recipes import load_train_recipe
from datagen.train.runtime import Runtime
from datagen.train.tasks.matching.compare import pixel_counts, region_shares
from datagen.train.tasks.matching.data import open_split
from datagen.train.tasks.matching.networks import make_objective
from datagen.train.tasks.matching.predict import Judge
from datagen.train.tasks.matching.predictions import BINS, MatchingPredictions
from datagen.train.tasks.matching.report import angle_groups, map_figures
from datagen.train.tasks.matching.task import MATCHING
from tests.conformance.tasks import TaskConformance
from tests.conftest import run_build
from tests.kinds.pointclouds import KIND
from tests.train.conftest import tiny

CPU = Runtime(0, 1, torch.device("cpu"))
MODEL = {"name": "comparator", "dim": 16, "encoder_width": 8, "blocks": 1}
DATA = {"views": 4, "eval_views": 4, "queries_per_shape": 2, "flip": False, "crop": 1.0}


def comparator(**sections):
    return tiny(**{"model": MODEL, **sections, "data": {**DATA, **sections.get("data", {})}})


class TestComparator(TaskConformance):
    task, kind, other = MATCHING, kinds()["brokenchairs"], KIND

    def build(self, out):
        sets = ["anomaly.slots_per_shape=1", "normal.views={2: 1}", "split.test=100", "split.val=60"]
        run_build(out, limit=6, sets=[*sets, "reference.views=4"])

    def recipe(self):
        return {"model": MODEL, "data": {"image_px": 64, **DATA, "thin_views": 0.5, "flip_together": True}}


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    """A few steps, saved."""
    folder = tmp_path_factory.mktemp("comparator")
    train(folder, dataset, comparator(), CPU, lambda event: None)
    return folder


def test_it_learns_a_handful_of_pictures_by_heart(dataset):
    recipe = comparator(optim={"batch": 12})
    objective = make_objective(recipe)
    data = open_split(dataset, "train", recipe, objective)
    first = [k for k, sample in enumerate(data.samples) if sample.label == 0][:6]
    rows = first + [k for k, sample in enumerate(data.samples) if sample.label == 1][:6]
    batch = torch.utils.data.default_collate([data[0, k] for k in sorted(rows)])
    optimiser = torch.optim.AdamW(objective.parameters(), lr=3e-3)
    begun: dict = {}
    for _ in range(60):
        losses = objective(batch, 0, torch.Generator())
        begun = begun or {name: loss.item() for name, loss in losses.items()}
        optimiser.zero_grad()
        objective.total(losses).backward()
        optimiser.step()
    found = objective(batch, 0, torch.Generator())
    assert {"bce", "view", "change", "box_l1", "box_giou"} == set(found)
    assert all(found[name].item() < begun[name] for name in ("bce", "view", "change"))
    score = objective._compare(batch, "nearest").output.logit_B.detach().numpy()
    assert auc(batch["label"].numpy(), score) == 1.0


def test_a_checkpoint_brings_the_same_answers_back(run, dataset):
    one, two = (load_network(run, torch.device("cpu")) for _ in range(2))
    data = open_split(dataset, "test", one.recipe)
    found = [predict_split(MATCHING, loaded.objective, data, CPU, one.recipe) for loaded in (one, two)]
    assert np.array_equal(found[0].score, found[1].score) and np.array_equal(found[0].pixels, found[1].pixels)
    assert (found[0].view >= 0).all() and np.isfinite(found[0].angle).all()


def test_evaluation_tells_maps_angles_and_controls(run, dataset):
    loaded = load_network(run, torch.device("cpu"))
    found = evaluate(loaded, dataset, "test", CPU, rounds=10, sweep=True)
    report = found.report
    assert 0 <= report["change_auroc"] <= 1 and 0 <= report["change_iou"] <= 1 and 0 <= report["viewpoint"] <= 1
    assert sum(group["n"] for group in report["per_view_angle"].values()) == report["n"]
    controls = {"chosen", "nearest", "opposite", "blank", "of another shape"}
    assert set(report["sweep"]["reference"]) == controls | {"mesh", "points"}
    assert "k" not in report["sweep"] and report["sweep"]["reference"]["mesh"] == report["auc"]
    page = render_page(found, loaded, run)
    assert "Change maps" in page and "Degrees to the nearest view" in page


def test_what_is_compared_with_is_what_is_said(dataset):
    recipe = comparator(data={"queries_per_shape": 1})
    objective = make_objective(recipe).eval()
    data = open_split(dataset, "test", recipe)
    batch = torch.utils.data.default_collate([data[k] for k in range(4)])
    with torch.no_grad():
        told = {name: objective.answer(batch, against=name) for name in ("nearest", "opposite", "blank")}
    assert torch.equal(told["nearest"]["view"], batch["nearest"])
    assert torch.equal(told["opposite"]["view"], (batch["nearest"] + 2) % 4)
    other = {**batch, "views": torch.randint_like(batch["views"], 255)}
    with torch.no_grad():
        again = {name: objective.answer(other, against=name) for name in told}
    assert not torch.allclose(again["nearest"]["score"], told["nearest"]["score"])
    torch.testing.assert_close(again["blank"]["score"], told["blank"]["score"])


def test_predict_shows_the_map_and_the_chosen_view(run, dataset):
    loaded = load_network(run, torch.device("cpu"))
    sample = next(s for s in list_samples(open_dataset(dataset), "test") if s.label)
    found = Judge(loaded, dataset / "shapes" / f"shape_{sample.shape}" / "model.obj")(dataset / sample.query_path)
    assert found.change.shape == (64, 64) and 0 <= found.change.min() <= found.change.max() <= 1
    assert found.picture.shape == (64, 4 * 64, 3) and found.nearest_view in range(4)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["data.flip=true"], "needs data.flip false"),
        (["data.crop=0.9"], "data.crop 1"),
        (["model.blocks=0"], "blocks 1 or more"),
        (["model.name=vit"], r"vit has no data\.flip_together"),
        (["model.name=vit", "data.flip_together=false", "model.fuse=2"], r"vit has no model\.fuse"),
    ],
)
def test_what_it_cannot_do_is_refused(wrong, told):
    with pytest.raises(RecipeError, match=told):
        load_train_recipe("comparator", overrides=wrong)


def test_new_keys_at_their_defaults_leave_older_hashes_as_they_are():
    recipe = tiny()
    later = {
        "optim": {"optimiser": "adamw"},
        "data": {"thin_views": 0.0},
        "loss": {"change": 2.0},
        "model": {"fuse": 1},
    }
    for section, values in later.items():
        now = getattr(recipe, section)
        same = values == {key: getattr(now, key) for key in values}
        assert (tiny(**{section: values}).hash == recipe.hash) == same


def answered(pixels, regions):
    samples, rows = (None,) * len(pixels), np.zeros(len(pixels))
    return MatchingPredictions(samples, rows, rows, rows, rows, rows, rows, rows, pixels=pixels, regions=regions)


def test_figures_of_maps():
    change = torch.full((3, 16, 16), -9.0)
    change[0, 4:8, 4:8] = 9.0
    changed = torch.zeros(3, 64, 64, dtype=torch.int8)
    changed[0, 16:32, 16:32] = 1
    changed[2] = -1
    pixels = pixel_counts(change, changed).numpy()
    assert pixels.shape == (3, 2, BINS) and pixels[0].sum() == pixels[1].sum() == 64 * 64 and not pixels[2].any()
    regions = region_shares(change, changed).numpy()
    assert regions[0, BINS] == 1 and regions[0, :BINS].sum() == pytest.approx(1) and not regions[1:].any()
    figures = map_figures(answered(pixels, regions))
    (iou, rows), (auroc, _), (aupro, _) = (figures[f"change_{name}"] for name in ("iou", "auroc", "aupro"))
    assert rows.tolist() == [0]
    assert iou(rows) > 0.7 and auroc(rows) > 0.99 and aupro(rows) > 0.97
    none = map_figures(answered(pixels[1:], regions[1:]))
    assert none == {"change_iou": None, "change_auroc": None, "change_aupro": None}


def test_a_small_region_counts_as_much_as_a_large_one():
    change = torch.full((1, 16, 16), -9.0)
    change[0, 2:8, 2:8] = 9.0
    changed = torch.zeros(1, 64, 64, dtype=torch.int8)
    changed[0, 8:32, 8:32] = changed[0, 48:52, 48:52] = 1
    figures = map_figures(answered(pixel_counts(change, changed).numpy(), region_shares(change, changed).numpy()))
    aupro, rows = figures["change_aupro"]
    # Half of the regions is found before any false pixel; the other has no better rank than the ground.
    assert 0.5 < aupro(rows) < 0.7
    assert figures["change_auroc"][0](rows) > 0.95


def test_samples_by_angle_hold_both_labels():
    groups = angle_groups(np.array([1.0, 4.9, 5.0, np.nan, 17.0]), np.array([0, 1, 1, 1, 0]))
    assert [(name, rows.tolist(), count) for name, rows, count in groups] == [
        ("0 to 5", [0, 1], 1),
        ("5 to 10", [2], 1),
        ("15 to 20", [4], 0),
    ]
