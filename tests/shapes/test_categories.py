"""The built-in categories: every label of PartNet's is mapped, files are checked, shapes find their category."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from datagen.core.errors import RecipeError
from datagen.core.folders import bundled
from datagen.kinds.registry import load_recipe
from datagen.recipe.categories import FOLDER, OTHER, Categories, built_in, built_in_names, read_category
from datagen.shapes.classify import class_from_name, classes_from_geometry, is_part_name
from datagen.shapes.collections import open_collection
from datagen.shapes.semantics import is_unknown, known_class

from .helpers import sample

PARTNET = tuple(name for name in built_in_names() if name != OTHER)


def labels_of(name: str) -> list[str]:
    """PartNet's own list of a category's labels after merging."""
    folder = sample("partnet_meta_stats") / "stats/after_merging_label_ids"
    (path,) = [p for p in folder.glob("*.txt") if "-" not in p.name and p.stem.lower() == name]
    return [line.split()[1] for line in path.read_text().splitlines() if line.strip()]


def test_there_are_all_of_partnets_categories():
    assert len(PARTNET) == 24
    folder = sample("partnet_meta_stats") / "stats/after_merging_label_ids"
    assert {p.stem.lower() for p in folder.glob("*.txt") if "-" not in p.name} == set(PARTNET)


@pytest.mark.parametrize("name", PARTNET)
def test_no_label_of_partnets_is_left_out(name):
    category = built_in(name)
    labels = labels_of(name)
    assert [label for label in labels if known_class(label, category) is None] == []
    assert labels[0] == category.first_word
    # Each class is there for some label, and each word of the file is one of PartNet's.
    assert {known_class(label, category) for label in labels} | {"Other"} == set(category.classes)
    if name != "chair":
        assert [word for word in category.names if not any(f"/{label}".endswith(f"/{word}") for label in labels)] == []


@pytest.mark.parametrize("name", PARTNET)
def test_every_class_can_be_dressed_and_chosen(name):
    category = built_in(name)
    assert set(category.classes) <= set(category.rows)
    for kind in ("position", "rotation", "broken", "swapped", "missing"):
        chances = category.chances(kind)
        assert set(chances) == set(category.classes) and sum(chances.values()) > 0
        assert sum(weight > 0 for weight in chances.values()) >= 2


def test_files_of_packages_and_people_name_categories_in_many_ways():
    known = Categories()
    assert known.of("StorageFurniture").name == known.of("storage furniture").name == "storagefurniture"
    assert known.of("TrashCan").name == "trashcan" and known.of("Monitor").name == "display"
    assert known.of("").name == known.of("object").name == "chair"
    assert known.of("Suitcase").name == OTHER
    own = read_category(FOLDER / "table.yaml").model_copy(update={"name": "suitcase"})
    assert Categories(own).of("Suitcase") is own and Categories(own).of("") is own
    assert Categories(own).of("chair").name == "chair"


def broken_file(folder: Path, **change: object) -> Path:
    data = yaml.safe_load((FOLDER / "mug.yaml").read_text())
    path = folder / "beaker.yaml"
    path.write_text(yaml.safe_dump({**data, "name": "beaker", "root": "mug", **change}))
    return path


WOOD = {"wood": 1.0}
OTHER_ROLE = {"role": "Other", "weights": WOOD}
BODY, HANDLE = {"role": "Body", "weights": WOOD}, {"role": "Handle", "weights": WOOD}


def roles(*more: dict) -> dict:
    """Roles of a mug's classes, and more."""
    return {"roles": [BODY, HANDLE, OTHER_ROLE, *more], "thickness": [], "opaque": []}


@pytest.mark.parametrize(
    "change, said",
    [
        ({"colour": "red"}, "colour"),
        ({"names": {"mug": "Cup"}}, "'Cup' is none of the classes"),
        ({"classes": ["Body"]}, "'Other' is none of the classes"),
        ({"frequency": {"Body": -1.0}}, "0 or more"),
        ({"roles": [{"role": "Other", "weights": {"glass": 1.0}}]}, "weights of a role"),
        ({"roles": [{**OTHER_ROLE, "touches": ["Body"]}], "opaque": []}, "roles before Other"),
        ({"name": "My Mug"}, "lower-case"),
        ({"liable": {"mising": {"Body": 0.0}}}, "category beaker: liable: unknown anomaly kind 'mising'"),
        ({"weights": {"explode": {"Body": 1.0}}}, "category beaker: weights: unknown anomaly kind 'explode'"),
        ({"weights": {"missing": {"Body": 0.0}}}, "weights: every weight of missing is 0"),
        (
            {"frequency": {"Body": 1, "Handle": 1}, "liable": {"missing": {"Body": 0, "Handle": 0}}},
            "liable: every weight of missing is 0",
        ),
        ({"frequency": {}, "liable": {"missing": {"Body": 0}}}, "liable: its factors are on `frequency`"),
        ({"role_rules": [{"role": "Body", "words": [""]}]}, "an empty word stands in every name"),
        ({"name_rules": [["handle(", "Handle"]]}, r"name_rules: 'handle\(' is no regular expression"),
        ({"part_words": ["*bolt"]}, r"part_words: '\*bolt' is no regular expression"),
        ({"part_words": [""]}, "part_words: an empty pattern"),
        ({"called": [" "]}, "called: an empty word"),
        ({"classes": ["Body", "Handle", "Other", "Handle"]}, "classes: 'Handle' stands there twice"),
        ({"classes": ["Body", "Handle", "Other", "handle"]}, "classes: 'Handle' and 'handle' differ in case alone"),
        (roles(BODY), "roles: 'Body' stands there twice"),
        (roles({"role": "Hnadle", "weights": WOOD}), "'Hnadle' is none of the classes, and no other role"),
        ({"roles": [BODY, OTHER_ROLE], "opaque": []}, "'Handle' is none of the roles; every class needs one"),
        (roles({"role": "Lid", "weights": WOOD, "follows": [{"role": "Body", "share": 3}]}), "3 is no probability"),
        (
            {"roles": [{**BODY, "follows": [{"role": "Handle", "share": 1}]}, HANDLE, OTHER_ROLE], "opaque": []},
            "'Handle' is none of the roles before Body: it stands first",
        ),
        ({"frequency": {"Body": 0.0, "Handle": 0}}, "frequency: every weight is 0"),
        ({"thickness": [{"role": "Body", "only": ["wood"]}]}, "thickness of Body has no bound"),
        ({"thickness": [{"role": "Body", "above": 0.1, "only": []}]}, "`only` has to name some of"),
        ({"name": "chair"}, "name: chair is the name of a built-in category"),
        ({"name": "other"}, "name: other is the name of a built-in category"),
    ],
)
def test_mistakes_in_a_file_are_refused_by_name(tmp_path, change, said):
    path = broken_file(tmp_path, **change)
    if "unknown anomaly kind" not in said:  # a recipe knows the kinds
        with pytest.raises(RecipeError, match=said) as caught:
            read_category(path)
        assert str(path) in str(caught.value)
    with pytest.raises(RecipeError, match=said) as caught:
        load_recipe(None, [f"category={path}"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text, said",
    [
        ("name: [", "is no YAML"),
        ("a: &a [1]\nb: [" + "*a, " * 60 + "]\n", "more than 50 aliases"),
        ("# " + "x" * 200_001, "larger than 200000 bytes"),
        ("- 1\n", "file: Input should be"),
        ("name: a\nwords: {one: a, many: b}\nname: b\n", "the key name stands twice in the mapping of line 1"),
        ("name: a\nfrequency: {Sail: 1, Cap: 2, Sail: 3}\n", "the key Sail stands twice in the mapping of line 2"),
    ],
)
def test_what_is_no_category_file_is_told(tmp_path, text, said):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=said):
        read_category(path)


def test_a_recipe_holds_its_own_category_and_names_built_in_ones(tmp_path):
    path = broken_file(tmp_path, also=["mug"])
    recipe = load_recipe(None, [f"category={path}"])
    assert recipe.categories.of("mug").name == "beaker"
    path.unlink()
    again = type(recipe).model_validate(recipe.model_dump(mode="json"))
    assert again == recipe and again.categories.of("").also == ("mug",)
    assert load_recipe(None, ["category=table"]).categories.of("").name == "table"
    with pytest.raises(RecipeError, match="neither a file nor one of"):
        load_recipe(None, ["category=tabel"])


def table_parts(root: Path) -> Path:
    """A stand-in table as loose part files, named after their labels."""
    source = open_collection("partnet/table")
    folder = source.root / source.entries()[0].shape_id
    (root / "kitchen").mkdir(parents=True)
    (tree,) = json.loads((folder / "result_after_merging.json").read_text())

    def walk(node: dict) -> None:
        for child in node.get("children", ()):
            walk(child)
        for stem in () if node.get("children") else node["objs"]:
            shutil.copy(folder / "objs" / f"{stem}.obj", root / "kitchen" / f"{node['name']}_{stem}.obj")

    walk(tree)
    return root


def test_plain_meshes_are_of_the_category_that_is_told(tmp_path):
    root = table_parts(tmp_path)
    told = Categories(built_in("table"))
    as_table = open_collection(str(root), categories=told).load("kitchen")
    assert as_table.category == "table"
    assert sorted(p.part_class for p in as_table.parts) == ["Leg"] * 4 + ["Top"] + ["TopFrame"] * 4
    (root / "collection.json").write_text('{"category": "table"}')
    assert open_collection(str(root)).load("kitchen").category == "table"


def test_tables_without_names_are_told_by_where_parts_stand():
    table = built_in("table")
    for entry in open_collection("partnet/table").entries()[:24]:
        shape = open_collection("partnet/table").load(entry.shape_id)
        found = classes_from_geometry([part.mesh for part in shape.parts], table)
        pairs = list(zip((part.part_class for part in shape.parts), found, strict=True))
        # Slatted tops have no board to begin with.
        if sum(part.part_class == "Top" for part in shape.parts) == 1:
            assert ("Top", "Top") in pairs, entry.shape_id
        assert ("Leg", "Top") not in pairs and ("Handle", "Leg") not in pairs


def test_names_of_labels_serve_where_a_category_has_no_rules():
    mug = built_in("mug")
    assert class_from_name("handle_2", mug) == "Handle" and class_from_name("thing", mug) is None
    assert is_part_name("body-1", mug) and not is_part_name("lid", mug)


def test_unknown_labels_are_told_once_and_are_other(tmp_path):
    source = open_collection("partnet/table")
    first = source.entries()[0].shape_id
    shutil.copytree(source.root / first, tmp_path / first)
    for name in ("result.json", "result_after_merging.json"):
        path = tmp_path / first / name
        path.write_text(path.read_text().replace('"leg"', '"stilt"').replace("regular_leg_base", "stilts"))
    shape = open_collection(str(tmp_path)).load(first)
    stilts = [part for part in shape.parts if part.name == "stilt"]
    assert len(stilts) == 4 and {part.part_class for part in stilts} == {"Other"}
    path = "table/regular_table/table_base/stilts/stilt"
    assert is_unknown(path, built_in("table"))
    assert [w for w in shape.warnings if "does not know" in w] == [
        f"label that table does not know taken as Other: {path}"
    ]


def test_built_in_chairs_know_all_their_labels():
    source = open_collection(str(bundled("assets") / "partnet" / "chair"))
    for entry in source.entries():
        assert not [w for w in source.load(entry.shape_id).warnings if "does not know" in w]
