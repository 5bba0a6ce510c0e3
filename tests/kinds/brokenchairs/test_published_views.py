"""Our formulas against the one published example of the reference format."""

import itertools
import json

import numpy as np
import pytest

from datagen.core.camera import Camera
from datagen.formats.cameras import camera_json
from datagen.formats.safe_npy import UnsafePickle, read_npy_dict


def published(samples):
    folder = samples / "looking3d_reference_views"
    return sorted(folder.glob("obj_2_*_20.json"))


def test_camera_formula(samples):
    for path in published(samples):
        azimuth = float(path.stem.split("_")[2])
        theirs = json.loads(path.read_text())
        ours = camera_json(Camera(-azimuth, 20.0, 2.0))
        for key in ("K", "RT", "RT_"):
            # The sample's bounding box is centred to 2e-7, so its cameras look a hair off the origin.
            assert np.allclose(ours[key], theirs[key], atol=2e-6), (path.name, key)
        assert np.allclose(np.array(theirs["RT"]) @ np.array(theirs["RT_"]), np.eye(4), atol=1e-5)


def test_cell_rule_and_pixel_order(samples):
    for path in published(samples)[:5]:
        camera = json.loads(path.read_text())
        view = read_npy_dict(path.with_suffix(".npy"))
        RT, K = np.array(camera["RT"]), np.array(camera["K"])
        cells = np.argwhere((view["xyz"] != -1).all(axis=2))
        p = view["xyz"][tuple(cells.T)] @ RT[:3, :3].T + RT[:3, 3]
        row = K[1, 2] - K[1, 1] * p[:, 1] / -p[:, 2]
        column = K[0, 2] + K[0, 0] * p[:, 0] / -p[:, 2]
        assert (np.abs(np.stack([row, column], axis=1) / 8 - cells) <= 0.5 + 1e-3).all()
        depth = np.load(path.parent / f"{path.stem}_depth.npy")
        seen = view["pxy"][view["is_visible"]]
        seen = seen[((seen >= 0) & (seen < 256)).all(axis=1)]
        assert (depth[seen[:, 0], seen[:, 1]] > 0).mean() > 0.9


def test_our_views_obey_the_same_rules(fake_dataset):
    for path in sorted(fake_dataset.glob("shapes/*/mv_images/*_20.json"))[:25]:
        camera, view = json.loads(path.read_text()), read_npy_dict(path.with_suffix(".npy"))
        depth = np.load(path.parent / f"{path.stem}_depth.npy")
        RT, K = np.array(camera["RT"]), np.array(camera["K"])
        assert np.allclose(RT @ np.array(camera["RT_"]), np.eye(4), atol=1e-12)
        cells = np.argwhere((view["xyz"] != -1).all(axis=2))
        p = view["xyz"][tuple(cells.T)] @ RT[:3, :3].T + RT[:3, 3]
        row = K[1, 2] - K[1, 1] * p[:, 1] / -p[:, 2]
        column = K[0, 2] + K[0, 0] * p[:, 0] / -p[:, 2]
        assert (np.abs(np.stack([row, column], axis=1) / 8 - cells) <= 0.5 + 1e-9).all()
        filled = np.where(depth > 0, depth, np.nan)
        pixel = np.floor(row).astype(int).clip(1, 254), np.floor(column).astype(int).clip(1, 254)
        around = np.stack([np.roll(filled, s, (0, 1))[pixel] for s in itertools.product((-1, 0, 1), repeat=2)])
        near, far = np.nanmin(around, axis=0), np.nanmax(around, axis=0)
        # A sample lies anywhere in its pixel: its z is between those of the pixels about it, to 1 %. Some
        # samples of nearly edge-on surfaces are seen past the last pixel centre that hits them.
        assert ((-p[:, 2] > 0.99 * near) & (-p[:, 2] < 1.01 * far)).mean() > 0.94
        assert depth.dtype == np.float32 and np.isfinite(depth).all()
        seen = view["pxy"][view["is_visible"]]
        assert (depth[seen[:, 0].clip(0, 255), seen[:, 1].clip(0, 255)] > 0).mean() > 0.9


def test_a_pickle_that_executes_is_refused(tmp_path):
    class Bad:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    np.save(tmp_path / "bad.npy", np.array({"pxy": Bad()}, dtype=object), allow_pickle=True)
    with pytest.raises(UnsafePickle, match="exec"):
        read_npy_dict(tmp_path / "bad.npy")
    assert not (tmp_path / "ran").exists()
