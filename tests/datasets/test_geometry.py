"""Patch positions and view-view correspondences from depth and pose, against ray-cast truth."""

import numpy as np
import pytest

from datagen.core.camera import Camera
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.datasets.geometry import (
    ViewGeometry,
    back_project,
    corresponding_patches,
    patch_pixels,
    patch_positions,
    seen_at,
)
from datagen.datasets.views import Tracks, regridded, tracked_patches
from datagen.formats.cameras import published_pose
from datagen.geometry.rays import RayScene
from datagen.recipe.models import ReferenceRecipe
from datagen.render.raycast import cast_view
from datagen.scenes.cameras import reference_cameras, reference_transform
from datagen.shapes.collections import open_collection

GRID = 32


def scene_of(shape):
    placed = shape.transformed(reference_transform(shape))
    scene = RayScene([(part.part_id, part.mesh) for part in placed.parts])
    cameras = [camera for _, camera in reference_cameras(ReferenceRecipe())]
    views = [ViewGeometry(cast_view(scene, c).depth.astype(np.float32), c.K, published_pose(c)) for c in cameras]
    return scene, cameras, views


@pytest.fixture(scope="module", params=["plain", "procedural"])
def world(request, plain_chair):
    if request.param == "plain":
        return scene_of(plain_chair)
    source = open_collection("partnet/chair")
    return scene_of(source.load(source.entries()[2].shape_id).normalised())


def inside(points):
    return points @ T_INSIDE_FROM_PUBLISHED[:3, :3].T


def truth(scene, camera: Camera, points):
    """Patch (P,) that shows each point by exact projection and ray casting; -1 where it is hidden or outside."""
    pixel, _ = camera.project(points)
    cell = np.floor(pixel / (camera.size_px / GRID)).astype(int)
    framed = ((cell >= 0) & (cell < GRID)).all(axis=1)
    seen = scene.visible(points, camera.position, tolerance=2e-3)
    return np.where(framed & seen, cell[:, 1] * GRID + cell[:, 0], -1)


def test_positions_lie_on_the_surface_inside_their_patch(world):
    scene, cameras, views = world
    for camera, view in list(zip(cameras, views, strict=True))[::5]:
        xyz = patch_positions(view, GRID)
        known = np.isfinite(xyz).all(axis=1)
        has_depth = (view.depth.reshape(GRID, 8, GRID, 8) > 0).any(axis=(1, 3)).ravel()
        assert (known == has_depth).all() and known.any()
        points = inside(xyz[known])
        assert (truth(scene, camera, points) == np.flatnonzero(known)).mean() > 0.99
        rays = points - camera.position
        hits = scene.cast(np.broadcast_to(camera.position, rays.shape), rays / np.linalg.norm(rays, axis=1)[:, None])
        assert np.median(np.abs(hits.t - np.linalg.norm(rays, axis=1))) < 1e-5


def test_correspondences_match_ray_cast_truth(world):
    scene, cameras, views = world
    right = wrong_patch = missed = invented = total = 0
    for first, second in [(0, 1), (0, 5), (3, 10), (7, 19), (12, 14), (18, 2)]:
        xyz = patch_positions(views[first], GRID)
        known = np.isfinite(xyz).all(axis=1)
        found = corresponding_patches(xyz, views[second], GRID)
        assert (found[~known] == -1).all()
        true = truth(scene, cameras[second], inside(xyz[known]))
        ours = found[known]
        total += len(true)
        right += int((ours == true).sum())
        wrong_patch += int(((ours >= 0) & (true >= 0) & (ours != true)).sum())
        missed += int(((ours < 0) & (true >= 0)).sum())
        invented += int(((ours >= 0) & (true < 0)).sum())
    # What is left are points within a pixel of an outline, which a depth map of pixels cannot decide.
    assert total > 500
    assert wrong_patch <= 0.002 * total, (wrong_patch, total)
    assert invented <= 0.025 * total and missed <= 0.035 * total, (right, missed, invented, total)


def test_occlusion_is_what_makes_the_difference(world):
    """Every point projects into the opposite view's frame; what it does not show must be refused."""
    _, cameras, views = world
    xyz = patch_positions(views[0], GRID)
    known = np.isfinite(xyz).all(axis=1)
    pixel, _ = cameras[10].project(inside(xyz[known]))
    assert ((pixel >= 0) & (pixel < 256)).all()
    seen = corresponding_patches(xyz, views[10], GRID)[known] >= 0
    assert 0 < seen.sum() < 0.5 * known.sum()


@pytest.mark.parametrize("image_px", range(64, 321, 32))
def test_a_patchs_own_position_lies_in_that_patch(world, image_px):
    """Also where image_px / 8 patches do not divide the 256 px of a depth map: the grids of 96, 160, 192, ..."""
    grid = image_px // 8
    for view in world[2][::7]:
        xyz = patch_positions(view, grid)
        known = np.flatnonzero(np.isfinite(xyz).all(axis=1))
        assert len(known) > 0.05 * grid**2
        assert (corresponding_patches(xyz, view, grid)[known] == known).all()
        rows, columns = np.nonzero(view.depth > 0)
        centres = np.stack([rows + 0.5, columns + 0.5], axis=1) * image_px / 256
        patches = (centres // 8).astype(int)
        assert np.array_equal(np.unique(patches[:, 0] * grid + patches[:, 1]), known)


def test_both_sides_of_a_pair_use_the_same_grid(world):
    """Seen from the neighbouring view and back, points stay on the picture's place: none is shifted by a patch."""
    views = world[2]
    for grid in (20, 24, 28, 40):
        xyz = patch_positions(views[0], grid)
        found = corresponding_patches(xyz, views[1], grid)
        known = found >= 0
        pixel, _ = seen_at(xyz[known], views[1])
        assert np.array_equal((pixel * grid // 256).astype(int) @ [grid, 1], found[known]) and known.sum() > 20


def positions_where_the_grid_divides(view, grid):
    """The plain way: equal blocks, and in each the object pixel nearest its middle."""
    side = len(view.depth) // grid
    offsets = np.indices((side, side)).reshape(2, -1).T
    offsets = offsets[np.argsort(np.linalg.norm(offsets + 0.5 - side / 2, axis=1), kind="stable")]
    pixel = np.zeros((grid * grid, 2), dtype=int)
    known = np.zeros(grid * grid, dtype=bool)
    for patch in range(grid * grid):
        around = np.array(divmod(patch, grid)) * side + offsets
        solid = view.depth[around[:, 0], around[:, 1]] > 0
        pixel[patch], known[patch] = around[solid.argmax()], solid.any()
    return np.where(known[:, None], back_project(view, pixel[:, 0], pixel[:, 1]), np.nan)


@pytest.mark.parametrize("grid", [4, 8, 16, 32, 64])
def test_a_grid_that_divides_the_depth_map_has_equal_patches(world, grid):
    view = world[2][3]
    assert np.array_equal(patch_positions(view, grid), positions_where_the_grid_divides(view, grid), equal_nan=True)


def test_a_patch_without_a_pixel_takes_the_one_that_covers_it():
    pixels, counts = patch_pixels(4, 6)
    assert pixels.shape == (36, 1) and counts.all()
    assert pixels[:6, 0].tolist() == [0, 1, 1, 2, 3, 3]
    pixels, counts = patch_pixels(5, 2)
    assert counts.sum() == 25 and sorted(pixels[counts]) == list(range(25))
    assert sorted(pixels[0, counts[0]]) == [0, 1, 5, 6] and counts.sum(axis=1).tolist() == [4, 6, 6, 9]


@pytest.mark.parametrize("grid", [4, 8, 12, 16, 20, 28, 32, 40, 64, 72])
def test_position_maps_go_to_any_grid(grid):
    """Each cell of the map holds its own place, so a patch's answer can be told from its place."""
    centres = (np.indices((32, 32)).transpose(1, 2, 0) + 0.5) / 32
    cells = np.concatenate([centres, np.zeros((32, 32, 1))], axis=2).astype(np.float32)
    cells[5, 7] = np.nan
    found = regridded(cells, grid)
    unknown = ~np.isfinite(found).all(axis=1)
    assert unknown.sum() == {32: 1, 40: 1, 64: 4, 72: 4}.get(grid, unknown.sum()) and unknown.sum() < 2 + grid // 20
    own = np.indices((grid, grid)).reshape(2, -1).T[~unknown]
    if grid <= 32:
        assert np.array_equal((found[~unknown, :2] * grid).astype(int), own)
    else:
        assert np.array_equal(((own + 0.5) * 32 / grid).astype(int), (found[~unknown, :2] * 32).astype(int))


@pytest.mark.parametrize("sides", [(256, 256), (128, 128), (128, 320)])
@pytest.mark.parametrize("grid", [8, 20, 24, 28, 32, 40])
def test_tracked_points_go_to_any_grid(grid, sides):
    """Also from pictures that are not of 256 px, where the same share of the side is the same patch."""
    rng = np.random.default_rng(0)
    first, second = (
        Tracks(rng.integers(0, side, (2000, 2)), rng.random(2000) < 0.5, np.zeros((1, 1, 3)), side) for side in sides
    )
    found = tracked_patches(first, second, grid)
    both = np.flatnonzero(first.is_visible & second.is_visible)
    places = [np.floor(v.pxy[both] * (grid / v.side_px) + 1e-9).astype(int) @ [grid, 1] for v in (first, second)]
    want = {}
    for source, target in zip(*places, strict=True):
        want.setdefault(source, target)
    assert {int(k): int(found[k]) for k in np.flatnonzero(found >= 0)} == want
