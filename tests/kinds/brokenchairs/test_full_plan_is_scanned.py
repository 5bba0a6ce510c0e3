"""Planning and resuming grow in line with the number of shapes."""

import cProfile
import pstats

from datagen.kinds.brokenchairs.bench.scale import NamedShapes, write_logs
from datagen.kinds.brokenchairs.kind import plan_chairs
from datagen.kinds.registry import load_recipe
from datagen.recipe.loader import find_recipe
from datagen.store.log import LogReader


def calls(work) -> int:
    """How many calls `work` makes: a count that no busy machine changes."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return pstats.Stats(profile).total_calls


def planned(shapes: int):
    return list(plan_chairs(load_recipe(find_recipe("brokenchairs180k")), NamedShapes(shapes)).jobs())


def test_planning_grows_linearly():
    planned(10)
    small, large = calls(lambda: planned(50)), calls(lambda: planned(400))
    assert large < 8.5 * small, (small, large)


def test_resuming_grows_linearly(tmp_path):
    costs = {}
    for shapes in (50, 400):
        folder = tmp_path / str(shapes)
        folder.mkdir()
        rows = write_logs(folder, planned(shapes))
        reader = LogReader(folder)
        costs[shapes] = (calls(lambda reader=reader: reader.refresh()), rows)
        # What was read once is not read again: a build asks for news every few seconds.
        assert calls(lambda reader=reader: reader.refresh()) < 0.02 * costs[shapes][0] + 500
    (small, few), (large, many) = costs.values()
    assert many > 7 * few
    assert large / many < 1.1 * small / few, costs
