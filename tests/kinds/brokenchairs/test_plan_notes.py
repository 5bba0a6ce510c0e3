"""What a plan says before a build: anomalies that are asked for and not planned."""

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
    assert notes == () if planned else "no anomaly is planned, though swapped are asked for" in notes[0]
