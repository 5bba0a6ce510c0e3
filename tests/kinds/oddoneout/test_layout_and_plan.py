"""How objects lie, where they stand, what the plan deals."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from datagen.core.errors import RecipeError, UsageError
from datagen.core.rng import stream
from datagen.core.shape import Part, Shape
from datagen.formats.oddoneout import split_json
from datagen.kinds.oddoneout.arrange import is_shown, least_changed, shown_in_five
from datagen.kinds.oddoneout.figures import estimate
from datagen.kinds.oddoneout.plan import five_views
from datagen.kinds.registry import load_recipe, make_plan
from datagen.recipe.scenes import LayoutRecipe, OrbitRecipe
from datagen.scenes.framing import step_back
from datagen.scenes.layout import RestingBody, footprint, lay_out, metric_scale, orbit, outline_gap
from datagen.scenes.rest import all_points, snapped, stable_rotation, turn_between
from datagen.shapes.collections import open_collection
from tests.conftest import ROOT, box


def block(size=(1.0, 0.5, 0.3)):
    return Shape("block", "test", (Part(1, "block", "block", "Other", box(size)),))


@pytest.mark.parametrize("seed", range(6))
def test_a_block_comes_to_lie_on_a_face(seed):
    shape = block()
    towards = stream(seed, "turn").normal(size=3) * 0.2 + [0, 0, 1.0]
    start = stable_rotation(shape, turn_between(np.array([0.0, 0, 1]), towards / np.linalg.norm(towards)))
    up = np.abs(start[2])
    assert np.isclose(up.max(), 1, atol=1e-6), "one axis of the block points up"
    z = (all_points(shape) @ start.T)[:, 2]
    assert (np.abs(z - z.min()) < 1e-6).sum() == 4, "four corners touch the floor"


def test_a_simulated_tilt_is_taken_away_and_a_lean_is_kept():
    c, s = np.cos(np.radians(4)), np.sin(np.radians(4))
    tilted = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    assert np.allclose(snapped(block(), tilted), np.eye(3), atol=1e-9)
    c, s = np.cos(np.radians(40)), np.sin(np.radians(40))
    lean = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    assert np.allclose(snapped(block(), lean), lean)


@pytest.mark.parametrize("count", [3, 7, 12])
def test_footprints_keep_apart_and_all_touch_the_floor(count):
    recipe = LayoutRecipe()
    shape = block()
    bodies = [RestingBody(shape, np.eye(3), shape.centre) for _ in range(count)]
    rng = stream(1, "layout", count)
    scale = metric_scale(bodies, recipe, rng)
    assert 0.2 <= scale * 0.5 <= 0.205
    places = lay_out(bodies, scale, recipe, rng)
    clouds = [(scale * b.points()) @ p.matrix[:3, :3].T + p.location for b, p in zip(bodies, places, strict=True)]
    assert all(abs(cloud[:, 2].min()) < 1e-9 for cloud in clouds)
    rings = [footprint(cloud) for cloud in clouds]
    assert min(outline_gap(a, b) for k, a in enumerate(rings) for b in rings[k + 1 :]) >= recipe.gap_m
    low = np.min([c.min(axis=0) for c in clouds], axis=0)
    high = np.max([c.max(axis=0) for c in clouds], axis=0)
    cameras = orbit(np.stack([low, high]), count, np.array([0, 0, 0.03]), OrbitRecipe(), rng)
    eyes = np.array([camera.position for camera in cameras])
    assert len(cameras) == 20 and len({round(float(np.arctan2(y, x)), 6) for x, y, _ in eyes}) == 20
    assert (np.linalg.norm(eyes[:, :2], axis=1) > np.abs(np.stack([low, high])[:, :2]).max()).all()
    closed = orbit(np.stack([low, high]), count, np.zeros(3), OrbitRecipe(closed=True), rng)
    assert np.allclose(np.arctan2(*closed[0].position[:2]), np.arctan2(*closed[-1].position[:2]))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_views_holds_everything_whole(share):
    points = stream(4, "points").uniform([-0.6, -0.5, 0], [0.4, 0.7, 0.3], (200, 3))
    cameras = orbit(
        np.stack([points.min(axis=0), points.max(axis=0)]), 5, np.array([0, 0, 0.1]), OrbitRecipe(), stream(2)
    )
    back = step_back(cameras, points, share, stream(3, "whole"))

    def whole(camera):
        pixels, depth = camera.project(points)
        return (depth > 0).all() and pixels.min() >= 1 - 1e-6 and pixels.max() <= camera.size_px - 1 + 1e-6

    moved = [a != b for a, b in zip(cameras, back, strict=True)]
    assert sum(moved) <= np.ceil(share * len(cameras)) and sum(map(whole, back)) >= share * len(cameras)
    assert not all(map(whole, cameras)), "else it shows nothing"
    for before, after in zip(cameras, back, strict=True):
        assert replace(after, radius=before.radius) == before
        assert after.radius >= before.radius


def test_tall_objects_are_scaled_below_the_volume():
    tall = block((0.3, 0.3, 1.0))
    scale = metric_scale([RestingBody(tall, np.eye(3), tall.centre)], LayoutRecipe(), stream(0, "x"))
    assert scale * 1.0 == pytest.approx(0.32)


def plan(name, *sets, collection="toys"):
    return make_plan(load_recipe(ROOT / "recipes" / f"{name}.yaml", sets), open_collection(collection))


def test_the_full_recipes_hold_the_published_counts():
    toys = plan("toysad8k")
    assert Counter(scene.split for scene in toys.scenes) == {"train": 5000, "unseen-test": 2000, "seen-test": 1000}
    assert len(toys.chosen) == 1050
    recipe = toys.recipe.split
    assert (
        len(set(recipe.categories)) == 51 and len(recipe.unseen) == 12 and set(recipe.unseen) <= set(recipe.categories)
    )
    shown = {(scene.entry.shape_id, slot) for scene in toys.scenes for slot in toys.draw(scene).slots}
    assert sum(toys.pool(entry.shape_id) for entry in toys.chosen) == len(shown) == 2345
    parts = plan("partsad15k", collection="abc")
    assert Counter(scene.split for scene in parts.scenes) == {"train": 12000, "test": 3000}
    shown = {(scene.entry.shape_id, slot) for scene in parts.scenes for slot in parts.draw(scene).slots}
    assert sum(parts.pool(entry.shape_id) for entry in parts.chosen) == len(shown) == 10203


def test_odd_objects_are_dealt_uniformly_from_one_to_under_half():
    parts = plan("partsad15k", collection="abc")
    draws = [parts.draw(scene) for scene in parts.scenes]
    for objects in range(3, 13):
        found = Counter(len(draw.slots) for draw in draws if draw.objects == objects and draw.slots)
        most = (objects - 1) // 2
        assert set(found) == set(range(1, most + 1))
        expected = sum(found.values()) / most
        assert sum((n - expected) ** 2 / expected for n in found.values()) < 25, (objects, found)
    assert np.mean([len(set(draw.slots)) < len(draw.slots) for draw in draws]) < 0.16, "some stand twice"
    wider = plan("partsad15k", "anomaly.shapes=4", collection="abc")
    assert all(len(set(slots)) == len(slots) for slots in (wider.draw(scene).slots for scene in wider.scenes[:2000]))
    few = plan("partsad15k", "split.scenes={train: 8, test: 2}", "split.shapes=50", collection="abc")
    draws = {scene.name: few.draw(scene) for scene in few.scenes}
    limited = make_plan(few.recipe, few.source, 3)
    assert [limited.draw(scene) for scene in limited.scenes] == [draws[scene.name] for scene in limited.scenes]


def test_plans_deal_minorities_and_leak_no_shape():
    parts = plan("partsad15k", "split.scenes={train: 400, test: 100}", "split.shapes=120", collection="abc")
    draws = [parts.draw(scene) for scene in parts.scenes]
    assert all(2 * len(draw.slots) < draw.objects and 3 <= draw.objects <= 12 for draw in draws)
    assert np.mean([not draw.slots for draw in draws]) == pytest.approx(0.1, abs=0.05)
    sides = {}
    for scene in parts.scenes:
        assert sides.setdefault(scene.entry.shape_id, scene.split) == scene.split
    study = parts.by_count()
    assert set(study) == {"train-3-7", "train-8-12", "test-3-7", "test-8-12"}
    assert sum(map(len, study.values())) == 500
    assert all("-" not in scene.name.split("-")[0] for scene in parts.scenes)
    limited = make_plan(parts.recipe, parts.source, 50)
    assert list(limited.jobs()) == list(parts.jobs())[:50]


def test_a_split_without_a_shape_is_said(tmp_path):
    """One shape a category: it is in training or in test."""
    for category in ("cup", "bowl", "plate"):
        (tmp_path / category / f"{category}_001").mkdir(parents=True)
        mesh = trimesh.creation.box((0.1, 0.1, 0.05 + 0.01 * len(category)))
        mesh.export(tmp_path / category / f"{category}_001" / "mesh.obj")
    plan = make_plan(
        load_recipe(ROOT / "recipes/toysad_quickstart.yaml"), open_collection(str(tmp_path), textured=True)
    )
    assert len(plan.members["seen-test"]) == 0
    (note,) = plan.notes
    assert note.startswith("no shape is left for seen-test: none of its scenes (1) is made")
    # The published loader ends at a split without scenes.
    told = json.loads(split_json(plan.by_split()))
    assert "seen-test" not in told and told and all(told.values())
    built_in = make_plan(load_recipe(ROOT / "recipes/toysad8k.yaml"), open_collection("toys", textured=True))
    assert built_in.notes == ()


def test_five_views_are_disjoint_and_spread():
    a, b = five_views(20)
    assert a == [0, 4, 8, 12, 16] and b == [2, 6, 10, 14, 18]


def test_weights_of_kinds_have_no_upper_limit():
    found = plan("toysad_quickstart", "anomaly.kinds={fracture: 30, bump: 10}", "anomaly.shapes=3")
    first = [found.kinds(f"shape{k}", 0)[0] for k in range(400)]
    assert 270 < first.count("fracture") < 330


def test_wrong_recipes_say_what_is_wrong():
    with pytest.raises(RecipeError, match="unknown anomaly kind 'dent'"):
        load_recipe(ROOT / "recipes" / "toysad8k.yaml", ["anomaly.kinds={dent: 1}"])
    with pytest.raises(RecipeError, match="kinds of recipe are brokenchairs, oddoneout"):
        load_recipe(None, ["kind=chairs"])
    with pytest.raises(RecipeError, match="objects dropped together lie as they fall"):
        load_recipe(ROOT / "recipes" / "toysad8k.yaml", ["layout.poses=shared", "layout.joint_drop=true"])
    with pytest.raises(RecipeError, match="no split is called 'val'"):
        load_recipe(ROOT / "recipes" / "toysad8k.yaml", ["split.scenes={val: 3}"])
    with pytest.raises(UsageError, match=r"split\.categories"):
        _ = plan("toysad_quickstart", "split.categories=[unicorn]").scenes
    json.dumps(load_recipe(ROOT / "recipes" / "partsad15k.yaml").model_dump(mode="json"))


def test_an_anomaly_has_to_show_in_views_enough_and_in_both_sets_of_five():
    recipe = load_recipe(ROOT / "recipes/toysad8k.yaml")
    first, second = five_views(20)
    least = least_changed(recipe)

    def changed(*views):
        return [least if v in views else least - 1 for v in range(20)]

    assert is_shown(changed(*range(20)), recipe)
    assert not is_shown(changed(*range(5)), recipe), "5 of 20"
    assert not is_shown(changed(*(v for v in range(20) if v not in second)), recipe), "none of the second set"
    assert is_shown(changed(first[0], second[0], *[v for v in range(20) if v not in (*first, *second)][:4]), recipe)
    assert shown_in_five(6, 20) == pytest.approx(0.8709, abs=1e-4)
    assert shown_in_five(0, 20) == 0 and shown_in_five(16, 20) == 1


def test_the_dry_run_counts_samples_denoiser_and_size():
    def hours(*sets):
        return estimate(plan("toysad8k", "split.scenes={train: 100}", *sets), "cycles")["cpu_hours"]

    assert hours() == pytest.approx((2000 * (64 * 0.155 + 0.1 + 1.2) + 300) / 3600, abs=0.01)
    assert hours("render.prefilter=fast") < hours() and hours("render.denoiser=none") < hours("render.prefilter=fast")
    assert hours("camera.size_px=512") > 3.5 * hours()
