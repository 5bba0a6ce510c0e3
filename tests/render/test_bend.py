"""Pictures through lenses: where points of a mesh are projected to, seen by rays, and rendered."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from datagen.annotate.quality import grey
from datagen.core.backdrop import Plain
from datagen.core.camera import Camera
from datagen.core.colour import linear_from_srgb
from datagen.core.errors import UsageError
from datagen.core.lens import CutoutLens, Lens, lens_data, lens_of
from datagen.core.material import Material, PartMaterial
from datagen.core.scene import Scene, SceneObject, ScenePart, Studio, View
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.rays import RayScene
from datagen.kinds.registry import load_recipe
from datagen.recipe.models import QueryRecipe
from datagen.recipe.station import StationRecipe
from datagen.render.bend import bent, straight
from datagen.render.blender.client import BlenderProcess
from datagen.render.fake import FakeRenderer
from datagen.render.raycast import cast_view
from datagen.scenes.cameras import cameras_about
from datagen.scenes.lights import light_setups
from datagen.scenes.station import station_cameras, station_views

RECIPE = load_recipe(None, ["render.samples=64", "render.ground_samples=8"])
BARREL = Lens(k1=-0.45, k2=0.1, p1=0.01, p2=-0.015)
PINCUSHION = Lens(k1=0.5, p2=0.02)
TURNED = CutoutLens(
    Lens(k1=-0.4, k2=0.12, p1=0.004),
    tuple(np.round(trimesh.transformations.euler_matrix(0.12, -0.2, 0.3)[:3, :3], 9).ravel().tolist()),
)
LENSES = pytest.mark.parametrize("lens", [BARREL, PINCUSHION, TURNED], ids=["barrel", "pincushion", "turned"])
SIZE = 160
BEADS = np.array([(x, y, 0.02) for x in (-0.5, 0.0, 0.5) for y in (-0.5, 0.0, 0.5)])


def scene(lens, material=None):
    black = material or Material("black", "plastic", base_color=(0.01,) * 3, mean_color=(0.01,) * 3, roughness=0.9)
    made = trimesh.creation.icosphere(3, 0.05)
    meshes = [Mesh(np.array(made.vertices) + bead, np.array(made.faces)) for bead in BEADS]
    parts = tuple(ScenePart(k + 1, mesh, PartMaterial(k + 1, "black", "box")) for k, mesh in enumerate(meshes))
    camera = Camera(25.0, 62.0, 2.5, SIZE, lens=lens)
    view = View(camera, light_setups(RECIPE.light, 0)[0], backdrop=Plain((1.0, 1.0, 1.0)))
    settings = RECIPE.render.model_dump(mode="json")
    return Scene((SceneObject("beads", parts),), {"black": black}, Studio(-1.0), (view,), 0, settings)


def centres(weight, around):
    """Centroid (column, row) of a picture's weight about each place (N, 2)."""
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    found = []
    for x, y in around:
        near = weight * (np.hypot(columns - x, rows - y) < 11)
        found.append(((near * columns).sum() / near.sum(), (near * rows).sum() / near.sum()))
    return np.array(found)


def darkness(picture):
    """How much of a pixel a bead covers: its lit side, up to a tenth of white, counts as the other does."""
    return np.clip((0.95 - linear_from_srgb(grey(picture) / 255)) / 0.85, 0, 1)


def bead_pixels(camera):
    """Where a bead's outline is seen: the mean of its projected surface (N, 2)."""
    found = []
    for bead in BEADS:
        way = camera.position - bead
        far = np.linalg.norm(way)
        # The circle in which rays from the camera touch the ball: its picture's outline.
        up = np.cross(way, (0.0, 0.0, 1.0)) / np.linalg.norm(np.cross(way, (0.0, 0.0, 1.0)))
        turns = np.linspace(0, 2 * np.pi, 200, endpoint=False)[:, None]
        ring = np.cos(turns) * up + np.sin(turns) * np.cross(way / far, up)
        rim = bead + way / far * 0.05**2 / far + ring * 0.05 * np.sqrt(1 - (0.05 / far) ** 2)
        outline = camera.project(rim)[0]
        x, y = outline.T
        x2, y2 = np.roll(outline, -1, axis=0).T
        cross = x * y2 - x2 * y
        found.append(np.array([((x + x2) * cross).sum(), ((y + y2) * cross).sum()]) / (3 * cross.sum()))
    return np.array(found)


@LENSES
def test_rays_and_projections_are_inverse_to_each_other(lens):
    camera = Camera(25.0, 40.0, 2.5, SIZE, lens=lens)
    pixels = np.random.default_rng(0).uniform(0, SIZE, (200, 2))
    rays = camera.directions(pixels) @ camera.T_world_camera[:3, :3].T
    again, depth = camera.project(camera.position + 2.2 * rays)
    assert np.abs(again - pixels).max() < 1e-6 and np.abs(depth - 2.2).max() < 1e-9
    assert lens_of(lens_data(lens)) == lens and not lens_data(Lens())
    middle = camera.project(np.zeros((1, 3)))[0][0]
    assert np.abs(middle - SIZE / 2).max() < 1e-9, "a cut-out is about the middle"


@LENSES
def test_masks_and_depth_are_where_points_are_projected_to(lens):
    job = scene(lens)
    camera = job.views[0].camera
    fine = replace(camera, size_px=4 * SIZE)
    frame = cast_view(RayScene([(p.part_id, p.mesh) for p in job.objects[0].parts]), fine)
    wanted = bead_pixels(fine)
    for k, place in enumerate(wanted):
        rows, columns = np.nonzero(frame.part_id == k + 1)
        # Of four times as many pixels: a tenth of a pixel of the picture.
        assert np.abs((columns.mean() + 0.5, rows.mean() + 0.5) - place).max() < 0.4
    moved = np.abs(bead_pixels(camera) - bead_pixels(replace(camera, lens=Lens())))
    assert moved.max() > 2, "the lens moves what is away from the middle"
    (row, column), (x, y) = np.round(wanted[4][::-1] - 0.5).astype(int), wanted[4]
    hit = fine.position + frame.depth[row, column] * (
        fine.directions(np.array([[x, y]])) @ fine.T_world_camera[:3, :3].T
    )
    assert np.linalg.norm(hit - BEADS[4]) == pytest.approx(0.05, abs=2e-3)


@pytest.fixture(scope="module")
def cycles():
    process = BlenderProcess(threads=1)
    yield process
    process.close()


@pytest.mark.cycles
@pytest.mark.parametrize("lens", [Lens(), BARREL, PINCUSHION, TURNED], ids=["none", "barrel", "pincushion", "turned"])
def test_cycles_shows_points_where_they_are_projected_to(lens, cycles):
    job = scene(lens)
    (picture,) = cycles.render(job)
    wanted = bead_pixels(job.views[0].camera)
    found = centres(darkness(picture), wanted)
    assert picture.shape == (SIZE, SIZE, 3) and np.abs(found - wanted).max() < 0.05
    plain = (replace(job.views[0], backdrop=None),)
    (white,) = cycles.render(replace(job, views=plain))
    found = centres(darkness(white), wanted)
    assert np.abs(found - wanted).max() < 0.05
    whole = {**job.settings, "ground_samples": 0}
    (one_pass,) = cycles.render(replace(job, views=plain, settings=whole))
    found = centres(darkness(one_pass), wanted)
    assert np.abs(found - wanted).max() < 0.06


@pytest.mark.cycles
@pytest.mark.parametrize("size", [99, 118, 121, 131, 150, 158])
def test_frames_of_any_size_are_cropped_to_the_pixel(size, cycles):
    """Sizes at which single precision cuts off a border's pixel: pictures came out a row too large."""
    job = scene(BARREL)
    view = replace(job.views[0], camera=replace(job.views[0].camera, size_px=size, elevation_deg=20.0 + size / 3))
    few = {**job.settings, "samples": 1, "ground_samples": 1}
    (picture,) = cycles.render(replace(job, views=(view,), settings=few))
    assert picture.shape == (size, size, 3)


@LENSES
def test_the_flat_renderer_shows_them_there_too(lens):
    job = scene(lens)
    (picture,) = FakeRenderer().render(job)
    wanted = bead_pixels(job.views[0].camera)
    assert np.abs(centres((grey(picture) < 128).astype(float), wanted) - wanted).max() < 0.35


def test_a_straight_camera_is_left_alone_and_a_bent_one_is_seen_whole():
    camera = Camera(25.0, 40.0, 2.5, SIZE)
    assert straight(camera) is camera and bent(np.ones((SIZE, SIZE, 1)), camera).all()
    wide = straight(replace(camera, lens=BARREL))
    assert wide.lens.is_straight and wide.size_px > 1.25 * SIZE
    flat = bent(np.full((wide.size_px, wide.size_px, 3), 0.4), replace(camera, lens=BARREL))
    assert flat.shape == (SIZE, SIZE, 3) and np.abs(flat - 0.4).max() < 1e-9
    with pytest.raises(UsageError, match="folds"):
        straight(replace(camera, lens=Lens(k1=-9.0)))


def test_a_cut_out_shows_what_the_station_s_own_camera_shows():
    """Offsets from the part's middle in the whole picture and in the cut-out differ by a rotation and a scale."""
    station = StationRecipe.model_validate(
        {
            "size_px": [800, 600],
            "focal_px": 900,
            "lens": {"k1": -0.2, "k2": 0.05, "p1": 0.003, "p2": 0.001},
            "cameras": [
                {"name": "off", "position_mm": [260, 40, 190], "look_at_mm": [0, 35, 10], "up": [0.1, 0.2, 1]},
                {"name": "on", "position_mm": [0, -250, 160], "look_at_mm": [0, 0, 20]},
            ],
        }
    )
    cube = trimesh.creation.box((60, 50, 40))
    shape = replace(
        Shape(
            "cube", "t", (Part(1, "c", "c", "Other", Mesh(np.array(cube.vertices), np.array(cube.faces))),)
        ).normalised(),
        source_mm=1.0,
    )
    recipe = QueryRecipe(station=station, size_px=256)
    rng = np.random.default_rng(1)
    order = np.random.default_rng(1).permutation(2)
    cameras = cameras_about(shape, recipe, rng)
    points_mm = np.random.default_rng(2).uniform(-20, 20, (40, 3)) + np.array([0, 0, 20])
    scene_points = (points_mm - (0, 0, 20)) * shape.mm * recipe.scale
    for k, camera in zip(order, cameras, strict=True):
        own = station_cameras(station, (0, 0, 20))[k]
        a = own.project(points_mm)[0] - own.project(np.array([[0, 0, 20.0]]))[0]
        b = camera.project(scene_points)[0] - 128
        # Complex numbers: one factor is a rotation and a scale.
        za, zb = a @ [1, 1j], b @ [1, 1j]
        factor = (zb * za.conj()).sum() / (abs(za) ** 2).sum()
        assert np.abs(zb - factor * za).max() < 0.03
        lens = station_views(station, shape)[k].lens
        assert isinstance(lens, CutoutLens) == (own.name == "off")
