"""Splits, ids and plan order."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from datagen.kinds.brokenchairs.splits import assign_splits, plan_order, public_ids
from datagen.recipe.models import SplitRecipe
from datagen.shapes.source import ShapeEntry


def entries(count, models=None):
    return [ShapeEntry(str(k), f"m{(models or count) and k % (models or count)}", ("Leg",)) for k in range(count)]


@given(st.integers(4, 90))
def test_small_collections_have_every_split(count):
    splits = Counter(assign_splits(entries(count), SplitRecipe()).values())
    assert splits["val"] >= 1 and splits["test"] >= 2 and splits["train"] >= 1


def test_large_collections_hold_the_proportions():
    splits = Counter(assign_splits(entries(5000), SplitRecipe()).values())
    assert abs(splits["train"] / 5000 - 138 / 177) < 0.02
    assert abs(splits["test"] / 5000 - 26 / 177) < 0.02


@given(st.integers(4, 300), st.integers(2, 60))
def test_models_never_straddle_splits(count, models):
    shapes = entries(count, models)
    splits = assign_splits(shapes, SplitRecipe())
    for model in {e.model_id for e in shapes}:
        assert len({splits[e.shape_id] for e in shapes if e.model_id == model}) == 1


def test_a_large_collections_splits_do_not_move_when_it_grows():
    small, large = (assign_splits(entries(n), SplitRecipe()) for n in (200, 400))
    assert all(large[k] == v for k, v in small.items())


def test_published_lists_win_and_the_rest_trains():
    shapes = [ShapeEntry(str(k), f"m{k}", (), s) for k, s in enumerate(["test", None, "val", "train"])]
    assert list(assign_splits(shapes, SplitRecipe()).values()) == ["test", "train", "val", "train"]


def test_every_prefix_holds_every_split():
    shapes = entries(24)
    splits = assign_splits(shapes, SplitRecipe())
    order = plan_order(shapes, splits)
    assert {splits[e.shape_id] for e in order[:3]} == {"train", "val", "test"}
    assert order == plan_order(shapes[::-1], splits)


def test_public_ids():
    numbers = [ShapeEntry(n, "", ()) for n in ("12", "7")]
    assert public_ids(numbers) == {"12": 12, "7": 7}
    names = [ShapeEntry(n, "", ()) for n in ("chair_b", "a-anomaly", "07")]
    assert public_ids(names) == {"07": 1, "a-anomaly": 2, "chair_b": 3}
