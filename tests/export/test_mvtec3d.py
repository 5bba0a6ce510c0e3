"""Clouds of pictures lie where the dataset's own depth and camera put them; masks pair by anomalib's rules."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import BrokenFile, UsageError
from datagen.export.mvtec3d import MVTec3D
from datagen.export.run import export_dataset
from datagen.formats.exr import read_exr
from datagen.formats.solids import Depth
from datagen.formats.tiff import tiff_bytes
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import ExporterConformance
from tests.export.tiff_rules import read_tiff

FORMAT = "mvtec3d"


class TestMVTec3D(ExporterConformance):
    keeps_all = False

    def open(self):
        return MVTec3D()


def rows_by_picture(root):
    """Bytes of a picture's pixels -> its row."""
    rows = [row for row in read_manifest(root) if row["row_type"] == "sample"]
    return {np.asarray(Image.open(root / row["query_path"]).convert("RGB")).tobytes(): row for row in rows}


def test_every_picture_has_its_cloud_and_every_test_picture_its_mask(exported):
    root, out = exported
    rows = rows_by_picture(root)
    pictures = sorted(out.glob("*/*/*/rgb/*.png"))
    assert len(pictures) > 10
    for path in pictures:
        row = rows[np.asarray(Image.open(path)).tobytes()]
        side, kind = path.parts[-4:-2]
        cloud = read_tiff((path.parents[1] / "xyz" / f"{path.name.split('.')[0]}.tiff").read_bytes())
        assert cloud.shape == np.asarray(Image.open(path)).shape and cloud.dtype == np.float32
        seen = cloud[..., 2] > 0
        assert not cloud[~seen].any() and (cloud[..., 2] >= 0).all()
        # What the camera projects a point to is the pixel that holds it.
        K = np.reshape(row["K"], (3, 3))
        pixels = cloud[seen].astype(np.float64) @ K.T
        found = np.stack([pixels[:, 1], pixels[:, 0]], axis=1) / pixels[:, 2:]
        assert np.abs(found - np.argwhere(seen) - 0.5).max() < 1e-2
        assert (kind != "good") == bool(row["label"])
        mask = path.parents[1] / "gt" / path.name
        assert mask.is_file() == (side == "test")
        if side == "test":
            assert np.asarray(Image.open(mask)).any() == bool(row["label"])
        if row["query_path"].startswith("images/"):
            assert seen.sum() == row["visible_px"]
        else:
            exr = (root / row["query_path"].replace("/RGB/", "/depth_exr/")).with_suffix(".exr")
            depth = next(iter(read_exr(exr.read_bytes(), "x").values()))
            assert np.allclose(cloud[..., 2], np.where(depth < 1e9, depth, 0), atol=1e-6)


def test_shapes_that_are_not_here_are_asked_for(fake_dataset, tmp_path):
    with pytest.raises(UsageError, match=r"--set shapes=FOLDER"):
        export_dataset(fake_dataset, FORMAT, tmp_path / "out", [f"shapes={tmp_path}"])


def test_a_cloud_that_is_gone_is_told(exported, tmp_path):
    _, out = exported
    copy = tmp_path / "copy"
    for path in [p for p in out.rglob("*") if p.is_file()][:]:
        target = copy / path.relative_to(out)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    next(copy.glob("*/*/*/xyz/*.tiff")).unlink()
    with pytest.raises(BrokenFile, match="its cloud or mask"):
        MVTec3D().read_back(Path(copy))


def test_depth_becomes_points_of_pixel_centres():
    depth = Depth(np.array([[0.0, 2.0]]), np.array([[10.0, 0, 1], [0, 10, 0.5], [0, 0, 1]]))
    assert np.allclose(depth.points(), [[[0, 0, 0], [0.1, 0, 2]]])


def test_tiffs_read_back():
    values = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
    assert np.array_equal(read_tiff(tiff_bytes(values)), values)
