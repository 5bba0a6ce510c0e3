"""Cameras of a station against OpenCV's own numbers, and scales against pictures of a cube of known size."""

from types import SimpleNamespace

import numpy as np
import pytest
import trimesh
from pydantic import ValidationError

from datagen.core.camera import Camera
from datagen.core.errors import UsageError
from datagen.core.lens import Lens
from datagen.core.shape import Mesh
from datagen.geometry.rays import RayScene
from datagen.recipe.models import QueryRecipe
from datagen.recipe.station import StationRecipe
from datagen.scenes.cameras import picture_px_per_mm, query_transform
from datagen.scenes.station import StationCamera, seen_by, station_cameras

K = np.array([[1210.0, 0, 655.3], [0, 1195.0, 498.7], [0, 0, 1]])
LENS = Lens(k1=-0.21, k2=0.08, p1=0.0013, p2=-0.0021, k3=0.011)
POINTS = np.array(
    [
        [16.4, -20.7, -27.5],
        [-58, 28.2, 24.8],
        [12.8, 20.7, 2.6],
        [52.2, 28.4, -29.8],
        [42.9, -42, 13.8],
        [-38.9, 32.7, 2.5],
    ]
)
R = np.array(
    [
        [0.97529031, -0.12733457, -0.18054008],
        [0.06803132, 0.95058062, -0.30293271],
        [0.21019171, 0.28316496, 0.9357548],
    ]
)
OPENCV_PX = np.array(
    [
        [777.70038536, 440.74697485],
        [426.79436394, 544.6956345],
        [707.28778541, 563.04380368],
        [887.99796551, 647.18271148],
        [843.27613952, 330.21598026],
        [502.10898978, 595.5479566],
    ]
)
"""cv2.projectPoints of OpenCV 4.11 for POINTS, R, t = (4, -3, 300), K and LENS."""


def cube(edge, centre=(0, 0, 0)):
    box = trimesh.creation.box((edge, edge, edge))
    return Mesh(np.asarray(box.vertices) + centre, np.asarray(box.faces))


def test_projections_are_those_of_opencv():
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, (4, -3, 300)
    camera = StationCamera("one", K, T, (1280, 1024), LENS)
    pixels, depth = camera.project(POINTS)
    assert np.abs(pixels - OPENCV_PX).max() < 1e-4 and (depth > 200).all()
    rays = camera.rays(OPENCV_PX)
    away = POINTS - camera.position
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    assert np.abs(rays - away).max() < 1e-6


def test_a_lens_that_folds_the_picture_is_refused():
    with pytest.raises(UsageError, match="folds the picture"):
        Lens(k1=-1.5).undistort(np.array([[0.9, 0.0]]))
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (200, 2))
    assert np.abs(LENS.undistort(LENS.distort(points)) - points).max() < 1e-9
    assert Lens().is_straight and not LENS.is_straight


def test_scales_agree_with_a_picture_of_a_cube():
    """The front face of a cube of 40 mm, counted in the picture of a lens that distorts."""
    camera = StationCamera("front", K, np.eye(4), (1280, 1024), LENS)
    parts = [(1, cube(40.0, (0, 0, 320)))]
    found = seen_by(camera, RayScene(parts))
    assert found.whole and found.distance_mm == pytest.approx(300, abs=1)
    rows, columns = np.mgrid[0:1024, 0:1280]
    rays = camera.rays(np.stack([columns + 0.5, rows + 0.5], axis=-1).reshape(-1, 2))
    hits = RayScene(parts).cast(np.zeros_like(rays), rays)
    front = (hits.face >= 0) & (np.abs(hits.t * rays[:, 2] - 300) < 1e-6)
    assert np.sqrt(front.sum()) / 40 == pytest.approx(found.px_per_mm[1], rel=0.01)
    assert found.share == pytest.approx((hits.face >= 0).mean(), rel=0.05)
    assert found.smallest_mm(25) == pytest.approx(5 / found.px_per_mm[1])


def test_rings_domes_and_single_cameras_look_at_the_part():
    station = StationRecipe.model_validate(
        {
            "size_px": [640, 480],
            "focal_mm": 16,
            "pixel_um": 5,
            "ring": {"count": 4, "radius_mm": 200, "height_mm": 100},
            "dome": {"count": 6, "radius_mm": 300},
            "cameras": [{"name": "top", "position_mm": [0, 0, 400], "look_at_mm": [0, 0, 20], "focal_px": 900}],
        }
    )
    cameras = {camera.name: camera for camera in station_cameras(station, (0, 0, 20))}
    assert len(cameras) == 11 and cameras["top"].K[0, 0] == 900 and cameras["ring-00"].K[0, 0] == 3200
    for camera in cameras.values():
        pixel, depth = camera.project(np.array([[0.0, 0, 20]]))
        assert np.abs(pixel - (320, 240)).max() < 1e-6 and depth[0] > 0
        assert np.linalg.det(camera.T_camera_world[:3, :3]) == pytest.approx(1)
        assert camera.T_camera_world[1, 2] < 1e-9, "up in the world is up in the picture"
    assert np.linalg.norm(cameras["ring-01"].position - (0, 200, 100)) < 1e-9


def test_cameras_that_cannot_be_are_named():
    parts, station = [(1, cube(40.0))], {"size_px": [100, 100], "focal_px": 100}
    for place, why in (([0, 1, 2], "stands inside"), ([0, 0, 100], "does not see")):
        told = {"name": "here", "position_mm": place, "look_at_mm": [0, 0, 200]}
        (camera,) = station_cameras(StationRecipe.model_validate({**station, "cameras": [told]}), (0, 0, 0))
        with pytest.raises(UsageError, match=f"camera here {why}"):
            seen_by(camera, RayScene(parts))
    ring = {"radius_mm": 100, "height_mm": 10}
    for lacking in ("size_px", "focal_px"):
        told = {key: value for key, value in station.items() if key != lacking}
        for more in ({"ring": ring}, {"cameras": [{"name": "a", "position_mm": [1, 2, 3]}]}):
            with pytest.raises(ValidationError, match=r"size_px|focal length"):
                StationRecipe.model_validate({**told, **more})
    bad_K = [[1, 2, 3]] * 3
    mirrored = {"name": "a", "T_camera_world": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0]]}
    cameras = [{**station, "cameras": [mirrored]}, {"cameras": [{"name": "a"}]}]
    for wrong in ({}, *cameras, {"ring": ring, "focal_mm": 5}, {"ring": ring, "K": bad_K}):
        with pytest.raises(ValidationError):
            StationRecipe.model_validate(wrong)


def test_K_of_pictures_of_another_size_is_refused_by_the_camera_s_name():
    K = [[5200, 0, 960], [0, 5200, 540], [0, 0, 1]]
    place = {"name": "left", "position_mm": [1, 2, 300]}
    for told, who in (
        ({"K": K, "size_px": [640, 480], "dome": {"radius_mm": 600}}, "the station"),
        ({"K": K, "size_px": [640, 480], "cameras": [place]}, "left"),
        ({"size_px": [640, 480], "cameras": [{**place, "K": K}]}, "left"),
        ({"K": K, "size_px": [1920, 1080], "cameras": [{**place, "size_px": [1920, 520]}]}, "left"),
    ):
        with pytest.raises(ValidationError, match=rf"{who} has K of pictures of another size: .*\(960, 540\)"):
            StationRecipe.model_validate(told)
    for size in ([1920, 1080], [1280, 1024]):
        StationRecipe.model_validate({"K": K, "size_px": size, "dome": {"radius_mm": 600}})
    own = {**place, "focal_px": 900}
    StationRecipe.model_validate({"K": K, "size_px": [640, 480], "cameras": [own]})


def test_pixels_that_are_not_square_are_refused():
    places = {"cameras": [{"name": "here", "position_mm": [0, -300, 300]}], "size_px": [1280, 1024]}
    with pytest.raises(ValidationError, match=r"not square \(fx 2500, fy 1500\)"):
        StationRecipe.model_validate({**places, "K": [[2500, 0, 640], [0, 1500, 512], [0, 0, 1]]})
    StationRecipe.model_validate({**places, "K": [[2500, 0, 640], [0, 2495, 512], [0, 0, 1]]})


def test_pixels_per_millimetre_of_pictures_are_those_of_their_cameras():
    shape = SimpleNamespace(mm=0.02, centre=np.zeros(3))
    recipe = QueryRecipe(size_px=512)
    there = picture_px_per_mm(shape, recipe)
    camera = Camera(0.0, 0.0, recipe.radius, 512)
    T = query_transform(shape, recipe)
    ends = np.array([[0, -0.5, 0], [0, 0.5, 0]]) * 10 * shape.mm @ T[:3, :3].T  # 10 mm across, at the middle
    across = camera.focal_px * np.ptp(ends[:, 1]) / recipe.radius
    assert there == pytest.approx(across / 10) and picture_px_per_mm(shape, QueryRecipe(size_px=256)) == there / 2
