"""Presets of the recipe, the two passes and what they are measured with: no Blender in here."""

import numpy as np
import pytest

from datagen.bench.presets import Contender, cost_at, joined
from datagen.bench.quality import Judgement, gradient, object_psnr
from datagen.core.errors import RecipeError
from datagen.kinds.registry import load_recipe
from datagen.pipeline.run_ray import RenderSlots, render_slots
from datagen.recipe.loader import recipe_hash
from datagen.recipe.render import PRESETS


def test_a_preset_fills_in_what_the_recipe_leaves_out():
    draft = load_recipe(None, ["render.preset=draft"]).render
    assert draft.samples == PRESETS["draft"]["samples"]
    mixed = load_recipe(None, ["render.preset=draft", "render.samples=24"]).render
    assert mixed.samples == 24 and mixed.ground_samples == draft.ground_samples
    assert load_recipe(None).render.preset == "standard"


def test_presets_are_part_of_a_recipes_identity():
    hashes = {recipe_hash(load_recipe(None, [f"render.preset={name}"])) for name in PRESETS}
    assert len(hashes) == len(PRESETS)


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
