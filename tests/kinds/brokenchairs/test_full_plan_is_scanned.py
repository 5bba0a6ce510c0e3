"""Planning and resuming grow in line with the number of shapes."""

import cProfile
import pstats

from datagen.kinds.brokenchairs.bench.scale import NamedShapes, write_logs
from datagen.kinds.brokenchairs.kind import plan_chairs
from datagen.kinds.registry import load_recipe
from datagen.pipeline import plan
from datagen.recipe.loader import find_recipe, recipe_hash
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


def test_the_recipe_is_hashed_once_a_plan(monkeypatch):
    hashed = []
    monkeypatch.setattr(plan, "recipe_hash", lambda recipe: hashed.append(1) or recipe_hash(recipe))
    assert len(planned(20)) > 20
    assert len(hashed) == 1


def test_rows_of_a_job_share_what_they_say_alike(tmp_path):
    write_logs(tmp_path, planned(20), files=1)
    views = next(e.rows for e in LogReader(tmp_path).refresh().entries.values() if len(e.rows) > 1)
    assert views[0].K is views[1].K and views[0].job_id is views[1].job_id
    assert views[0].query_path is next(iter(views[0].sha256))


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
