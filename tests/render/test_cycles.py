"""The real path: a few Cycles renders at low samples."""

from dataclasses import replace

import numpy as np
import pytest

from datagen.annotate.quality import check_picture, grey
from datagen.core.errors import MissingDependency, RenderError
from datagen.core.material import Material, PartMaterial
from datagen.core.rng import stream
from datagen.core.scene import Scene, SceneObject, ScenePart, Studio, View
from datagen.geometry.rays import RayScene
from datagen.kinds.registry import load_recipe
from datagen.render.blender.client import BlenderProcess
from datagen.render.raycast import cast_view
from datagen.scenes.cameras import query_cameras, query_transform
from datagen.scenes.lights import light_setups

pytestmark = pytest.mark.cycles
RECIPE = load_recipe(None, ["render.samples=4"])


def chair_job(shape, seed=0, views=1, device="cpu"):
    placed = shape.transformed(query_transform(shape, RECIPE.query))
    materials = {
        "wood": Material("wood", "wood", base_color=(0.3, 0.17, 0.08)),
        "cloth": Material("cloth", "fabric", base_color=(0.05, 0.12, 0.3), roughness=0.9),
    }
    parts = tuple(
        ScenePart(p.part_id, p.mesh, PartMaterial(p.part_id, "wood" if p.part_class == "Leg" else "cloth", way))
        for p, way in zip(placed.parts, ["box", "smart"] * 3, strict=True)
    )
    cameras = query_cameras(RECIPE.query, stream(seed, "camera"))[:views]
    lights = light_setups(RECIPE.light, 0)
    shots = tuple(View(camera, lights[(seed + k) % len(lights)]) for k, camera in enumerate(cameras))
    settings = {**RECIPE.render.model_dump(mode="json"), "device": device}
    ground = Studio(float(placed.bounds[0, 2]))
    return Scene((SceneObject("chair", parts),), materials, ground, shots, 0, settings)


@pytest.fixture(scope="module")
def warm(plain_chair):
    """A Blender that has rendered 49 other scenes before."""
    process = BlenderProcess(threads=1)
    for seed in range(49):
        job = chair_job(plain_chair, seed)
        small = replace(job.views[0], camera=replace(job.views[0].camera, size_px=32))
        process.render(replace(job, views=(small,)))
    yield process
    process.close()


def test_warm_and_fresh_blenders_write_the_same_bytes(warm, plain_chair):
    job = chair_job(plain_chair, 7, views=3)
    job = replace(job, settings={**job.settings, "samples": 16})  # enough for pixels to stop early
    fresh = BlenderProcess(threads=2)
    a, b = warm.render(job), fresh.render(job)
    fresh.close()
    assert len(a) == 3
    for x, y in zip(a, b, strict=True):
        assert x.shape == (256, 256, 3) and x.dtype == np.uint8
        assert (x == y).all()


def test_a_view_does_not_depend_on_the_views_before_it(warm, plain_chair):
    job = chair_job(plain_chair, 7, views=3)
    assert (warm.render(job)[2] == warm.render(replace(job, views=job.views[2:]))[0]).all()


def test_every_light_gives_a_white_ground_and_a_lit_chair(warm, plain_chair):
    for seed in range(8):
        job = chair_job(plain_chair, seed)
        (picture,) = warm.render(job)
        frame = cast_view(RayScene([(p.part_id, p.mesh) for p in job.objects[0].parts]), job.views[0].camera)
        assert check_picture(picture, frame, RECIPE.quality) is None, seed
        assert grey(picture)[frame.silhouette].mean() < 200


def test_the_lowest_view_sees_no_horizon(warm, plain_chair):
    """At elevation 20 the top row looks 0.2 degrees below level: the floor has to reach that far."""
    job = chair_job(plain_chair, 4)
    low = replace(job.views[0], camera=replace(job.views[0].camera, elevation_deg=20.0))
    (picture,) = warm.render(replace(job, views=(low,)))
    assert grey(picture)[:6].min() > 230


def test_pixels_agree_with_the_ray_cast(warm, plain_chair):
    """The silhouette of the picture is that of the ray cast: same camera, same axes, nothing mirrored."""
    job = chair_job(plain_chair, 11)
    (picture,) = warm.render(job)
    frame = cast_view(RayScene([(p.part_id, p.mesh) for p in job.objects[0].parts]), job.views[0].camera)
    dark = grey(picture) < 170
    assert (dark & frame.silhouette).sum() / frame.silhouette.sum() > 0.8
    assert (dark & ~frame.silhouette).sum() / dark.sum() < 0.06


def test_two_passes_show_what_one_pass_shows(warm, plain_chair):
    """The object over its ground is the same picture: same outline, same shadow, nothing displaced."""
    job = chair_job(plain_chair, 5)
    view = replace(job.views[0], camera=replace(job.views[0].camera, size_px=97))
    shown = {**job.settings, "denoiser": "none", "samples": 48}
    two = replace(job, views=(view,), settings={**shown, "ground_samples": 48})
    one = replace(two, settings={**shown, "ground_samples": 0})
    (a,), (b,) = warm.render(two), warm.render(one)
    assert a.shape == b.shape == (97, 97, 3)
    difference = a.astype(float) - b
    assert np.sqrt((difference**2).mean()) < 5
    blocks = difference[:96, :96].reshape(8, 12, 8, 12, 3).mean(axis=(1, 3))
    assert np.abs(blocks).max() < 4


def test_pixels_that_stop_early_do_not_show(warm, plain_chair):
    """The preset's adaptive sampling takes fewer samples beside the object, of a picture that stays the same."""
    job = chair_job(plain_chair, 6)
    view = replace(job.views[0], camera=replace(job.views[0].camera, size_px=96))
    job = replace(job, views=(view,), settings={**job.settings, "samples": 32})
    every = replace(job, settings={**job.settings, "adaptive_threshold": 0.0})
    (a,), (b,), (again,) = warm.render(job), warm.render(every), warm.render(job)
    assert np.array_equal(a, again)
    assert np.abs(a.astype(int) - b).max() <= 1


def test_an_absent_device_is_named(warm, plain_chair):
    with pytest.raises(MissingDependency, match="the recipe asks for"):
        warm.render(chair_job(plain_chair, device="optix"))


@pytest.mark.parametrize("buried", [False, True], ids=["dying", "dead"])
def test_a_dead_blender_is_an_error_and_then_renewed(plain_chair, buried):
    process = BlenderProcess(threads=1)
    process.versions()
    process._process.kill()
    if buried:  # then its pipe is closed before the job is written
        process._process.wait()
    with pytest.raises(RenderError, match="ended with status"):
        process.render(chair_job(plain_chair))
    assert process.render(chair_job(plain_chair))[0].shape == (256, 256, 3)
    process.close()


def test_tint_and_wear_show(warm, plain_chair):
    """A tint takes its channel away, with a map or without; worn patches are greyer than the rest."""
    job = chair_job(plain_chair, 5)
    frame = cast_view(RayScene([(p.part_id, p.mesh) for p in job.objects[0].parts]), job.views[0].camera)

    def colour(**changes):
        worn = {name: replace(material, **changes) for name, material in job.materials.items()}
        return warm.render(replace(job, materials=worn))[0][frame.silhouette].astype(float)

    plain, tinted, worn = colour(), colour(tint=(1.0, 1.0, 0.3)), colour(wear=1.0)
    assert tinted[:, 2].mean() < 0.75 * plain[:, 2].mean()
    assert abs(tinted[:, 0].mean() - plain[:, 0].mean()) < 8
    chroma = [np.ptp(pixels, axis=1) for pixels in (plain, worn)]
    assert chroma[1].mean() < 0.9 * chroma[0].mean()
    assert (colour(tint=(1.0, 1.0, 1.0), wear=0.0) == plain).all()
