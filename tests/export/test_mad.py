"""MAD's tree by the rules of PAD's and SplatPose's readers, restated: no registry has them."""

import json

import numpy as np
import pytest
from PIL import Image

from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.export.mad import Mad
from datagen.export.run import export_dataset
from datagen.formats.cameras import read_camera
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import ExporterConformance


class TestMad(ExporterConformance):
    keeps_all = False
    refuses = ("scene_dataset",)

    def open(self):
        return Mad()


@pytest.fixture(scope="module")
def out(fake_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mad") / "out"
    export_dataset(fake_dataset, "mad", folder)
    return folder


def test_one_focal_length_and_poses_put_points_where_the_dataset_puts_them(fake_dataset, out):
    shapes = sorted(out.glob("*/transforms.json"))
    assert len(shapes) == 6
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3))
    for path in shapes:
        table = json.loads(path.read_text())
        views = sorted((fake_dataset / "shapes" / path.parent.name).glob("mv_images/*.png"))
        assert len(table["frames"]) >= 20
        for frame in table["frames"]:
            picture = path.parent / frame["file_path"]
            width, height = Image.open(picture).size
            focal = width / 2 / np.tan(table["camera_angle_x"] / 2)
            T = np.linalg.inv(np.array(frame["transform_matrix"]))
            x, y, z = (points @ T[:3, :3].T + T[:3, 3]).T
            found = np.stack([width / 2 - focal * x / z, height / 2 + focal * y / z], axis=1)
            # Views of a symmetric shape may be alike to the byte: one of them has this camera.
            alike = [view for view in views if view.read_bytes() == picture.read_bytes()]
            cameras = [read_camera(json.loads(view.with_suffix(".json").read_text())) for view in alike]
            own = [c.project(points @ T_INSIDE_FROM_PUBLISHED[:3, :3])[0][:, ::-1] for c in cameras]
            assert min(np.abs(found - pixels).max() for pixels in own) < 1e-3


def test_every_picture_tests_with_its_mask(fake_dataset, out):
    rows = {row["query_path"]: row for row in read_manifest(fake_dataset) if row["row_type"] == "sample"}
    by_bytes = {(fake_dataset / path).read_bytes(): row for path, row in rows.items()}
    tests = sorted(out.glob("*/test/*/*.png"))
    assert len(tests) == len(rows)
    for path in tests:
        row = by_bytes[path.read_bytes()]
        assert path.parts[-4] == f"shape_{row['public_id']}"
        assert path.parts[-2] == (row["kind"] if row["label"] else "good")
        mask = path.parents[2] / "ground_truth" / path.parts[-2] / f"{path.stem}_mask.png"
        assert mask.is_file() == bool(row["label"])
        if row["label"]:
            assert Image.open(mask).size == Image.open(path).size
