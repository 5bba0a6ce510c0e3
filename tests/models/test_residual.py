"""The untrained residual, and the choice of a view by outlines."""

import pytest

torch = pytest.importorskip("torch")

from datagen.models.residual import Residual  # noqa: E402
from datagen.models.silhouettes import agreements, framed, silhouettes  # noqa: E402


def blocks(*boxes, size=64):
    """Grey pictures (B, S, S) in [-1, 1]: a dark box (top, bottom, left, right) on white."""
    found = torch.ones(len(boxes), size, size)
    for row, (top, bottom, left, right) in enumerate(boxes):
        found[row, top:bottom, left:right] = -0.5
    return found


def as_query(grey_BSS):
    return grey_BSS.unsqueeze(1).expand(-1, 3, -1, -1)


def test_outlines_are_compared_whatever_their_place_and_size():
    tall, wide = (10, 50, 24, 34), (24, 34, 10, 50)
    views = blocks(tall, wide)[None]
    smaller_elsewhere = blocks((30, 60, 40, 48))
    found = agreements(smaller_elsewhere, views)
    assert found[0, 0] > 0.85 and found[0, 1] < 0.5
    assert framed(silhouettes(torch.ones(1, 64, 64))).sum() == 0


def test_a_query_that_lost_a_piece_scores_above_the_whole_one_against_the_same_view():
    model = Residual()
    whole, cut = blocks((10, 50, 20, 44)), blocks((10, 50, 20, 44))
    cut[0, 10:22, 20:30] = 1.0
    views = torch.stack([blocks((10, 50, 20, 44))[0], blocks((28, 36, 4, 60))[0]])[None, :, None]
    same, other = (model(as_query(q), views) for q in (whole, cut))
    assert other.output.logit_B > same.output.logit_B
    assert same.view_B.tolist() == other.view_B.tolist() == [0]
    change = other.output.change_Bhw[0]
    assert change[2:5, 5:7].mean() > change[7:12, 6:10].mean()
    told = model(as_query(whole), views, against_B=torch.tensor([1]))
    assert told.view_B.tolist() == [1] and told.output.logit_B > same.output.logit_B


def test_the_view_from_the_own_camera_replaces_the_chosen_one():
    model = Residual()
    query = as_query(blocks((10, 50, 20, 44), (10, 50, 20, 44)))
    views = torch.stack([blocks((28, 36, 4, 60))[0]] * 2)[None, :, None]
    own = blocks((10, 50, 20, 44), (10, 50, 20, 44))[:, None]
    found = model(query, views, torch.zeros(2, dtype=torch.long), own_B1SS=own, use_own_B=torch.tensor([True, False]))
    assert found.output.logit_B[0] < found.output.logit_B[1]
