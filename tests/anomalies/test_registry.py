"""One registry of operators: what recipes may name, and anomalies of one kind of dataset in another."""

import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from datagen.anomalies import registry
from datagen.core.anomaly import AnomalySpec
from datagen.core.errors import RecipeError, UsageError
from datagen.kinds.brokenchairs.policy import offered
from datagen.kinds.registry import examination_of, load_recipe, make_plan, open_tree
from datagen.recipe.anomaly_slots import AnomalyRecipe
from datagen.recipe.scenes import SceneAnomalyRecipe
from datagen.recipe.section import Section, recipe_data
from datagen.shapes.collections import open_collection
from datagen.store.manifest import read_manifest
from datagen.verify.document import examine
from tests.conftest import SMALL_SCENES, run_build


def test_every_kind_of_anomaly_that_a_recipe_has_settings_for_has_its_operator():
    for recipe in (AnomalyRecipe, SceneAnomalyRecipe):
        assert set(recipe.sections) <= set(registry.operators())
    assert set(registry.operators()) == set(AnomalyRecipe.sections) | set(SceneAnomalyRecipe.sections)


def test_a_recipe_names_the_kinds_it_may_have():
    with pytest.raises(RecipeError, match="unknown anomaly kind 'material'; the kinds are bend, broken, bump"):
        load_recipe(None, ["anomaly.slots={material: 1}"])


def test_operators_of_other_packages_are_found_and_asked_what_they_need(monkeypatch):
    operator = SimpleNamespace(name="rust", on_part=True, needs=frozenset({"skins"}), propose=None, apply=None)
    point = SimpleNamespace(name="rust", load=lambda: operator)
    for module in ("datagen.anomalies.registry", "datagen.recipe.anomalies"):
        monkeypatch.setattr(f"{module}.entry_points", lambda group: [point])
    registry.of_packages.cache_clear()
    try:
        recipe = load_recipe(None, ["anomaly.slots={rust: 1}", "anomaly.more={rust: {depth: 2}}"])
        assert recipe.anomaly.settings("rust") == {"depth": 2}
        with pytest.raises(UsageError, match="rust need skins, which datasets of kind brokenchairs do not"):
            registry.require_usable(["rust"], offered(recipe), "brokenchairs")
        operator.settings, operator.needs = Rust, frozenset()
        with pytest.raises(RecipeError, match=r"anomaly\.more\.rust: depth: .*; colour: unknown key"):
            load_plan(["anomaly.slots={rust: 1}", "anomaly.more={rust: {depth: deep, colour: red}}"])
    finally:
        registry.of_packages.cache_clear()


class Rust(Section):
    depth: float = 1.0


def load_plan(sets):
    recipe = load_recipe(None, sets)
    return make_plan(recipe, open_collection("partnet/chair"))


@pytest.mark.parametrize(
    "name, given, said",
    [
        ("position", registry.BUILT_IN[0], "has the name of a built-in operator"),
        ("rust", registry.BUILT_IN[0], "gives an operator of another name, position"),
        ("rust", object(), "is no operator: it has no name, on_part, needs, propose, apply"),
        ("rust", ImportError("no rust"), r"cannot be loaded \(ImportError: no rust\)"),
    ],
)
def test_a_broken_operator_is_told_where_it_is_asked_for_and_nowhere_else(monkeypatch, name, given, said):
    def found():
        if isinstance(given, Exception):
            raise given
        return given

    point = SimpleNamespace(name=name, value="package:THING", load=found)
    for module in ("datagen.anomalies.registry", "datagen.recipe.anomalies"):
        monkeypatch.setattr(f"{module}.entry_points", lambda group: [point])
    registry.of_packages.cache_clear()
    try:
        assert load_plan([]).shapes, "recipes that do not name it are none the wiser"
        assert re.search(said, registry.of_packages().hint)
        if name == "rust":
            with pytest.raises(UsageError, match=rf"kind rust .*{said}.*repair or uninstall"):
                load_plan(["anomaly.slots={rust: 1}"])
    finally:
        registry.of_packages.cache_clear()


@pytest.mark.parametrize(
    "spec, made, said",
    [
        (ValueError("boom"), None, "fails in propose: ValueError: boom"),
        (None, None, "answers propose with NoneType"),
        (AnomalySpec("rust", values={"at": np.zeros(3)}), None, "fails in propose: TypeError"),
        (AnomalySpec("rust"), ZeroDivisionError("by it"), "fails in apply: ZeroDivisionError: by it"),
        (AnomalySpec("rust"), None, "answers apply with NoneType"),
    ],
)
def test_what_goes_wrong_in_an_operator_of_a_package_sets_its_jobs_aside(monkeypatch, tmp_path, spec, made, said):
    def answer(value):
        if isinstance(value, Exception):
            raise value
        return value

    operator = SimpleNamespace(name="rust", on_part=False, needs=frozenset())
    operator.propose = lambda shape, part, rng, setting: answer(spec)
    operator.apply = lambda shape, spec, setting: answer(made)
    point = SimpleNamespace(name="rust", value="package:THING", load=lambda: operator)
    for module in ("datagen.anomalies.registry", "datagen.recipe.anomalies"):
        monkeypatch.setattr(f"{module}.entry_points", lambda group: [point])
    registry.of_packages.cache_clear()
    try:
        sets = ("anomaly.slots={rust: 1}", "anomaly.slots_per_shape=null", "query.size_px=64", "reference.views=2")
        summary = run_build(tmp_path / "data", 1, sets=sets)
        assert len(summary.quarantined) == 1 and said in next(iter(summary.quarantined.values()))
        assert summary.images > 0, "the other jobs go on"
        tree = open_tree(tmp_path / "data")
        failed = {
            r.name
            for r in examine(examination_of(tree), examination_of(tree).evidence(tree)).results
            if r.failed_as_error
        }
        assert failed <= {"nothing_quarantined"}
    finally:
        registry.of_packages.cache_clear()


def test_new_keys_leave_the_ids_of_recipes_that_do_not_set_them():
    plain, bent = recipe_data(load_recipe(None)), recipe_data(load_recipe(None, ["anomaly.deform.free=[0.1, 0.2]"]))
    assert "deform" not in plain["anomaly"] and bent["anomaly"]["deform"]["free"] == [0.1, 0.2]


def test_chairs_crack_bend_and_break_as_objects_of_scenes_do(tmp_path):
    kinds = ("crack", "fracture", "bump", "deformation", "twist")
    slots = ", ".join(f"{kind}: 1" for kind in kinds)
    sets = (f"anomaly.slots={{{slots}}}", "anomaly.slots_per_shape=null", "query.size_px=96", "normal.views={4: 1}")
    run_build(tmp_path / "data", 2, sets=sets)
    rows = [row for row in read_manifest(tmp_path / "data") if row["row_type"] == "sample" and row["label"]]
    assert len(set(Counter(row["kind"] for row in rows)) & set(kinds)) >= 4
    assert all(row["part_id"] == 0 and row["bbox_xywh_512"][2] > 0 and row["mask_new_path"] for row in rows)
    tree = open_tree(tmp_path / "data")
    document = examine(examination_of(tree), examination_of(tree).evidence(tree))
    assert document.ok, [result.name for result in document.results if result.failed_as_error]


def test_objects_of_scenes_break_as_parts_of_chairs_do(tmp_path):
    sets = (*SMALL_SCENES, "anomaly.kinds={broken: 1}")
    run_build(tmp_path / "data", None, "toysad_quickstart", sets, "toys")
    odd = [row for row in read_manifest(tmp_path / "data") if row["row_type"] == "object" and row["label"]]
    assert odd and {row["kind"] for row in odd} == {"broken"}
    tree = open_tree(tmp_path / "data")
    assert examine(examination_of(tree), examination_of(tree).evidence(tree)).ok
