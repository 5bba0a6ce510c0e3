"""Patch positions and view-view correspondences from depth and pose, against ray-cast truth."""

import numpy as np
import pytest

from datagen.core.camera import Camera
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.datasets.geometry import ViewGeometry, corresponding_patches, patch_positions
from datagen.formats.brokenchairs import published_pose
from datagen.geometry.rays import RayScene
from datagen.recipe.models import ReferenceRecipe
from datagen.render.raycast import cast_view
from datagen.scenes.cameras import reference_cameras, reference_transform
from datagen.shapes.source import open_collection

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
