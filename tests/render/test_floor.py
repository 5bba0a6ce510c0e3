"""Objects on a floor in Blender: the picture shows what the rays say, bodies come to rest, bytes repeat."""

from dataclasses import replace

import numpy as np
import pytest

from datagen.core.material import Material
from datagen.core.scene import Floor, Scene, SceneObject, ScenePart, Sky, View
from datagen.core.shape import Skin
from datagen.recipe.scenes import SceneRenderRecipe
from datagen.render.blender.client import BlenderProcess
from datagen.render.caster import SceneCaster, floor_depth
from datagen.render.fake import FakeRenderer
from datagen.scenes.layout import camera_towards
from datagen.scenes.poses import Physics
from tests.conftest import box

SIZE = 64


def scene(samples=4):
    red = Material("red", "plastic", base_color=(0.7, 0.02, 0.02), mean_color=(0.7, 0.02, 0.02))
    grey = Material("grey", "stone", base_color=(0.3, 0.3, 0.3), mean_color=(0.3, 0.3, 0.3), roughness=0.9)
    mesh = box((0.2, 0.12, 0.16), (0.05, 0.1, 0.08))
    skin = Skin(("red",), np.zeros(12, dtype=int))
    block = SceneObject("object", (ScenePart(1, mesh, skin),))
    views = tuple(
        View(camera_towards(np.array(eye), np.array([0, 0, 0.05]), SIZE), Sky("courtyard"))
        for eye in ((0.7, 0.1, 0.4), (-0.3, 0.6, 0.38))
    )
    settings = SceneRenderRecipe.model_validate({"samples": samples, "denoiser": "none", "view_transform": "Standard"})
    settings = settings.model_dump(mode="json")
    return Scene((block,), {"red": red, "grey": grey}, Floor("grey"), views, settings=settings)


def reddish(picture):
    p = picture.astype(float)
    return p[..., 0] > 1.6 * p[..., 1] + 8


def test_depth_of_the_floor_is_exact_and_ends():
    camera = camera_towards(np.array([0.7, 0, 0.4]), np.array([0, 0, 0.03]), SIZE)
    depth = floor_depth(camera)
    assert (depth[-1] > 0).all() and (depth[0] == 0).all(), "the far edge of the floor is the horizon"
    K, T = camera.K, camera.extrinsic
    row, column = 50, 20
    ray = np.array([(column + 0.5 - K[0, 2]) / K[0, 0], (row + 0.5 - K[1, 2]) / K[1, 1], 1.0]) * depth[row, column]
    assert ((ray - T[:3, 3]) @ T[:3, :3])[2] == pytest.approx(0, abs=1e-12)
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1)


def test_the_fake_renderer_draws_what_the_rays_see():
    job = scene()
    for picture, view in zip(FakeRenderer().render(job), job.views, strict=True):
        seen = SceneCaster(job.objects).cast(view.camera)
        assert (reddish(picture) == (seen.object_index == 1)).all()


@pytest.mark.cycles
def test_cycles_draws_what_the_rays_see_and_repeats_its_bytes():
    job = scene()
    renderer = BlenderProcess(1)
    try:
        pictures = renderer.render(job)
        block = job.objects[0].parts[0].mesh
        (body,) = renderer.drop([(block.vertices - [0.05, 0.1, 0.08], block.faces)], [lifted()])
        again = renderer.render(replace(job, views=job.views[1:]))
    finally:
        renderer.close()
    assert isinstance(renderer, Physics)
    for picture, view in zip(pictures, job.views, strict=True):
        seen = SceneCaster(job.objects).cast(view.camera).object_index == 1
        # The floor near it reddens a little: the object's own pixels are what has to agree, and no mirror image does.
        shares = [(reddish(picture) & mask).sum() / mask.sum() for mask in (seen, seen[:, ::-1])]
        assert shares[0] > 0.85 and shares[0] > shares[1] + 0.1, "picture and masks show the object in one place"
    assert (again[0] == pictures[1]).all(), "a warm Blender draws what it drew before"
    assert abs(body[2, 2]) > 0.999 and body[2, 3] == pytest.approx(0.08, abs=0.004), "it lies flat on the floor"


def lifted():
    """Tilted by five degrees, two centimetres above the floor."""
    c, s = np.cos(np.radians(5)), np.sin(np.radians(5))
    return np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0.12], [0, 0, 0, 1]])
