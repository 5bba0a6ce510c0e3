"""Presets of the recipe, the two passes and what they are measured with: no Blender in here."""

from dataclasses import replace

import numpy as np
import pytest

from datagen.bench import references
from datagen.bench.presets import Contender, cost_at, joined, net_of_noise
from datagen.bench.quality import Judgement, gradient, judge, object_psnr
from datagen.bench.targets import Target
from datagen.core.errors import RecipeError
from datagen.core.scene import Floor, Scene, Sky, View
from datagen.kinds.oddoneout.bench.pictures import CONVERGED, presets
from datagen.kinds.registry import load_recipe
from datagen.pipeline.run_ray import RenderSlots, render_slots
from datagen.recipe.loader import find_recipe, recipe_hash
from datagen.recipe.render import PRESETS
from datagen.recipe.scenes import SCENE_PRESETS
from datagen.scenes.layout import camera_towards


def test_a_preset_fills_in_what_the_recipe_leaves_out():
    draft = load_recipe(None, ["render.preset=draft"]).render
    assert draft.samples == PRESETS["draft"]["samples"]
    mixed = load_recipe(None, ["render.preset=draft", "render.samples=24"]).render
    assert mixed.samples == 24 and mixed.ground_samples == draft.ground_samples
    assert load_recipe(None).render.preset == "standard"


def test_presets_are_part_of_a_recipes_identity():
    hashes = {recipe_hash(load_recipe(None, [f"render.preset={name}"])) for name in PRESETS}
    assert len(hashes) == len(PRESETS)


def test_presets_of_scenes_fill_in_what_the_recipe_leaves_out():
    scenes = find_recipe("toysad8k")
    plain, draft = (load_recipe(scenes, sets).render for sets in ([], ["render.preset=draft"]))
    assert (plain.preset, plain.samples, plain.min_samples) == ("standard", 64, 16)
    assert draft.samples == SCENE_PRESETS["draft"]["samples"]
    mixed = load_recipe(scenes, ["render.preset=draft", "render.samples=24"]).render
    assert (mixed.samples, mixed.min_samples) == (24, draft.min_samples)
    assert load_recipe(find_recipe("toysad_quickstart")).render.preset == "draft"
    assert [settings["samples"] for settings in presets().values()] == [p["samples"] for p in SCENE_PRESETS.values()]
    with pytest.raises(RecipeError, match=r"render\.preset"):
        load_recipe(scenes, ["render.preset=fast"])


class Grey:
    """Renders a grey ramp and remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def versions(self):
        return {"blender": "none"}

    def render(self, job):
        self.asked.append(job)
        return [np.full((16, 16, 3), 100, np.uint8)]


def test_a_converged_scene_is_whole_and_is_rendered_once(tmp_path, monkeypatch):
    monkeypatch.setattr(references, "folder", lambda: tmp_path)
    body = np.zeros((16, 16), bool)
    body[6:9, 6:9] = True
    view = View(camera_towards(np.array([0.7, 0.1, 0.4]), np.zeros(3), 16), Sky("courtyard"))
    job = Scene((), {}, Floor("grey"), (), settings=presets()["draft"])
    target = Target(view, body, body, whole=True)
    renderer = Grey()
    pictures = [references.reference(job, target, renderer, CONVERGED) for _ in range(2)]
    (asked,) = renderer.asked
    assert asked.settings["samples"] == 512 and asked.settings["denoiser"] == "none" and asked.views == (view,)
    assert "border_px" not in asked.settings and np.array_equal(*pictures)
    # What only changes the way there is no new picture; what shows is one.
    references.reference(replace(job, settings=presets()["paper"]), target, renderer, CONVERGED)
    assert len(renderer.asked) == 1
    references.reference(replace(job, settings={**job.settings, "view_transform": "AgX"}), target, renderer, CONVERGED)
    references.reference(job, replace(target, whole=False), renderer, CONVERGED)
    assert len(renderer.asked) == 3 and renderer.asked[2].settings["border_px"] == (0, 0, 16, 16)
    noisy = pictures[0].copy()
    noisy[0, 0] = 90
    found = judge(noisy, pictures[0], target, "bump")
    assert found.psnr_db == 99.0 and found.whole_db == pytest.approx(20 * np.log10(255 / (10 / 16)), abs=1e-6)
    assert judge(noisy, pictures[0], replace(target, whole=False), "bump").whole_db is None


def test_what_workers_measured_is_put_together():
    parts = [
        Contender([1.0, 3.0], [Judgement("broken", 40.0, 1.0)]),
        Contender([5.0], [Judgement("missing", 30.0, 0.5)]),
    ]
    figures = joined(parts).figures()
    assert figures["images"] == 2 and figures["cpu_s_per_image"] == 3 and figures["psnr_db"] == 35
    assert figures["gradient_broken_mean"] == 1


@pytest.mark.parametrize("wrong", ["render.preset=fast", "render.device=gpu", "render.ground_reduction=0"])
def test_unknown_values_are_named(wrong):
    with pytest.raises(RecipeError, match=wrong.split("=")[0].replace(".", r"\.")):
        load_recipe(None, [wrong])


@pytest.mark.parametrize("name", ["CUDA", "cuda", "auto", "Metal"])
def test_devices_in_any_case(name):
    assert load_recipe(None, [f"render.device={name}"]).render.device == name.lower()


@pytest.mark.parametrize(
    ("device", "cpus", "gpus", "expected"),
    [
        ("cpu", 8, 4, RenderSlots(8, 0)),
        ("auto", 8, 0, RenderSlots(8, 0)),
        ("auto", 8, 2, RenderSlots(2, 1)),
        ("optix", 8, 4, RenderSlots(4, 1)),
        ("cuda", 2, 4, RenderSlots(2, 1)),
        ("metal", 8, 0, RenderSlots(1, 0)),
    ],
)
def test_one_render_worker_a_gpu(device, cpus, gpus, expected):
    assert render_slots(device, cpus, gpus) == expected


def test_figures_of_quality():
    picture = np.zeros((8, 8, 3), np.uint8)
    other = picture + np.uint8(5)
    everywhere = np.ones((8, 8), bool)
    assert object_psnr(picture, picture, everywhere) == 99.0
    assert object_psnr(picture, other, everywhere) == pytest.approx(20 * np.log10(255 / 5))
    ramp = np.repeat(np.arange(0, 80, 10, dtype=np.uint8)[None, :, None], 8, axis=0).repeat(3, axis=2)
    assert gradient(ramp, everywhere) == pytest.approx(10.0)
    assert cost_at([(30.0, 1.0), (40.0, 4.0)], 35.0) == pytest.approx(2.0)


def test_noise_of_the_converged_pictures_is_taken_off(monkeypatch):
    """Squared errors add: of a preset's 3e-4 beside a picture with 1e-4 of noise 2e-4 are its own."""

    def contender(square):
        return Contender([1.0], [Judgement("bend", -10 * np.log10(square), 1.0)])

    def measured(objects, chosen, converged):
        assert chosen["again"] == {"samples": 512, "bounces": 3}
        return {"good": contender(1.05e-4), "poor": contender(3e-4), "again": contender(2e-4)}

    monkeypatch.setattr("datagen.bench.presets._compare", measured)
    presets = {"good": {"samples": 4, "bounces": 3}, "poor": {"samples": 1, "bounces": 3}}
    found = net_of_noise([None], presets, 1, {"samples": 512})
    assert found["noise"]["psnr_db"] == pytest.approx(40.0)
    assert found["poor"]["psnr_db"] == pytest.approx(-10 * np.log10(2e-4))
    assert found["good"]["psnr_db"] == pytest.approx(50.0)  # no more is told than ten times below the noise
