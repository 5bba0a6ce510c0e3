"""VLFA: equations (12) to (14) against naive float64 loops."""

import math

import pytest

torch = pytest.importorskip("torch")

from datagen.models.alignment import alignment_loss, pseudo_labels, take_rows  # noqa: E402

TAU = 0.1


def unit(*shape, seed=0):
    z = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return z / z.norm(dim=-1, keepdim=True)


def dot(a, b):
    return sum(float(x) * float(y) for x, y in zip(a, b, strict=True))


def naive_loss(z_from, z_to, positive):
    """Equation (14) as printed, mean over rows that have a positive."""
    terms = []
    for i, plus in enumerate(positive):
        if plus < 0:
            continue
        top = math.exp(dot(z_from[i], z_to[plus]) / TAU)
        negatives = sum(math.exp(dot(z_from[i], z_to[j]) / TAU) for j in range(len(z_to)) if j != plus)
        terms.append(-math.log(top / (top + negatives)))
    return sum(terms) / len(terms)


def test_equation_13():
    z_query, z_view = unit(7, 5), unit(11, 5, seed=1)
    naive = [max(range(11), key=lambda j, i=i: dot(z_query[i], z_view[j])) for i in range(7)]
    assert pseudo_labels(z_query, z_view).tolist() == naive


def test_equation_14():
    z_from, z_to = unit(6, 5), unit(13, 5, seed=1)
    positive = [0, 12, -1, 5, 5, 7]
    loss = alignment_loss(z_from.float(), z_to.float(), torch.tensor(positive), TAU)
    assert abs(float(loss) - naive_loss(z_from, z_to, positive)) < 1e-5


def test_equation_14_over_a_batch_is_the_mean_of_its_rows():
    z_from, z_to = unit(3, 4, 5), unit(3, 9, 5, seed=1)
    positive = torch.randint(0, 9, (3, 4), generator=torch.Generator().manual_seed(3))
    naive = sum(naive_loss(z_from[b], z_to[b], positive[b].tolist()) for b in range(3)) / 3
    assert abs(float(alignment_loss(z_from.float(), z_to.float(), positive, TAU)) - naive) < 1e-5


def test_pseudo_labels_of_drawn_rows_send_gradient_to_those_rows():
    z_query, z_view = unit(2, 8, 5), unit(2, 9, 5, seed=1)
    rows = torch.tensor([[1, 4], [0, 7]])
    naive = sum(
        naive_loss(z_query[b][rows[b]], z_view[b], pseudo_labels(z_query[b][rows[b]], z_view[b]).tolist())
        for b in range(2)
    )
    leaf = z_query.float().requires_grad_()
    z_from = take_rows(leaf, rows)
    loss = alignment_loss(z_from, z_view.float(), pseudo_labels(z_from, z_view.float()), TAU)
    assert abs(float(loss.detach()) - naive / 2) < 1e-5
    loss.backward()
    assert (leaf.grad.abs().sum(-1) > 0).nonzero().tolist() == [[0, 1], [0, 4], [1, 0], [1, 7]]


def test_no_correspondence_at_all_is_no_loss():
    z = unit(2, 4, 5).float().requires_grad_()
    loss = alignment_loss(z, z, torch.full((2, 4), -1), TAU)
    loss.backward()
    assert float(loss.detach()) == 0.0 and float(z.grad.abs().max()) == 0.0


def test_take_rows_of_hidden_patches_is_harmless():
    z = unit(1, 4, 5)
    assert torch.equal(take_rows(z, torch.tensor([[2, -1]]))[0, 0], z[0, 2])
