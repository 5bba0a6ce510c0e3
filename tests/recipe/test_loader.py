"""Recipes: what is refused, and that a value changes the hash."""

import pytest

from datagen.core.errors import RecipeError
from datagen.kinds.registry import load_recipe
from datagen.recipe.loader import recipe_hash
from datagen.train.recipes import load_train_recipe
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["quickstart", "brokenchairs", "brokenchairs180k", "brokenchairs_paired"])
def test_built_in_recipes_load(name):
    assert load_recipe(ROOT / "recipes" / f"{name}.yaml").kind == "brokenchairs"


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "anomaly: {slots: {melted: 1}}",
        "render: {samples: .nan}",
        "render: {samples: 0}",
        "materials: {classes: {Leg: {lead: 1}}}",
        "- a list",
        "a: &a [1, 2]\nb: [" + ", ".join(["*a"] * 60) + "]",
        "seed: -1",
    ],
)
def test_bad_recipes_are_refused_in_one_line(tmp_path, text):
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(RecipeError) as error:
        load_recipe(tmp_path / "r.yaml")
    assert "\n" not in str(error.value)


def test_a_yaml_bomb_is_refused_before_it_grows(tmp_path):
    lines = ["a: &a [x, x]"] + [
        f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join([f'*{chr(97 + k)}'] * 9)}]" for k in range(9)
    ]
    (tmp_path / "r.yaml").write_text("\n".join(lines))
    with pytest.raises(RecipeError, match="aliases"):
        load_recipe(tmp_path / "r.yaml")


def test_every_value_reaches_the_hash():
    base = recipe_hash(load_recipe(None))
    for assignment in ("seed=1", "render.samples=33", "materials.contrast=20", "anomaly.broken.removed=[0.2, 0.8]"):
        assert recipe_hash(load_recipe(None, [assignment])) != base
    assert recipe_hash(load_recipe(ROOT / "recipes" / "brokenchairs.yaml")) == base


@pytest.mark.parametrize("assignment", ["novalue", "seed.deeper=1", "=3"])
def test_bad_overrides(assignment):
    with pytest.raises(RecipeError):
        load_recipe(None, ["seed=1", assignment])


@pytest.mark.parametrize(
    "assignment, said",
    [
        ("anomaly.per_image={}", "anomaly.per_image: it is empty"),
        ("anomaly.views={-2: 1}", "anomaly.views.-2.*greater than or equal to 1"),
        ("anomaly.views_by_kind={dent: {0: 1}}", "anomaly.views_by_kind.dent.0"),
        ("normal.views={-2: 1}", "normal.views.-2.*greater than or equal to 0"),
        ("anomaly.slots={position: -1}", "anomaly.slots.position: Input should be greater than or equal to 0"),
        ("anomaly.per_image={1: 0}", "anomaly.per_image.1: Input should be greater than 0"),
        ("anomaly.views={}", "anomaly.views: it is empty"),
        ("normal.views={24: 1}", "normal.views asks for 24 views, query.azimuth_step_deg 18 leaves 20 cameras"),
        ("anomaly.views_by_kind={missing: {21: 1}}", "anomaly.views_by_kind.missing asks for 21 views"),
        ("normal.views={}", "normal.views: it is empty"),
        ("anomaly.weights={position: {Leg: 0}}", "weights of position have to be 0 or more, not all 0"),
        ("anomaly.weights={position: {Leg: -1, Arm: 2}}", "weights of position"),
        ("split.unseen=table", r"split.unseen: a list is wanted; write \[table\]"),
        ("category=[chair]", "category: it is one name or path"),
        ("anomaly.rotation.deg=[0.5, 200]", "rotation.deg: a turn by 200 degrees is a smaller one the other way round"),
    ],
)
def test_what_could_not_be_drawn_from_is_refused_with_the_next_step(assignment, said):
    with pytest.raises(RecipeError, match=said):
        load_recipe(None, [assignment])


def test_a_value_of_set_is_not_blamed_on_the_file(tmp_path):
    with pytest.raises(RecipeError, match=r"^RecipeError: --set optim\.lr=-1: optim\.lr: ") as told:
        load_train_recipe("query_64", overrides=["optim.lr=-1"])
    assert "yaml" not in str(told.value)
    (tmp_path / "bad.yaml").write_text("optim: {lr: -1}\n")
    with pytest.raises(RecipeError, match=r"bad\.yaml: optim\.lr"):
        load_train_recipe(str(tmp_path / "bad.yaml"), overrides=["seed=1"])


def test_entries_of_a_list_that_are_wrong_alike_are_counted():
    with pytest.raises(RecipeError, match=r'data.skip.0 \(and 2 more\): a text is wanted; write "7" in quotes'):
        load_train_recipe("query_64", overrides=["data.skip=[7, 8, 9]"])
