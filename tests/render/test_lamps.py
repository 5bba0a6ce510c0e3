"""Lights of a station and backdrops, in both renderers."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image
from pydantic import ValidationError

from datagen.annotate.quality import Behind, check_picture, grey
from datagen.core.backdrop import Photo, Plain, Tiled
from datagen.core.camera import Camera
from datagen.core.errors import MissingDependency, RenderError, UsageError
from datagen.core.lamp import Backlight, Bar, Bulb, Dome, Ring
from datagen.core.material import Material, PartMaterial
from datagen.core.scene import Scene, SceneObject, ScenePart, Studio, View
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.rays import RayScene
from datagen.kinds.registry import load_recipe
from datagen.recipe.lamps import LampRecipe
from datagen.recipe.models import QueryRecipe
from datagen.render.backdrop import flat
from datagen.render.blender.client import BlenderProcess
from datagen.render.emitters import frame_of, radiance, surface
from datagen.render.fake import FakeRenderer
from datagen.render.raycast import cast_view
from datagen.scenes.lamps import lamps_of, refuse_inside, room_of
from datagen.scenes.lights import light_setups

RECIPE = load_recipe(None, ["render.samples=8", "render.ground_samples=4"])
SIZE = 96
LAMPS = (
    Ring(1.0, 2.0, 0.2, 1.0),
    Ring(0.8, 1.5, 0.2, 1.0, "camera"),
    Bar((2.0, 0.5, 1.5), (0.0, 0.0, 0.2), 1.0, 0.3, 1.0),
    Dome(3.0, 1.0),
    Bulb((-1.0, 1.0, 2.0), 0.1, 1.0),
)


def ball(radius=0.45):
    made = trimesh.creation.icosphere(4, radius)
    return Mesh(np.array(made.vertices), np.array(made.faces))


def job(lamps=(), room=1.0, backdrop=None, elevation=55.0, material=None, views=1):
    steel = material or Material("steel", "metal", base_color=(0.6, 0.6, 0.6), roughness=0.08, metallic=1.0)
    thing = SceneObject("ball", (ScenePart(1, ball(), PartMaterial(1, steel.material_id, "box")),))
    light = light_setups(RECIPE.light, 0)[0]
    shots = tuple(View(Camera(40.0 + 50 * k, elevation, 2.5, SIZE), light, backdrop=backdrop) for k in range(views))
    settings = RECIPE.render.model_dump(mode="json")
    return Scene((thing,), {steel.material_id: steel}, Studio(-0.45, tuple(lamps), room), shots, 0, settings)


MATT = Material("matt", "plastic", base_color=(0.3, 0.3, 0.3), mean_color=(0.3, 0.3, 0.3), roughness=0.9)


def silhouette(scene, k=0):
    return cast_view(RayScene([(1, ball())]), scene.views[k].camera)


@pytest.fixture(scope="module")
def cycles():
    process = BlenderProcess(threads=1)
    yield process
    process.close()


@pytest.mark.parametrize("lamp", LAMPS, ids=lambda lamp: type(lamp).__name__)
def test_a_lamp_of_strength_one_gives_unit_irradiance_to_what_faces_it(lamp):
    view = job().views[0]
    mesh = surface(lamp, 192).transformed(frame_of(lamp, view, 0.0))
    at = np.array(lamp.aim if isinstance(lamp, Bar) else (0.0, 0.0, 0.0))
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    across, way = np.cross(b - a, c - a) / 2, at - (a + b + c) / 3
    far = np.linalg.norm(way, axis=1)
    leaving = np.clip((across * way).sum(axis=1) / far, 0, None)
    # A dome is judged by a level surface, every other lamp by one that faces it.
    meeting = -way[:, 2] / far if isinstance(lamp, Dome) else 1.0
    assert radiance(lamp, 1.0, 1.0) * (leaving * meeting / far**2).sum() == pytest.approx(1.0, rel=0.03)


def test_a_bright_side_faces_the_object():
    view = job().views[0]
    for lamp in (*LAMPS, Backlight((1, 1), 1.0), Backlight((1, 1), 1.0, behind=1.0)):
        mesh = surface(lamp, 24).transformed(frame_of(lamp, view, -0.45))
        a, b, c = mesh.triangles.transpose(1, 0, 2)
        towards = (np.cross(b - a, c - a) * (np.array([0, 0, 0.0]) - a)).sum(axis=1)
        assert (towards > 0).all() if not isinstance(lamp, Bulb) else (towards > 0).any(), lamp


@pytest.mark.cycles
def test_a_ring_shows_as_a_ring_in_a_polished_ball(cycles):
    scene = job([Ring(1.2, 2.2, 0.25, 1.5, "camera")], 0.0)
    (picture,) = cycles.render(scene)
    level, frame = grey(picture), silhouette(scene)
    radius = np.sqrt(frame.silhouette.sum() / np.pi)
    far = np.hypot(*(np.mgrid[:SIZE, :SIZE] + 0.5 - SIZE / 2))
    rows, columns = np.nonzero((level > 200) & (far < 0.5 * radius))
    middle = np.array([rows.mean(), columns.mean()]) + 0.5
    assert np.abs(middle - SIZE / 2).max() < 1.5, "about the camera's axis"
    bright = far[rows, columns]
    assert len(bright) > 40 and bright.min() > 0.5 * bright.max(), "a ring, not a disc"
    assert level[SIZE // 2, SIZE // 2] < 120, "dark within the ring"


@pytest.mark.cycles
def test_lamps_give_the_same_bytes_again_and_each_view_its_own(cycles):
    """Several objects: taken out of the scene and put back they would come in another order, and other noise."""
    scene = job(LAMPS, 0.2, Plain((0.4, 0.5, 0.3)), views=2)
    (part,) = scene.objects[0].parts
    beside = [Mesh(0.4 * part.mesh.vertices + (x, 0.6, -0.25), part.mesh.faces) for x in (-0.6, 0.0, 0.6)]
    more = tuple(replace(part, part_id=k + 2, mesh=mesh) for k, mesh in enumerate(beside))
    scene = replace(scene, objects=(SceneObject("balls", (part, *more)),))
    first, again, fresh = cycles.render(scene), cycles.render(scene), BlenderProcess(threads=2)
    others = fresh.render(scene)
    alone = fresh.render(replace(scene, views=scene.views[1:]))
    fresh.close()
    for found in (again, others):
        assert all((a == b).all() for a, b in zip(first, found, strict=True))
    assert (alone[0] == first[1]).all()


@pytest.mark.cycles
def test_a_caught_shadow_is_soft_and_under_the_ball(cycles):
    color = (0.5, 0.55, 0.45)
    scene = job([Dome(3.0, 1.0)], 0.0, Plain(color), material=MATT)
    (picture,) = cycles.render(scene)
    frame = silhouette(scene)
    assert (
        check_picture(picture, frame, RECIPE.quality, Behind(255 * float(np.dot(color, (0.299, 0.587, 0.114))))) is None
    )
    ratio = grey(picture) / grey(np.full((1, 1, 3), color) * 255)
    below = scene.views[0].camera.project(np.array([[0.0, 0.0, -0.45]]))[0][0]
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    near = ~frame.silhouette & (np.hypot(columns - below[0], rows - below[1]) < 24)
    assert 0.3 < ratio[near].min() < 0.9 and np.abs(ratio[:6] - 1).max() < 0.03
    steps = np.abs(np.diff(ratio, axis=1))[:, :][~(frame.silhouette[:, 1:] | frame.silhouette[:, :-1])]
    assert np.percentile(steps, 99) < 0.06, "no hard edge"


@pytest.mark.parametrize("renderer", ["fake", pytest.param("cycles", marks=pytest.mark.cycles)])
@pytest.mark.parametrize("behind", [None, 1.0])
def test_a_backlight_makes_a_bright_ground_and_a_dark_part(renderer, behind, cycles):
    scene = job([Backlight((6.0, 6.0), 1.0, behind)], 0.05, Plain((0.1, 0.1, 0.1)), elevation=60.0, material=MATT)
    (picture,) = (FakeRenderer() if renderer == "fake" else cycles).render(scene)
    level, frame = grey(picture), silhouette(scene)
    assert level[~frame.silhouette].min() > 60 and np.percentile(level[~frame.silhouette], 10) > 240
    assert np.median(level[frame.silhouette]) < 70


def test_the_flat_renderer_lights_what_faces_the_lamp():
    low, high = (
        FakeRenderer().render(job([Bulb(place, 0.1, 1.0)], 0.0, material=MATT))[0]
        for place in ((3, 3, 0.3), (-3, 3, 0.3))
    )
    assert np.abs(low.astype(int) - high).max() > 40 and (low[0, 0] == 255).all()


def test_a_photo_lies_behind_as_it_is(tmp_path):
    noise = np.random.default_rng(0).integers(60, 200, (120, 160, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    photo = Photo(str(tmp_path / "a.png"), (10, 5), SIZE, True)
    (picture,) = FakeRenderer().render(job(backdrop=photo))
    assert (picture[:8] == noise[5:13, 10 : 10 + SIZE][:, ::-1]).all()
    with pytest.raises(MissingDependency, match=r"none\.png"):
        flat(Photo(str(tmp_path / "none.png"), (0, 0), 9), 8)


@pytest.mark.cycles
def test_views_of_one_scene_stand_on_one_floor(cycles):
    scene = job(views=2)
    views = (replace(scene.views[0], backdrop=Tiled("steel")), scene.views[1])
    with pytest.raises(RenderError, match="share one floor"):
        cycles.render(replace(scene, views=views))


def test_lights_are_in_millimetres_and_refused_by_key():
    lights = [LampRecipe.model_validate({"ring": {"radius_mm": 50, "height_mm": 100}})]
    assert lamps_of(lights, 0.01) == (Ring(0.5, 1.0, 0.1, 1.0),) and room_of(lights) == 0 and room_of(()) == 1
    for bad in (
        {},
        {"ring": {"radius_mm": -1, "height_mm": 10}},
        {"ring": {"radius_mm": 1, "height_mm": 1}, "dome": {"radius_mm": 1}},
        {"bar": {"position_mm": [0, 0, 0], "length_mm": 5}},
        {"backlight": {"size_mm": [1, 1], "place": "behind"}},
        {"lamp": {}},
    ):
        with pytest.raises(ValidationError):
            LampRecipe.model_validate(bad)


def test_a_light_below_the_table_is_refused_unless_there_is_none():
    point, bar = {"point": {"position_mm": [0, 0, -5]}}, {"bar": {"position_mm": [90, 0, -1], "length_mm": 50}}
    behind = {"backlight": {"size_mm": [200, 200], "place": "behind", "distance_mm": 200}}
    for low in (point, bar):
        with pytest.raises(ValidationError, match=r"query.lights.1: it stands below z = 0"):
            QueryRecipe.model_validate({"lights": [{"dome": {"radius_mm": 400}}, low]})
        QueryRecipe.model_validate({"lights": [behind, low]})


def test_a_light_inside_the_part_is_refused_by_name():
    cube = trimesh.creation.box((40, 40, 40))
    mesh = Mesh(np.array(cube.vertices), np.array(cube.faces))
    shape = replace(Shape("cube", "test", (Part(1, "cube", "cube", "Other", mesh),)).normalised(), source_mm=1.0)
    ring, point = {"ring": {"radius_mm": 60, "height_mm": 20}}, {"point": {"position_mm": [5, 0, 10]}}
    refuse_inside([LampRecipe.model_validate(ring)], shape)
    small = {"dome": {"radius_mm": 45}}, {"backlight": {"size_mm": [99, 99], "place": "behind", "distance_mm": 30}}
    for light in small:
        with pytest.raises(UsageError, match="cube reaches through it"):
            refuse_inside([LampRecipe.model_validate(light)], shape)
    with pytest.raises(UsageError, match=r"query.lights.1.point: it stands inside cube"):
        refuse_inside([LampRecipe.model_validate(light) for light in (ring, point)], shape)


@pytest.mark.cycles
@pytest.mark.parametrize("how", ["turn", "rougher", "tilt"])
def test_reflections_move_and_the_silhouette_does_not(how, cycles):
    base = job([Bar((2.0, 0.5, 2.0), (0.0, 0.0, 0.0), 1.0, 0.3, 1.5)], 0.1)
    steel = base.materials["steel"]
    moved = {
        "turn": replace(base, views=(replace(base.views[0], turn_deg=40.0),)),
        "rougher": replace(base, materials={"steel": replace(steel, rougher=0.2)}),
        "tilt": replace(base, materials={"steel": replace(steel, tilt_deg=(3.0, -3.0))}),
    }[how]
    before, after = (grey(cycles.render(one)[0]) for one in (base, moved))
    inside = silhouette(base).silhouette
    assert np.abs(before - after)[inside].max() > 60, "a highlight has gone elsewhere"
    if how != "turn":
        assert np.abs(before - after)[~inside].mean() < 1.0
