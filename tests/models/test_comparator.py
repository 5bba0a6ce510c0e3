"""The comparator: shapes, gradients, which view it compares with, and a change map that learns."""

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

from datagen.models.comparator import Comparator, change_loss, change_map, extent  # noqa: E402
from datagen.models.config import ModelConfig  # noqa: E402


def made(**values):
    torch.manual_seed(0)
    return Comparator(ModelConfig(**{"name": "comparator", "encoder_width": 8, "blocks": 1, "dim": 16, **values}))


def pictures(B=4, G=2, N=5, size=64):
    torch.manual_seed(1)
    return torch.randn(B, 3, size, size), torch.randn(G, N, 1, size, size), torch.tensor([0, 1, 1, 0])[:B]


@pytest.mark.parametrize("size", [64, 96])
@pytest.mark.parametrize("fuse", [1, 3])
@pytest.mark.parametrize("box", [True, False])
def test_shapes_and_every_weight_has_a_gradient(size, fuse, box):
    model = made(fuse=fuse, box=box)
    query, views, rows = pictures(size=size)
    found = model(query, views, rows, torch.tensor([1, -1, 2, 0]))
    assert found.output.logit_B.shape == (4,) and found.likeness_BN.shape == (4, 5)
    assert found.output.change_Bhw.shape == (4, size // 4, size // 4)
    assert (found.output.box_B4 is not None) == box
    box_sum = found.output.box_B4.sum() if box else 0.0
    total = found.output.logit_B.sum() + found.output.change_Bhw.mean() + box_sum + found.likeness_BN[:, 0].sum()
    total.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_the_number_of_weights_follows_width_and_depth():
    count = [sum(p.numel() for p in made(encoder_width=w, blocks=d).parameters()) for w, d in ((8, 1), (8, 2), (16, 2))]
    assert count[0] < count[1] < count[2]


@pytest.mark.parametrize("fuse", [1, 2])
def test_it_compares_with_the_view_it_is_told_and_else_with_the_likeliest(fuse):
    model = made(fuse=fuse).eval()
    query, views, rows = pictures()
    free = model(query, views, rows)
    assert torch.equal(free.view_B, free.likeness_BN.argmax(1))
    told = model(query, views, rows, torch.tensor([3, 3, -1, -1]))
    assert told.view_B.tolist() == [3, 3, *free.view_B[2:].tolist()]
    torch.testing.assert_close(told.output.logit_B[2:], free.output.logit_B[2:])
    # With one view compared, what the other views show is nothing to the answer.
    others = views.clone()
    others[:, [0, 1, 2, 4]] = 0.0
    again = model(query, others, rows, torch.full((4,), 3)).output.logit_B
    whole = model(query, views, rows, torch.full((4,), 3)).output.logit_B
    assert torch.allclose(again, whole) == (fuse == 1)


def test_views_that_are_not_there_are_not_chosen_and_change_nothing():
    model = made(fuse=3).eval()
    query, views, rows = pictures()
    there = torch.zeros(4, 5, dtype=torch.bool)
    there[:, [1, 4]] = True
    found = model(query, views, rows, there_BN=there)
    assert set(found.view_B.tolist()) <= {1, 4}
    other = views.clone()
    other[:, [0, 2, 3]] = 1.0
    torch.testing.assert_close(model(query, other, rows, there_BN=there).output.logit_B, found.output.logit_B)


def test_shared_views_answer_as_views_of_each_query():
    model = made().eval()
    query, views, rows = pictures()
    torch.testing.assert_close(model(query, views, rows).output.logit_B, model(query, views[rows]).output.logit_B)


def test_the_extent_of_a_map_is_its_box():
    change = torch.full((1, 16, 16), -20.0)
    change[0, 4:8, 8:16] = 20.0
    x, y, dx, dy = extent(change)[0].tolist()
    assert (x, y) == pytest.approx((0.75, 0.375), abs=1e-3)
    assert (dx, dy) == pytest.approx((0.5 / 12**0.5, 0.25 / 12**0.5), abs=0.01)


def test_the_change_loss_falls_and_unknown_masks_weigh_nothing():
    model = made()
    query, views, rows = pictures()
    changed = torch.zeros(4, 64, 64, dtype=torch.int8)
    changed[:2, 20:40, 20:40] = 1
    changed[2] = -1
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = change_loss(model(query, views, rows, torch.zeros(4, dtype=torch.long)).output.change_Bhw, changed)
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0] / 2
    logits = torch.randn(4, 16, 16)
    assert change_loss(logits, changed) == change_loss(logits[[0, 1, 3]], changed[[0, 1, 3]])
    assert float(change_loss(logits, torch.full_like(changed, -1))) == 0.0
    assert change_map(logits, 64).shape == (4, 64, 64)


def test_the_choice_of_the_view_learns():
    """Views are patterns; a query is one of them, in colour and with another stem."""
    torch.manual_seed(2)
    model = made()
    views = torch.randn(1, 6, 1, 64, 64).repeat_interleave(2, 0)
    nearest = torch.tensor([0, 1, 2, 3, 4, 5, 1, 3])
    rows = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    query = views[rows, nearest].expand(-1, 3, -1, -1) * torch.tensor([0.5, -0.5, 0.8])[:, None, None]
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(query, views, rows, nearest).likeness_BN, nearest).backward()
        optimiser.step()
    assert (model(query, views, rows).view_B == nearest).float().mean() > 0.7


@pytest.mark.parametrize("values", [{"stems": "shared"}, {"choice": "soft"}, {"compare_at": 8}, {"compare_at": 16}])
def test_every_ingredient_can_be_taken_out_and_trains(values):
    model = made(**values)
    query, views, rows = pictures()
    found = model(query, views, rows, torch.tensor([1, -1, 2, 0]))
    assert found.output.change_Bhw.shape[-1] == 64 // values.get("compare_at", 4)
    (found.output.logit_B.sum() + found.output.change_Bhw.mean() + found.likeness_BN[:, 0].sum()).backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None and not name.startswith("heads.locate")]
    assert not unused
    assert safetensors.load(safetensors.save(model.state_dict())).keys() == model.state_dict().keys()


def test_a_soft_choice_weighs_all_views():
    model = made(choice="soft").eval()
    query, views, rows = pictures()
    others = views.clone()
    others[:, 4] = 0.0
    assert not torch.allclose(model(query, others, rows).output.logit_B, model(query, views, rows).output.logit_B)


@pytest.mark.parametrize("fuse", [1, 2])
def test_where_it_is_used_the_own_view_alone_is_compared_with(fuse):
    model = made(fuse=fuse).eval()
    query, views, rows = pictures()
    own = torch.randn(4, 1, 64, 64)
    use = torch.tensor([True, False, True, False])
    plain, mixed = model(query, views, rows), model(query, views, rows, own_B1SS=own, use_own_B=use)
    torch.testing.assert_close(mixed.output.logit_B[~use], plain.output.logit_B[~use])
    assert torch.equal(mixed.view_B, plain.view_B)
    alone = model(query, own[:, None])
    torch.testing.assert_close(mixed.output.logit_B[use], alone.output.logit_B[use])
    torch.testing.assert_close(model(query, views, rows, own_B1SS=own).output.logit_B, alone.output.logit_B)
