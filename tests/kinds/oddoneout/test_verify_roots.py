"""verify of scenes: tables at the root of the dataset that do not say what the scenes are."""

import json
from pathlib import Path

import pytest

from datagen.verify.check import FAIL, PASS
from tests.kinds.oddoneout.faults import edit, run_named


@pytest.mark.parametrize("name", ["scene_shapes_listed", "scene_counts_split"])
def test_clean_scenes_pass(tiny_scenes: Path, name: str) -> None:
    result = run_named(tiny_scenes, name)
    assert result.status == PASS, result.examples


def first(table: dict) -> dict:
    return next(iter(table["shapes"].values()))


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.update(shapes={}),
        lambda table: table.clear(),
        lambda table: table.update(source="another"),
        lambda table: first(table).update(split="test"),
        lambda table: first(table).update(category="cup"),
        lambda table: first(table).update(id=999),
        lambda table: table["shapes"].update({"cup/cup_999": first(table)}),
        lambda table: table["shapes"].update({next(iter(table["shapes"])): 3}),
    ],
)
def test_shapes_that_are_not_the_scenes_are_told(spoiled: Path, change) -> None:
    edit(spoiled, change, "shapes.json")
    assert run_named(spoiled, "scene_shapes_listed").status == FAIL


def test_a_table_of_shapes_that_is_gone_is_told(spoiled: Path) -> None:
    (spoiled / "shapes.json").unlink()
    assert run_named(spoiled, "scene_shapes_listed").status == FAIL


def exchanged(table: dict) -> None:
    for key in list(table):
        side, _, rest = key.partition("-")
        table[f"{'train' if side == 'test' else 'test'}-{rest}_"] = table.pop(key)
    for key in list(table):
        table[key.removesuffix("_")] = table.pop(key)


@pytest.mark.parametrize(
    "change",
    [
        exchanged,
        dict.clear,
        lambda table: table.update({"train-8-12": ["cup_001-001"]}),
        lambda table: table.update(a=1),
    ],
)
def test_splits_by_count_that_are_not_the_scenes_are_told(spoiled: Path, change) -> None:
    before = json.loads((spoiled / "split-count.json").read_text())
    edit(spoiled, change, "split-count.json")
    assert json.loads((spoiled / "split-count.json").read_text()) != before
    assert run_named(spoiled, "scene_counts_split").status == FAIL
