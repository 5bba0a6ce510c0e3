"""Datasets of other categories: several in one set, a category kept unseen, a category of one's own."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
import yaml

from datagen.core.errors import UsageError
from datagen.core.shape import Mesh
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.conformance import conformance
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.examination import CHAIRS
from datagen.kinds.registry import load_recipe, open_tree
from datagen.recipe.categories import built_in
from datagen.shapes.collections import open_collection
from datagen.store.manifest import read_manifest
from datagen.verify.check import FAIL
from datagen.verify.document import examine
from tests.conftest import ROOT, box, plan_of, run_build, shared
from tests.helpers.box_chairs import SMALL_PICTURES

SMALL = (*SMALL_PICTURES, "normal.views={2: 1}", "reference.views=10", "reference.points=1500")
TWO = (*SMALL, "split.unseen=[table]")
CHAIRS_AND_TABLES = "partnet/chair,partnet/table"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Chairs, of which two are trained on, and tables that nothing is trained on."""
    return shared(tmp_path_factory, "two", lambda folder: run_build(folder, 10, sets=TWO, collection=CHAIRS_AND_TABLES))


def failed(root, shapes=None) -> list[str]:
    """Names of checks that fail, with what they found first; geometry is replayed where the shapes are given."""
    evidence = ChairEvidence(open_tree(root), source_options={"shapes": str(shapes)} if shapes else {})
    results = CHECKS.run(evidence)
    assert not shapes or (evidence.source is not None and {r.how for r in evidence.replays} == {"parts"})
    return [f"{r.name}: {r.examples[:2]}" for r in results if r.status == FAIL]


def test_rows_files_and_card_name_the_category(two):
    rows = read_manifest(two)
    assert {row["category"] for row in rows} == {"chair", "table"}
    table = json.loads((two / "shapes.json").read_text())["shapes"]
    assert all(table[str(row["public_id"])]["category"] == row["category"] for row in rows)
    split = json.loads((two / "split.json").read_text())
    assert set(split) == {"train", "val", "test", "unseen"}
    assert sorted(shape for ids in split.values() for shape in ids) == sorted(table)
    assert {table[i]["category"] for i in split["unseen"]} == {"table"}
    assert {table[i]["category"] for name in ("train", "val", "test") for i in split[name]} == {"chair"}
    card = (two / "README.md").read_text()
    assert "| table |" in card and "Glass is rendered opaque: Glass of tables." in card


def test_a_set_of_two_categories_verifies_category_by_category(two):
    assert failed(two, CHAIRS_AND_TABLES) == []
    # The stand-ins are found without being named.
    assert ChairEvidence(open_tree(two)).source is not None
    document = examine(CHAIRS, ChairEvidence(open_tree(two))).to_json()
    categories = document["categories"]
    assert set(categories) == {"chair", "table"} and categories["table"]["splits"] == ["unseen"]
    assert "Top" in {c for by_class in categories["table"]["by_class"].values() for c in by_class}
    # Published counts are of chairs alone.
    lines = conformance(ChairEvidence(open_tree(two)))
    chairs = sum(row["category"] == "chair" and row["row_type"] == "sample" for row in read_manifest(two))
    assert sum(line.actual for line in lines if line.table == "images") == chairs > 0


def test_the_summary_counts_by_category(two, tmp_path):
    shutil.copytree(two, tmp_path / "two")
    summary = run_build(tmp_path / "two", 10, sets=TWO, collection=CHAIRS_AND_TABLES).to_json()
    assert set(summary["proposals_by_category"]) == {"chair", "table"}
    for kinds in summary["proposals_by_category"].values():
        assert all(counts["accepted"] > 0 for counts in kinds.values())


def test_a_table_among_the_trained_is_found(two, tmp_path):
    plan = plan_of(10, sets=TWO, collection=CHAIRS_AND_TABLES)
    assert plan.splits["2001"] == "unseen"
    evidence = ChairEvidence(open_tree(two))
    moved = [{**row, "split": "train"} if row["category"] == "table" else row for row in evidence.tree.rows]
    object.__setattr__(evidence.tree, "rows", tuple(moved))
    (check,) = [c for c in CHECKS.run(evidence) if c.name == "unseen_is_unseen"]
    assert check.status == FAIL and "is a table in the split train" in str(check.examples[0])


def test_every_category_is_split_alike_and_swaps_stay_in_it():
    plan = plan_of(None, sets=SMALL, collection=f"{CHAIRS_AND_TABLES},partnet/lamp")
    shares = Counter((entry.category, plan.splits[entry.shape_id]) for entry in plan.entries)
    assert all(shares[(name, split)] > 0 for name in ("chair", "table", "lamp") for split in ("train", "val", "test"))
    alone = plan_of(None, sets=SMALL, collection="partnet/table")
    assert all(plan.splits[entry.shape_id] == alone.splits[entry.shape_id] for entry in alone.entries)
    for (split, category, _), donors in plan.donors.items():
        assert {entry.category for entry in donors} == {category}
        assert {plan.splits[entry.shape_id] for entry in donors} == {split}
    assert len(set(plan.ids.values())) == len(plan.entries)


def test_ids_that_collide_get_their_category(tmp_path):
    for name in ("chair", "table"):
        source = open_collection(f"partnet/{name}")
        (tmp_path / name).mkdir()
        (tmp_path / name / "7").symlink_to(source.root / source.entries()[0].shape_id)
    joined = open_collection(f"{tmp_path / 'chair'},{tmp_path / 'table'}")
    assert [entry.shape_id for entry in joined.entries()] == ["chair-7", "table-7"]
    shape = joined.load("table-7")
    assert shape.shape_id == "table-7" and shape.category == "table"
    assert joined.digest("table-7") != joined.digest("chair-7")


def test_partnet_means_every_category_that_is_there(tmp_path):
    everything = open_collection("partnet")
    assert {entry.category for entry in everything.entries()} == {
        *("chair", "table", "lamp", "storagefurniture", "bed", "faucet")
    }
    for number, name in enumerate(("lamp", "table")):
        source = open_collection(f"partnet/{name}")
        (tmp_path / "data_v0").mkdir(exist_ok=True)
        (tmp_path / "data_v0" / str(number)).symlink_to(source.root / source.entries()[0].shape_id)
    found = open_collection("partnet", tmp_path)
    assert [entry.category for entry in found.entries()] == ["lamp", "table"]


def test_unseen_categories_have_to_be_there():
    with pytest.raises(UsageError, match=r"no shape is a bed; the collection has chair, table"):
        _ = plan_of(None, sets=("split.unseen=[bed]",), collection=CHAIRS_AND_TABLES).splits
    with pytest.raises(UsageError, match="nothing to train on"):
        _ = plan_of(None, sets=("split.unseen=[table]",), collection="partnet/table").splits


def test_chairs_alone_say_no_category(fake_dataset):
    assert "category" not in read_manifest(fake_dataset)[0]
    assert "category" not in (fake_dataset / "shapes.json").read_text()


MILL = {
    "name": "mill",
    "words": {"one": "toy mill", "many": "toy mills"},
    "classes": ["Tower", "Sail", "Other"],
    "name_rules": [["sail", "Sail"], ["tower|cap", "Tower"]],
    "frequency": {"Tower": 1.0, "Sail": 4.0, "Other": 0.0},
    "liable": {"missing": {"Tower": 0.0}},
    "roles": [
        {"role": "Tower", "weights": {"wood": 1.0}},
        {"role": "Sail", "weights": {"fabric": 1.0}, "touches": ["Tower"]},
        {"role": "Other", "weights": {"metal": 1.0}},
    ],
}
"""A category that nobody has heard of."""


def write_mills(root, count: int):
    """So many toy mills as folders of part files, z up."""
    for k in range(count):
        folder = root / f"mill_{k}"
        folder.mkdir(parents=True)
        wide, tall = 0.35 + 0.07 * k, 0.8 + 0.2 * (k % 4)
        parts = {"tower": box((wide, wide, tall), (0, 0, tall / 2)), "cap": box((0.5, 0.3, 0.2), (0, 0, tall + 0.09))}
        for j, angle in enumerate(np.radians([0, 90, 180, 270]) + 0.3):
            c, s = np.cos(angle), np.sin(angle)
            sail = box((0.16, 0.02, 0.5 + 0.02 * k), (0, 0, 0.27))
            turned = sail.vertices @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + [0, -0.155, tall + 0.05]
            parts[f"sail_{j}"] = Mesh(turned, sail.faces)
        for name, mesh in parts.items():
            rows = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in mesh.vertices]
            rows += [f"f {a} {b} {c}" for a, b, c in mesh.faces + 1]
            (folder / f"{name}.obj").write_text("\n".join(rows) + "\n")
    (root / "collection.json").write_text('{"up": "z", "front": "-y"}')
    return root


def mills(folder):
    """A category file, shapes of it, and a dataset of those."""
    (folder / "mill.yaml").write_text(yaml.safe_dump(MILL))
    shapes = write_mills(folder / "shapes", 6)
    sets = (*SMALL, f"category={folder / 'mill.yaml'}", "split.test=100", "split.val=60")
    run_build(folder / "data", 6, sets=sets, collection=shapes)


@pytest.fixture(scope="module")
def mill_dataset(tmp_path_factory):
    def make(folder):
        folder.mkdir()
        mills(folder)

    return shared(tmp_path_factory, "mills", make)


def test_a_category_of_ones_own_builds_and_verifies(mill_dataset):
    data = mill_dataset / "data"
    assert failed(data, mill_dataset / "shapes") == []
    rows = [row for row in read_manifest(data) if row["row_type"] == "sample"]
    assert {row["category"] for row in rows} == {"mill"}
    assert {row["part_class"] for row in rows if row["label"]} <= {"Sail", "Tower"}
    assert {row["part_class"] for row in rows if row["kind"] == "missing"} == {"Sail"}
    assert all(any(m.startswith("fabric") for m in row["material_ids"]) for row in rows if row["kind"] == "position")
    # run.json holds the file, so the dataset can be verified where it is not.
    recipe = json.loads((data / "run.json").read_text())["recipe"]
    assert recipe["category"]["name"] == "mill" and built_in("chair").name == "chair"


def test_built_in_recipes_say_nothing_of_categories():
    for path in (ROOT / "recipes").glob("brokenchairs*.yaml"):
        assert load_recipe(path).category == ""
