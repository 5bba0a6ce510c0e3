"""What a plan says before a build: anomalies that are asked for and not planned, splits without a shape."""

import pytest

from datagen.kinds.registry import load_recipe, make_plan
from datagen.shapes.collections import open_collection
from tests.shapes.helpers import write_shape


@pytest.mark.parametrize(
    "slots, planned", [("{swapped: 1}", False), ("{swapped: 1, missing: 1}", True), ("{missing: 0}", True)]
)
def test_a_plan_without_anomalies_says_so(tmp_path, slots, planned):
    write_shape(tmp_path, "7")
    recipe = load_recipe(None, [f"anomaly.slots={slots}"])
    notes = make_plan(recipe, open_collection(str(tmp_path)), None).notes
    assert planned == (not any("no anomaly is planned, though swapped are asked for" in note for note in notes))


@pytest.mark.parametrize(("count", "empty"), [(1, "val or test"), (2, "test"), (5, "")])
def test_splits_without_a_shape_are_told(tmp_path, count, empty):
    for number in range(1, count + 1):
        write_shape(tmp_path, str(number))
    notes = make_plan(load_recipe(None), open_collection(str(tmp_path)), None).notes
    assert [f"no shape is in {empty}:" in note for note in notes] == ([True] if empty else [])
