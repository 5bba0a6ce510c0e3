"""Both forms of the cameras put a point where the dataset's own camera puts it; `make exports` asks pycolmap."""

import json
import shutil

import numpy as np
import pytest

from datagen.core.errors import BrokenFile, UsageError
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.export.poses import Poses
from datagen.export.protocol import Options
from datagen.export.run import export_dataset
from datagen.formats.brokenchairs import KINDS
from datagen.formats.cameras import read_camera
from datagen.formats.instances import Instances
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import ExporterConformance

FORMAT = "poses"


class TestPoses(ExporterConformance):
    keeps_all = False

    def open(self):
        return Poses()


def own_pixels(root, path, points):
    """(column, row) (N, 2) of points (N, 3) with z up by the dataset's camera of a picture."""
    if path.startswith("shapes/"):
        camera = read_camera(json.loads((root / path).with_suffix(".json").read_text()))
        return camera.project(points @ T_INSIDE_FROM_PUBLISHED[:3, :3])[0][:, ::-1]
    row = next(row for row in read_manifest(root) if row["query_path"] == path)
    seen = np.linalg.inv(np.reshape(row["T_world_camera"], (4, 4))) @ np.c_[points, np.ones(len(points))].T
    pixels = np.reshape(row["K"], (3, 3)) @ seen[:3]
    return (pixels[:2] / pixels[2]).T


def nerfstudio_pixels(table, frame, points):
    """By transforms.json: OpenGL axes, camera-to-world, rows counted down."""
    T = np.linalg.inv(np.array(frame["transform_matrix"]))
    x, y, z = points @ T[:3, :3].T[:, 0], points @ T[:3, :3].T[:, 1], points @ T[:3, :3].T[:, 2]
    x, y, z = x + T[0, 3], y + T[1, 3], z + T[2, 3]
    lens = {**table, **frame}
    return np.stack([lens["cx"] + lens["fl_x"] * x / -z, lens["cy"] - lens["fl_y"] * y / -z], axis=1)


def colmap_pixels(model, number, points):
    """By COLMAP's text files: quaternion w first, world-to-camera, OpenCV axes."""
    images = [line.split() for line in (model / "images.txt").read_text().splitlines() if line[:1].isdigit()]
    cameras = [line.split() for line in (model / "cameras.txt").read_text().splitlines() if line[:1].isdigit()]
    words = images[number]
    w, x, y, z, *t = map(float, words[1:8])
    R = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    camera = next(camera for camera in cameras if camera[0] == words[8])
    assert camera[1] == "PINHOLE"
    fx, fy, cx, cy = map(float, camera[4:])
    seen = points @ R.T + t
    return np.stack([cx + fx * seen[:, 0] / seen[:, 2], cy + fy * seen[:, 1] / seen[:, 2]], axis=1)


def surface(model):
    lines = [line.split() for line in (model / "points3D.txt").read_text().splitlines() if line[:1].isdigit()]
    return np.array([line[1:4] for line in lines], dtype=np.float64)


def test_every_camera_puts_the_points_where_the_dataset_puts_them(exported):
    root, out = exported
    bundles = sorted(out.glob("*/*/transforms.json"))
    assert len(bundles) >= 4
    for path in bundles:
        table, model = json.loads(path.read_text()), path.parent / "sparse" / "0"
        points = surface(model)
        assert 1000 < len(points) <= 2000
        for k, frame in enumerate(table["frames"]):
            own = own_pixels(root, frame["source_path"], points)
            assert np.abs(nerfstudio_pixels(table, frame, points) - own).max() < 1e-3
            assert np.abs(colmap_pixels(model, k, points) - own).max() < 1e-3
            picture = path.parent / frame["file_path"]
            assert picture.read_bytes() == (root / frame["source_path"]).read_bytes()


def test_points_lie_on_the_surface_and_the_world_has_z_up(fake_dataset, tmp_path):
    export_dataset(fake_dataset, "poses", tmp_path / "out")
    for path in (tmp_path / "out").glob("*/*/transforms.json"):
        points = surface(path.parent / "sparse" / "0")
        words = (fake_dataset / "shapes" / path.parent.name / "model.obj").read_text().splitlines()
        corners = np.array([line.split()[1:] for line in words if line.startswith("v ")], dtype=np.float64)
        corners = corners @ T_INSIDE_FROM_PUBLISHED[:3, :3].T
        assert (points.min(axis=0) >= corners.min(axis=0) - 1e-3).all()
        assert (points.max(axis=0) <= corners.max(axis=0) + 1e-3).all()
        heights = [frame["transform_matrix"][2][3] for frame in json.loads(path.read_text())["frames"]]
        assert np.allclose(heights, 3 * np.sin(np.radians(20))), "reference views look from 20 degrees above"


def test_a_view_that_is_gone_is_told(exported, tmp_path):
    shutil.copytree(exported[1], tmp_path / "out")
    next((tmp_path / "out").rglob("images/0001.png")).unlink()
    with pytest.raises(BrokenFile, match=r"images/0001\.png"):
        Poses().read_back(tmp_path / "out")


def test_a_kind_without_posed_views_is_refused(tmp_path):
    options = Options("mine", "mine", Instances(KINDS, lambda reader, rows: iter(())))
    with pytest.raises(UsageError, match="no posed views"):
        Poses().write(None, [], tmp_path, options)
