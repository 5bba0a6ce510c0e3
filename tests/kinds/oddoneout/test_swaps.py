"""Swapped majorities: two scenes of one plan, exchanged shapes, what verify asserts and how they are scored."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from datagen.core.errors import RecipeError, UsageError
from datagen.core.statistics import auc
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.swaps import CHECKS
from datagen.kinds.registry import load_recipe, open_tree
from datagen.recipe.loader import find_recipe
from tests.conftest import SMALL_SCENES, build_scenes, plan_of

SWAP = [
    *(item for item in SMALL_SCENES if not item.startswith(("split.scenes", "layout.normal_share"))),
    "layout.majority=swap",
    "layout.normal_share=0",
    "split.scenes={unseen-test: 2, train: 4, seen-test: 2}",
]


@pytest.fixture(scope="module")
def swapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swaps") / "data"
    build_scenes(folder, sets=SWAP)
    return folder


def tables(folder):
    return {p.parent.name: json.loads(p.read_text()) for p in sorted(folder.glob("scenes/*/scene3d.metadata.json"))}


def failures(folder):
    names = {"scene_swaps_have_twins", "scene_swaps_balance", "scene_views_recast", "scene_majority_normal"}
    evidence = SceneEvidence(open_tree(folder), source_options={"shapes": "toys"}, full=True)
    return {r.name: r.examples for r in CHECKS.run(evidence) if r.status == "fail" and r.name in names}


def test_each_shape_stands_where_the_other_stood(swapped):
    found = tables(swapped)
    assert len(found) == 8
    for name, table in found.items():
        twin = found[table["datagen"]["twin"]]
        assert twin["datagen"]["twin"] == name and twin["datagen"]["split"] == table["datagen"]["split"]
        assert twin["scene"] == table["scene"], "one floor and one sky"
        for mine, theirs in zip(table["objects"], twin["objects"], strict=True):
            assert mine["label"] == theirs["label"]
            if any(o["label"] for o in table["objects"]):
                assert {mine["shows"], theirs["shows"]} == {"normal", "anomalous"}
    assert any(o["label"] and o["shows"] == "normal" for t in found.values() for o in t["objects"])
    assert not failures(swapped)


def test_a_prefix_and_any_limit_holds_whole_twos():
    plan = plan_of(None, "toysad_quickstart", SWAP, "toys")
    names = [plan.twin(scene) for scene in plan.scenes]
    assert None not in names and set(names) == {scene.name for scene in plan.scenes}
    draws = {scene.name: plan.draw(scene) for scene in plan.scenes}
    for scene in plan.scenes:
        mine, theirs = draws[scene.name], draws[plan.twin(scene)]
        assert (mine.objects, mine.slots) == (theirs.objects, theirs.slots) and mine.swapped != theirs.swapped
    before = set()
    for limit in (2, 4, 6, 8, 100):
        limited = plan_of(limit, "toysad_quickstart", SWAP, "toys")
        taken = {scene.name for scene in limited.scenes}
        assert len(taken) == min(limit, 8) and before <= taken
        assert {limited.twin(scene) for scene in limited.scenes} == taken
        before = taken
    with pytest.raises(UsageError, match="--limit 3: scenes of this recipe come in twins; give an even number"):
        _ = plan_of(3, "toysad_quickstart", SWAP, "toys").scenes


@pytest.mark.parametrize("fault", ["gone", "exchanged", "split"])
def test_half_a_design_is_caught(swapped, tmp_path, fault):
    folder = shutil.copytree(swapped, tmp_path / "data")
    name, table = next((n, t) for n, t in tables(folder).items() if any(o["label"] for o in t["objects"]))
    path = folder / "scenes" / name / "scene3d.metadata.json"
    if fault == "gone":
        shutil.rmtree(path.parent)
    elif fault == "exchanged":
        for thing in table["objects"]:
            thing["shows"] = "normal" if thing["shows"] == "anomalous" else "anomalous"
        path.write_text(json.dumps(table))
    else:
        splits = json.loads((folder / "split.json").read_text())
        of = next(key for key, names in splits.items() if name in names)
        splits[of].remove(name)
        splits[next(key for key in splits if key != of)].append(name)
        (folder / "split.json").write_text(json.dumps(splits))
    found = failures(folder)
    assert "scene_swaps_have_twins" in found, found
    if fault == "exchanged":
        assert "scene_swaps_balance" in found


def test_what_cannot_come_in_twos_is_refused():
    for values, match in ((["split.scenes={train: 3}"], "even"), (["layout.normal_share=0.1"], "normal_share")):
        with pytest.raises(RecipeError, match=match):
            load_recipe(find_recipe("toysad_swap"), values)


def test_who_judges_each_object_by_itself_scores_nothing():
    pytest.importorskip("torch")
    from datagen.train.tasks.detector.report import swap_chance, swap_score, swapped

    def scene(name, twin):
        return SimpleNamespace(name=name, twin=twin, shape="a")

    one, two = scene("a-001", "a-002"), scene("a-002", "a-001")
    samples = [SimpleNamespace(scene=s, shape="a") for s in (one,) * 3 + (two,) * 3]
    label = np.array([1, 0, 0, 1, 0, 0])
    rows = np.array([0, 3])
    alone = np.array([0.9, 0.1, 0.1, 0.1, 0.9, 0.9])  # a function of the shape
    for score, wanted in ((alone, 0.0), (np.array([0.9, 0.1, 0.2, 0.6, 0.5, 0.1]), 1.0)):
        found = SimpleNamespace(samples=samples, label=label, score=score, scene=np.array([0, 0, 0, 1, 1, 1]))
        assert swapped(found) and swap_score(found, rows) == wanted
        assert swap_chance(found, rows) == pytest.approx(1 / 3)


def test_scenes_whose_twin_shows_no_change_are_not_asked_for():
    """All their objects are normal: one who judges objects by themselves would be above chance by them."""
    pytest.importorskip("torch")
    from datagen.core.errors import UsageError
    from datagen.train.tasks.detector.predictions import ObjectPredictions
    from datagen.train.tasks.detector.report import of_twins

    def scene(name, twin):
        return SimpleNamespace(name=name, twin=twin, shape="a")

    scenes = [scene(f"a-00{n}", f"a-00{n - 1 if n % 2 == 0 else n + 1}") for n in range(1, 5)]
    samples = tuple(SimpleNamespace(scene=s, shape="a") for s in scenes for _ in range(3))
    number = np.repeat(np.arange(4), 3)
    label = np.array([1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    alone = np.array([0.9, 0.1, 0.1, 0.1, 0.9, 0.9, *[0.1] * 6])
    whole = {name: np.zeros(12) for name in ("residual", "iou")} | {
        name: np.zeros(4) for name in ("recall", "mask_error", "count")
    }
    found = of_twins(ObjectPredictions(samples=samples, label=label, score=alone, scene=number, **whole))
    assert found.scene.tolist() == [0, 0, 0, 1, 1, 1] and len(found.samples) == 6
    assert auc(found.label, found.score) == 0.5 < auc(label, alone)
    with pytest.raises(UsageError, match="none holds an odd object"):
        of_twins(ObjectPredictions(samples=samples, label=0 * label, score=alone, scene=number, **whole))


def test_two_objects_have_no_majority():
    with pytest.raises(RecipeError, match=r"odd is what differs from a majority.*a scene of 2 has none"):
        load_recipe(find_recipe("toysad_quickstart"), ["layout.objects={2: 1}"])
