"""Learning from pairs: the losses, a few groups learned by heart, resume, and the figures of pairs."""

import shutil

import numpy as np
import pytest
import torch

from datagen.core.errors import RecipeError, UsageError
from datagen.datasets.pairs import PairSample
from datagen.formats.pairs import PAIRS, pairs_bytes, read_pairs
from datagen.models.losses import ranking_loss
from datagen.store.reader import DatasetReader
from datagen.train.evaluate import evaluate
from datagen.train.infer import predict_split
from datagen.train.load import load_network
from datagen.train.loop import train
from datagen.train.page import render_page
from datagen.train.recipes import load_train_recipe
from datagen.train.runtime import Runtime
from datagen.train.tasks.matching.data import open_pairs, open_split
from datagen.train.tasks.matching.networks import make_objective
from datagen.train.tasks.matching.page import PAIR_WORDS
from datagen.train.tasks.matching.paired import by_relation, pair_figures
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.task import MATCHING
from tests.datasets.conftest import build_paired, of_one_test_shape
from tests.train.conftest import tiny

CPU = Runtime(0, 1, torch.device("cpu"))
COMPARATOR = {"name": "comparator", "dim": 32, "encoder_width": 8, "blocks": 1}
DATA = {"views": 6, "eval_views": 6, "queries_per_shape": 8, "flip": False, "crop": 1.0, "pairs": "counterfactual"}


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    return build_paired(tmp_path_factory)


def recipe_of(model=COMPARATOR, **sections):
    optim = {"batch": 8, "lr": 2e-3, **sections.pop("optim", {})}
    return tiny(model=model, data={**DATA, **sections.pop("data", {})}, optim=optim, **sections)


def fresh(base, name):
    (base / name).mkdir()
    return base / name


def values(found, names=("reference_score", "query_score", "group_score", "auc", "auc_clean")):
    figures = pair_figures(found)
    return {name: figures[name][0](figures[name][1]) for name in names}


def test_a_handful_of_groups_is_learned_by_heart(paired, tmp_path):
    optim = {"epochs": 400, "max_steps": 150, "batch": 16, "lr": 3e-3, "schedule": "cosine", "warmup_steps": 20}
    recipe = recipe_of({**COMPARATOR, "box": False}, optim=optim, log={"validate_epochs": 1000})
    trained = train(tmp_path, paired, recipe, CPU, lambda event: None)
    found = predict_split(MATCHING, trained.objective, open_pairs(paired, "train", recipe), CPU, recipe)
    scores = ("group_score", "reference_score", "query_score")
    assert values(found, scores) == dict.fromkeys(scores, 1.0)


def test_a_query_only_network_is_at_chance_whatever_it_learned(paired):
    recipe = recipe_of({"name": "resnet_fpn", "dim": 16, "encoder_width": 8})
    objective = make_objective(recipe)
    found = predict_split(MATCHING, objective, open_pairs(paired, "train", recipe), CPU, recipe)
    assert len(set(found.score)) > 4
    told = values(found)
    assert told["auc"] == pytest.approx(0.5, abs=1e-9) and told["auc_clean"] == pytest.approx(0.5, abs=1e-9)
    assert told["reference_score"] == told["group_score"] == 0


@pytest.mark.parametrize("pairs", ["counterfactual", "mixed"])
@pytest.mark.parametrize("model", ["comparator", "cmt", "resnet_fpn_sa"])
def test_networks_learn_from_pairs_and_resume_exactly(paired, tmp_path, pairs, model):
    networks = {"comparator": COMPARATOR, "cmt": {"name": "cmt"}, "resnet_fpn_sa": {"name": model}}
    recipe = recipe_of(networks[model], data={"pairs": pairs}, optim={"batch": 16, "max_steps": 4, "epochs": 9})
    once = train(fresh(tmp_path, "once"), paired, recipe, CPU, lambda event: None)

    class Stop(Exception):
        pass

    def stop(event):
        if event.step == 2:
            raise Stop

    with pytest.raises(Stop):
        train(fresh(tmp_path, "twice"), paired, recipe, CPU, stop)
    again = train(tmp_path / "twice", paired, recipe, CPU, lambda event: None, resume=True)
    for name, tensor in once.objective.weights_dict().items():
        torch.testing.assert_close(tensor, again.objective.weights_dict()[name], rtol=0, atol=1e-6)


def test_pictures_and_bundles_are_encoded_once(paired):
    recipe = recipe_of()
    objective = make_objective(recipe)
    data = open_split(paired, "train", recipe, objective)
    batch = torch.utils.data.default_collate([data[key] for key in next(iter(data.batches(8, 0)))])
    seen = []
    objective.model.trunk.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
    losses = objective(batch, 0, torch.Generator())
    assert seen == [4 + 2 * 6] and {"bce", "rank", "view", "change"} <= set(losses)
    alone = {name: value for name, value in batch.items() if name != "picture"}
    objective.eval()
    with torch.no_grad():
        torch.testing.assert_close(objective.predict(batch).logit_B, objective.predict(alone).logit_B)


def test_ranking_counts_pairs_of_one_unit_alone():
    logit, label = torch.tensor([2.0, 0.0, 1.0, 5.0]), torch.tensor([1.0, 0.0, 1.0, 0.0])
    found = ranking_loss(logit, label, torch.tensor([0, 0, 0, -1]))
    expected = torch.nn.functional.softplus(torch.tensor([-2.0, -1.0])).mean()
    torch.testing.assert_close(found, expected)
    assert ranking_loss(logit, label, torch.tensor([-1, -1, -1, -1])) == 0


def predictions(scores):
    """Of (n, 2, 2) scores by query and reference, normal and anomalous, each its own shape."""
    samples = [
        PairSample(f"q{n}{i}", str(n), "test", int(i != j), kind="missing", reference=f"{n}r{j}", group=str(n))
        for n in range(len(scores))
        for i in (0, 1)
        for j in (0, 1)
    ]
    cells = [
        PairSample(**{**vars(s), "query_state": "a" * (k // 2 % 2), "reference_state": "a" * (k % 2)})
        for k, s in enumerate(samples)
    ]
    cells = [PairSample(**{**vars(c), "relation": "missing" if c.label else "same"}) for c in cells]
    n = len(cells)
    nothing = np.zeros(n)
    label = np.array([cell.label for cell in cells])
    return MatchingPredictions(
        tuple(cells), label, np.asarray(scores).ravel(), np.zeros((n, 4)), np.zeros((n, 4)), nothing, nothing, nothing
    )


def test_scores_of_chance_are_the_chances():
    told = values(predictions(np.random.default_rng(0).random((20_000, 2, 2))))
    assert told["reference_score"] == pytest.approx(1 / 4, abs=0.01)
    assert told["query_score"] == pytest.approx(1 / 4, abs=0.01)
    assert told["group_score"] == pytest.approx(1 / 6, abs=0.01)
    assert told["auc"] == pytest.approx(0.5, abs=0.01)


def test_scores_by_hand():
    right = predictions([[[0.1, 0.9], [0.8, 0.2]]])
    assert values(right, ("reference_score", "query_score", "group_score", "swap_difference")) == {
        "reference_score": 1,
        "query_score": 1,
        "group_score": 1,
        "swap_difference": pytest.approx(0.1),
    }
    # The query looks odd, or the reference does, whatever the other is.
    query, reference = predictions([[[0.1, 0.1], [0.9, 0.9]]]), predictions([[[0.1, 0.9], [0.1, 0.9]]])
    for found in (query, reference):
        assert set(values(found, ("reference_score", "query_score", "group_score")).values()) == {0}
    # For either picture the other's bundle is ahead, yet one normal pair is above an anomalous one.
    crossed = predictions([[[0.1, 0.3], [0.9, 0.6]]])
    assert values(crossed, ("reference_score", "group_score")) == {"reference_score": 1, "group_score": 0}
    figure, rows = by_relation(right)["missing"]
    assert figure(rows) == 1


def test_evaluation_tells_pairs_and_the_page_shows_them(paired, tmp_path):
    train(tmp_path, paired, recipe_of(optim={"max_steps": 2}), CPU, lambda event: None)
    loaded = load_network(tmp_path, torch.device("cpu"))
    found = evaluate(loaded, paired, "test", CPU, rounds=20)
    pairs = found.report["pairs"]
    assert set(pairs["figures"]) == {
        *("auc", "auc_clean", "auc_shuffled", "auc_blank"),
        *("reference_score", "query_score", "group_score", "swap_difference"),
    }
    assert {"extra", "missing", "whole", "two"} <= set(pairs["per_relation"])
    assert pairs["figures"]["auc"]["interval"][0] is not None and pairs["figures"]["group_score"]["n"] * 4 == 32
    assert found.report["n"] == sum(1 for s in open_split(paired, "test", loaded.recipe).samples)
    page = render_page(found, loaded, tmp_path)
    assert "Pairs of query and reference" in page and "chance 1/6" in page
    assert set(PAIR_WORDS) == set(pairs["figures"])


def test_a_split_of_one_shape_has_no_references_of_others(paired, tmp_path):
    copy = of_one_test_shape(paired, tmp_path / "copy")
    train(fresh(tmp_path, "run"), copy, recipe_of(optim={"max_steps": 2}), CPU, lambda event: None)
    pairs = evaluate(load_network(tmp_path / "run", CPU.device), copy, "test", CPU, rounds=5).report["pairs"]["figures"]
    assert pairs["auc_shuffled"]["value"] is None and pairs["auc_blank"]["value"] == 0.5
    assert pairs["auc"]["n"] > 0 and pairs["auc"]["value"] is not None


def test_a_split_without_pairs_has_its_natural_figures(paired, tmp_path):
    copy = shutil.copytree(paired, tmp_path / "copy")
    left = [pair for pair in read_pairs(DatasetReader(paired)) if pair.split != "test"]
    (copy / PAIRS).write_bytes(pairs_bytes(left))
    train(fresh(tmp_path, "run"), copy, recipe_of(optim={"max_steps": 2}), CPU, lambda event: None)
    report = evaluate(load_network(tmp_path / "run", CPU.device), copy, "test", CPU, rounds=5).report
    assert report["auc"] is not None and "pairs" not in report


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            ["data.flip_together=false", "data.flip=true", "model.name=cmt"],
            "twins: data.flip true has to be false;",
        ),
        (["data.queries_per_shape=6", "optim.batch=24"], "multiple of 4"),
        (["data.pairs=mixed", "optim.batch=8"], "16 or more"),
        (["data.flip_together=false", "model.name=retrieval"], "does not learn from pairs"),
    ],
)
def test_recipes_that_would_break_pairs_are_refused(wrong, told):
    with pytest.raises(RecipeError, match=told):
        load_train_recipe("comparator_64", overrides=["data.pairs=counterfactual", *wrong])


def test_pairs_at_their_default_leave_older_hashes_as_they_are():
    assert tiny(data={"pairs": "natural", "pair_share": 0.5}, loss={"rank": 0.5}).hash == tiny().hash
    assert tiny(data={"pairs": "counterfactual", "flip": False, "crop": 1.0}).hash != tiny().hash


def test_a_prior_is_held_counts_on_natural_samples_alone_and_goes_with_the_checkpoint(paired, tmp_path):
    query = recipe_of({"name": "resnet_fpn"}, data={"pairs": "natural", "queries_per_shape": 1}, optim={"max_steps": 3})
    train(fresh(tmp_path, "query"), paired, query, CPU, lambda event: None)
    plain = recipe_of(optim={"max_steps": 3, "epochs": 9})
    given = {**plain.model_dump(mode="json"), "prior": {"run": str(tmp_path / "query")}}
    recipe = type(plain).model_validate(given)
    assert recipe.prior.model.name == "resnet_fpn" and recipe.hash != plain.hash
    trained = train(fresh(tmp_path, "both"), paired, recipe, CPU, lambda event: None)
    (tmp_path / "query").rename(tmp_path / "moved")
    loaded = load_network(tmp_path / "both", CPU.device)
    held = load_network(tmp_path / "moved", CPU.device).objective.model.state_dict()
    for name, tensor in held.items():
        assert torch.equal(loaded.objective.model.prior.state_dict()[name], tensor), name
        assert torch.equal(trained.objective.model.prior.state_dict()[name], tensor), name
    natural, cells = (opened(paired, "test", recipe) for opened in (open_split, open_pairs))
    with_prior = [predict_split(MATCHING, loaded.objective, data, CPU, recipe).score for data in (natural, cells)]
    loaded.objective.model.prior = None
    without = [predict_split(MATCHING, loaded.objective, data, CPU, recipe).score for data in (natural, cells)]
    assert not np.allclose(with_prior[0], without[0]) and np.array_equal(with_prior[1], without[1])


def test_a_prior_has_to_be_query_only(paired, tmp_path):
    natural = recipe_of(data={"pairs": "natural"}, optim={"max_steps": 1})
    train(fresh(tmp_path, "sees"), paired, natural, CPU, lambda event: None)
    with pytest.raises(RecipeError, match="query-only"):
        load_train_recipe("comparator_64", overrides=[f"prior.run={tmp_path / 'sees'}"])


@pytest.mark.parametrize("pairs", ["natural", "counterfactual", "mixed"])
def test_kinds_and_shapes_can_be_kept_from_training_alone(paired, pairs):
    recipe = recipe_of(data={"pairs": pairs}, optim={"batch": 16})
    objective = make_objective(recipe)
    every = open_split(paired, "train", recipe, objective).samples
    kind = next(sample.kind for sample in every if sample.label)
    shape = every[0].shape
    fewer = recipe_of(data={"pairs": pairs, "leave_out": [kind], "skip": [shape]}, optim={"batch": 16})
    left = open_split(paired, "train", fewer, objective).samples
    assert {s.query_path for s in left} == {s.query_path for s in every if s.kind != kind and s.shape != shape}
    assert len(open_split(paired, "test", fewer).samples) == len(open_split(paired, "test", recipe).samples)
    nothing = recipe_of(data={"pairs": pairs, "skip": sorted({s.shape for s in every})}, optim={"batch": 16})
    with pytest.raises(UsageError, match="leave nothing"):
        open_split(paired, "train", nothing, objective)


@pytest.mark.parametrize("pairs", ["natural", "counterfactual"])
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"leave_out": ["nonsense"]}, r"has no kind nonsense; its kinds are .*missing"),
        ({"skip": ["77"]}, "has no shape 77"),
        ({"shapes": 99}, "data.shapes 99: the training split of .* has "),
        ({"leave_out": "every"}, "leave no anomalous sample|leave nothing"),
    ],
)
def test_what_a_dataset_does_not_have_is_refused_by_name(paired, pairs, values, told):
    whole = recipe_of(data={"pairs": pairs})
    if values == {"leave_out": "every"}:
        values = {"leave_out": sorted({s.kind for s in open_split(paired, "train", whole).samples} - {"normal"})}
    recipe = recipe_of(data={"pairs": pairs, **values})
    with pytest.raises(UsageError, match=told):
        open_split(paired, "train", recipe, make_objective(recipe))
