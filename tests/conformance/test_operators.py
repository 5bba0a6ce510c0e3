"""Every operator of the package: on chairs those that chairs may have, on toys those that scenes may have."""

import sys
import types
from dataclasses import replace

import pytest

from datagen.anomalies.registry import operators
from datagen.kinds.brokenchairs.policy import chair_setting
from datagen.recipe.anomaly_slots import AnomalyRecipe
from datagen.recipe.models import Recipe
from datagen.recipe.scenes import SceneAnomalyRecipe
from datagen.shapes.collections import open_collection
from tests.anomalies.test_on_objects import setting, toy
from tests.anomalies.test_on_parts import Pool
from tests.conformance.operators import OperatorConformance
from tests.helpers.docs import code_of

CHAIRS = open_collection("partnet/chair")


def on_chair(kind):
    class Case(OperatorConformance):
        tries = 40

        def operator(self):
            return operators()[kind]

        def shape(self):
            return replace(CHAIRS.load(CHAIRS.entries()[1].shape_id), source_mm=1000.0)

        def setting(self):
            return chair_setting(Recipe(), Pool(CHAIRS))

    return Case


def in_scene(kind):
    class Case(OperatorConformance):
        replaces = kind == "similar"

        def operator(self):
            return operators()[kind]

        def shape(self):
            return toy("mug_001" if kind == "similar" else "robot_001")

        def setting(self):
            return setting()

    return Case


for made, recipe, where in ((on_chair, AnomalyRecipe, "Chair"), (in_scene, SceneAnomalyRecipe, "Scene")):
    for name in recipe.sections:
        globals()[f"Test{where}{name.capitalize()}"] = made(name)


def test_no_operator_is_left_out():
    assert set(operators()) == {*AnomalyRecipe.sections, *SceneAnomalyRecipe.sections}
    with pytest.raises(KeyError):
        operators()["nothing"]


def shrink():
    module = types.ModuleType("shrink_of_the_page")
    sys.modules[module.__name__] = module  # so that it can be pickled
    exec(code_of("docs/extending/operator.md", "# my_package/shrink.py"), vars(module))
    return module.OPERATOR


SHRINK = shrink()


class TestShrink(OperatorConformance):
    """The operator of docs/extending/operator.md."""

    def operator(self):
        return SHRINK

    def shape(self):
        return CHAIRS.load(CHAIRS.entries()[1].shape_id)

    def setting(self):
        return chair_setting(Recipe(), Pool(CHAIRS))
