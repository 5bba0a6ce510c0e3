"""Every network of every recipe: shapes, switches, gradients; recipes say what their table rows say."""

import re

import pytest
import torch
import yaml

from datagen.core.errors import RecipeError
from datagen.models.cmt import CMT
from datagen.models.config import ModelConfig
from datagen.models.correspond import view_distances
from datagen.models.retrieval import triplet_loss
from datagen.train.recipes import load_train_recipe, parse_train_recipe
from datagen.train.tasks.matching.measure import random_batch
from datagen.train.tasks.matching.networks import make_objective
from tests.conftest import ROOT
from tests.train.conftest import TINY, tiny

RECIPES = sorted(path.stem for path in (ROOT / "recipes" / "train").glob("*.yaml"))
MATCHING = [
    name
    for name in RECIPES
    if yaml.safe_load((ROOT / "recipes" / "train" / f"{name}.yaml").read_text())["task"] == "matching"
]
"""The others have tests of their own task."""


def shrunk(name):
    """A built-in recipe with its switches, at a size for tests."""
    recipe = load_train_recipe(f"recipes/train/{name}.yaml").model_dump(mode="json")
    if recipe["model"]["variant"] == "published":
        return parse_train_recipe(recipe, name)
    for section in ("model", "data", "loss"):
        recipe[section] |= {k: v for k, v in TINY[section].items() if k not in ("views",)}
    recipe["data"]["views"] = 3
    return parse_train_recipe(recipe, name)


def batch_of(recipe, B=3):
    one = random_batch(recipe.data.views, recipe, "cpu")
    batch = {name: t.repeat(B, *[1] * (t.dim() - 1)) for name, t in one.items()}
    batch["query"] = torch.randn_like(batch["query"])
    batch["label"] = torch.tensor([0.0, 1.0, 0.0])[:B]
    batch["shape"], batch["nearest"] = torch.arange(B), torch.zeros(B, dtype=torch.long)
    batch["reference"] = torch.arange(B)
    return batch


@pytest.mark.parametrize("name", [name for name in MATCHING if name != "published"])
def test_every_recipe_trains_a_step(name):
    recipe = shrunk(name)
    objective = make_objective(recipe)
    batch = batch_of(recipe)
    losses = objective(batch, 0, torch.Generator().manual_seed(0))
    objective.total(losses).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    learning = {n for n, p in objective.named_parameters() if p.requires_grad}
    reached = {n for n, p in objective.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    # A gradient of exactly zero is ReLU's doing here and there; whole modules without one are dead.
    assert len(reached) > 0.8 * len(learning), sorted(learning - reached)
    output = objective.predict(batch)
    assert output.logit_B.shape == (3,)
    assert (output.box_B4 is None) == (not hasattr(objective.model, "heads") or objective.model.heads.locate is None)


def test_views_that_queries_share_are_encoded_once_and_change_nothing():
    recipe = tiny()
    objective, batch = make_objective(recipe).eval(), batch_of(recipe, 4)
    order = torch.tensor([1, 0, 1, 1])
    batch["views"] = torch.randint(0, 256, batch["views"].shape, dtype=torch.uint8)[order]
    batch["xyz"] = torch.rand_like(batch["xyz"])[order]
    batch["label"] = torch.tensor([0.0, 1.0, 0.0, 1.0])
    encoded, found = [], {}
    objective.model.encoder.register_forward_hook(lambda module, images, result: encoded.append(len(result)))
    for name, reference in (("own", torch.arange(4)), ("shared", order)):
        objective.zero_grad()
        answer, view = objective.locate(batch | {"reference": reference})
        losses = objective(batch | {"reference": reference}, 0, torch.Generator().manual_seed(0))
        objective.total(losses).backward()
        gradient = torch.cat([p.grad.flatten() for p in objective.parameters() if p.grad is not None])
        found[name] = (answer.logit_B, answer.box_B4, view, torch.stack(list(losses.values())), gradient)
    views = recipe.data.views
    assert encoded == [4 + 4 * views] * 2 + [4 + 2 * views] * 2
    for own, shared in zip(*found.values(), strict=True):
        torch.testing.assert_close(shared, own, atol=1e-5, rtol=1e-4)


def test_the_rows_of_the_tables():
    rows = {
        "table2_a": (False, False, False, False),
        "table2_b": (True, False, False, False),
        "table2_c": (False, True, True, False),
        "table2_d": (True, True, True, False),
        "cmt": (True, True, True, True),
        "table3_none": (True, False, False, True),
        "table3_query_view": (True, True, False, True),
        "table3_view_view": (True, False, True, True),
    }
    for name, row in rows.items():
        recipe = load_train_recipe(name)
        found = (recipe.model.cga, recipe.loss.query_view, recipe.loss.view_view, recipe.model.position)
        assert found == row, name
        assert (recipe.optim.epochs, recipe.optim.batch, recipe.optim.lr) == (20, 8, 2e-5)
        assert (recipe.data.views, recipe.data.eval_views, recipe.model.k, recipe.model.blocks) == (10, 20, 100, 3)


def model_and_batch(**model):
    recipe = tiny(model=model)
    return make_objective(recipe).eval(), batch_of(recipe)


def test_switches_change_what_they_say():
    full, batch = model_and_batch()
    names = {n for n, _ in full.named_parameters()}
    assert any("gamma" in n for n in names)
    for switch in ({"position": False}, {"box": False}):
        other, _ = model_and_batch(**switch)
        assert names - {n for n, _ in other.named_parameters()}, switch
    dense, _ = model_and_batch(cga=False)
    dense.load_state_dict(full.state_dict())
    assert not torch.allclose(dense.predict(batch).logit_B, full.predict(batch).logit_B)
    assert torch.allclose(dense.predict(batch).logit_B, full.predict(batch, 0).logit_B, atol=1e-6)


@pytest.mark.parametrize("reached", [True, False])
def test_alignment_trains_the_encoder_or_the_projection_alone(reached):
    recipe = tiny(loss={"align_encoder": reached})
    objective = make_objective(recipe)
    losses = objective(batch_of(recipe), 0, torch.Generator().manual_seed(0))
    (losses["query_view"] + losses["view_view"]).backward()
    touched = {
        n.split(".")[1] for n, p in objective.named_parameters() if p.grad is not None and p.grad.abs().max() > 0
    }
    assert touched == ({"encoder", "beta"} if reached else {"beta"})


@pytest.mark.parametrize("form", ["dense", "sdpa"])
def test_the_attention_forms_agree_in_the_whole_network(form):
    sparse, batch = model_and_batch()
    other, _ = model_and_batch(attention=form)
    other.load_state_dict(sparse.state_dict())
    for recipe_objective in (sparse, other):
        recipe_objective.zero_grad()
        recipe_objective.total(recipe_objective(batch, 0, torch.Generator().manual_seed(1))).backward()
    assert (sparse.predict(batch).logit_B - other.predict(batch).logit_B).abs().max() < 1e-5
    pairs = zip(sparse.parameters(), other.parameters(), strict=True)
    assert all((a.grad - b.grad).abs().max() < 1e-4 for a, b in pairs if a.grad is not None)


def test_a_patch_without_depth_has_a_learned_position():
    objective, batch = model_and_batch()
    batch["xyz"][:, 0] = float("nan")
    known = objective.predict(batch).logit_B
    assert known.isfinite().all()
    with torch.no_grad():
        objective.model.gamma.nowhere.add_(1.0)
    assert not torch.equal(objective.predict(batch).logit_B, known)


def test_the_order_of_the_views_does_not_matter():
    objective, batch = model_and_batch()
    order = torch.tensor([2, 0, 1])
    turned = batch | {"views": batch["views"][:, order], "xyz": batch["xyz"][:, order]}
    assert torch.allclose(objective.predict(batch).logit_B, objective.predict(turned).logit_B, atol=1e-5)


def test_equation_7_adds_the_projected_query():
    """With the attention's output silenced, what is left of a block is the projected Q."""
    model = CMT(ModelConfig(dim=16, encoder_width=8, heads=2, blocks=1, k=4), 64).eval()
    block = model.blocks[0]
    with torch.no_grad():
        block.out.weight.zero_()
        block.out.bias.zero_()
    f, context = torch.randn(1, 5, 16), torch.randn(1, 9, 32)
    q = block.w_q(block.attention(f))
    o = block.norm1(q)
    assert torch.allclose(block(f, context, None), block.norm2(block.ffn(o) + o), atol=1e-6)


def test_triplet_loss_by_hand():
    distance = torch.tensor([[0.1, 0.5, 0.2], [0.4, 0.3, 0.9], [0.6, 0.7, 0.15]])
    label, shape = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0, 1, 2])
    others = [max(0, 0.1 - 0.5 + 0.2), max(0, 0.1 - 0.2 + 0.2), max(0, 0.15 - 0.6 + 0.2), max(0, 0.15 - 0.7 + 0.2)]
    broken = [max(0, 0.1 - 0.3 + 0.2), max(0, 0.15 - 0.3 + 0.2)]
    assert float(triplet_loss(distance, label, shape, 0.2)) == pytest.approx(sum(others + broken) / 6)
    assert float(triplet_loss(distance, label, torch.zeros(3), 0.2)) == pytest.approx(sum(broken) / 2)
    assert float(triplet_loss(distance, torch.ones(3), shape, 0.2)) == 0.0


def test_view_distances_find_the_view_that_matches_in_place():
    z = torch.nn.functional.normalize(torch.randn(1, 16, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    views = torch.stack([z.roll(1, 1), z, z.roll(4, 1)], dim=1)
    distance = view_distances(z, views, torch.ones(1, 16))
    assert distance.argmin() == 1 and float(distance[0, 1]) == 0.0
    only_first = torch.zeros(1, 16)
    only_first[0, 0] = 1
    assert view_distances(z, views, only_first)[0].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("model: {nme: cmt}", "model.nme: unknown key, did you mean name?"),
        ("modle: {name: cmt}", "modle: unknown key, did you mean model?"),
        ("model: {zzz: 1}", "model.zzz: unknown key;"),
        ("optim: {lr: -1}", "optim.lr"),
        ("data: {image_px: 100}", "multiple of 32"),
        ("model: {variant: published, dim: 64}", "variant published is fixed"),
        ("model: {dim: 30}", "no multiple of heads"),
        ("model: {variant: published, cga: false, attention: dense}", "leave cga, attention at the default"),
        ("{model: {variant: published}, loss: {tau: 0.2, balance: 1}}", "leave loss.balance, loss.tau out"),
        ("data: {views: 1}", "data.views has to be 2 or more"),
        ("model: {name: viewpoint}", "flip false"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(tmp_path, text, wrong):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=re.escape(wrong)):
        load_train_recipe(str(path))


def test_an_unknown_recipe_lists_the_known():
    with pytest.raises(RecipeError, match="table2_a"):
        load_train_recipe("nosuch")


def test_rows_without_a_box_head_in_the_paper_train_none():
    """Section 5.1 adds the box head to two rows alone; Tables 2 and 3 compare networks without one."""
    boxed = {"cmt", "vit_box", "published", "smoke"}
    for name in MATCHING:
        recipe = load_train_recipe(name)
        ours = ("retrieval", "viewpoint", "comparator", "cmt_residual", "residual")
        if recipe.model.name in ours or recipe.name.endswith("_64"):
            continue
        assert recipe.model.box == (recipe.name in boxed), recipe.name


@pytest.mark.parametrize("name", ["cmt", "resnet_fpn_sa", "retrieval"])
def test_scores_are_float32_under_mixed_precision(name):
    """bf16 has too few values for scores, boxes and the places of best matches."""
    objective = make_objective(tiny(model={"name": name})).eval()
    batch = {
        "query": torch.rand(2, 3, 64, 64) * 2 - 1,
        "views": torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8),
        "xyz": torch.rand(2, 3, 64, 3),
        "reference": torch.tensor([0, 1]),
    }
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output, _ = objective.locate(batch)
    assert output.logit_B.dtype == torch.float32
    assert output.box_B4 is None or output.box_B4.dtype == torch.float32


def test_nearest_views_are_chosen_in_float32():
    """Two patches whose likeness differs by less than bf16 can tell: the better one is the match."""
    z = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 1e-3], [0.0, 1.0], [0.0, 1.0]]), dim=-1)
    query, views = z[1].expand(1, 4, 2), z[None, None]
    at = torch.tensor([[False, True, False, False]])
    with torch.autocast("cpu", torch.bfloat16):
        assert view_distances(query, views, at).tolist() == [[0.0]]
