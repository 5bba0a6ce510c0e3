"""BOP's scenewise folders by the rules of bop_toolkit_lib (on no registry): poses, masks and depth fit each other."""

import json

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import BrokenFile, UsageError
from datagen.export.bop import Bop
from datagen.export.run import export_dataset
from datagen.store.manifest import read_manifest
from tests.conformance.exporters import ExporterConformance


class TestBop(ExporterConformance):
    keeps_all = False
    refuses = ("fake_dataset",)

    def open(self):
        return Bop()


@pytest.fixture(scope="module")
def made(scene_dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("bop") / "out"
    return scene_dataset, out, export_dataset(scene_dataset, "bop", out)


def load_ply(path):
    """Vertices (V, 3) in millimetres and faces (F, 3), as inout.load_ply reads an ASCII file."""
    head, _, body = path.read_text().partition("end_header\n")
    counts = [int(line.split()[2]) for line in head.splitlines() if line.startswith("element")]
    lines = body.splitlines()
    vertices = np.array([line.split() for line in lines[: counts[0]]], dtype=np.float64)
    faces = np.array([line.split() for line in lines[counts[0] : sum(counts)]], dtype=int)
    assert len(lines) == sum(counts) and (faces[:, 0] == 3).all()
    return vertices, faces[:, 1:]


def scenes(out):
    return sorted(path.parent for path in out.glob("*/*/scene_gt.json"))


def test_models_are_millimetres_about_their_boxes_centre(made):
    _, out, _ = made
    info = json.loads((out / "models" / "models_info.json").read_text())
    assert set(info) == {str(int(path.stem[4:])) for path in (out / "models").glob("*.ply")}
    for number, told in info.items():
        vertices, faces = load_ply(out / "models" / f"obj_{int(number):06d}.ply")
        used = vertices[np.unique(faces)]
        assert np.abs(used.min(axis=0) + used.max(axis=0)).max() < 1e-3
        assert np.allclose(used.min(axis=0), [told["min_x"], told["min_y"], told["min_z"]], atol=1e-3)
        assert np.allclose(np.ptp(used, axis=0), [told["size_x"], told["size_y"], told["size_z"]], atol=1e-3)
        assert 100 < told["diameter"] <= np.linalg.norm(np.ptp(used, axis=0)) + 1e-3
    kinds = {told["kind"] for told in info.values()}
    assert "normal" in kinds and len(kinds) > 1


def test_poses_put_models_where_masks_and_depth_have_them(made):
    _, out, _ = made
    assert len(scenes(out)) == 4
    for scene in scenes(out):
        cameras = json.loads((scene / "scene_camera.json").read_text())
        truth = json.loads((scene / "scene_gt.json").read_text())
        infos = json.loads((scene / "scene_gt_info.json").read_text())
        for image in list(truth)[::4]:
            K = np.reshape(cameras[image]["cam_K"], (3, 3))
            depth = np.asarray(Image.open(scene / "depth" / f"{int(image):06d}.png")) * cameras[image]["depth_scale"]
            for k, (pose, info) in enumerate(zip(truth[image], infos[image], strict=True)):
                vertices, faces = load_ply(out / "models" / f"obj_{pose['obj_id']:06d}.ply")
                R = np.reshape(pose["cam_R_m2c"], (3, 3))
                assert np.allclose(R @ R.T, np.eye(3), atol=1e-6) and np.linalg.det(R) > 0
                points = vertices[np.unique(faces)] @ R.T + pose["cam_t_m2c"]
                pixels = points @ K.T
                pixels = pixels[:, :2] / pixels[:, 2:]
                stem = f"{int(image):06d}_{k:06d}.png"
                whole = np.asarray(Image.open(scene / "mask" / stem)) > 127
                visible = np.asarray(Image.open(scene / "mask_visib" / stem)) > 127
                assert not (visible & ~whole).any()
                x, y, w, h = info["bbox_obj"]
                assert np.abs(pixels.min(axis=0) - (x, y)).max() < 2
                assert np.abs(pixels.max(axis=0) - (x + w, y + h)).max() < 2
                assert info["px_count_visib"] == visible.sum() <= whole.sum() <= info["px_count_all"]
                if visible.sum() > 50:
                    near = depth[visible]
                    assert points[:, 2].min() - 2 < np.percentile(near, 2)
                    assert np.percentile(near, 98) < points[:, 2].max() + 2


def test_pictures_counts_and_targets_are_the_datasets(made):
    root, out, told = made
    rows = [row for row in read_manifest(root) if row["row_type"] == "sample"]
    assert told.pictures == len(rows) and set(told.by_split) == {"train_pbr", "test_seen", "test_unseen"}
    bytes_of = {(root / row["query_path"]).read_bytes() for row in rows}
    assert {path.read_bytes() for path in out.glob("*/*/rgb/*.png")} == bytes_of
    held_out = sum(count for split, count in told.by_split.items() if split.startswith("test"))
    assert len(json.loads((out / "test_targets_bop24.json").read_text())) == held_out
    counted = sum(target["inst_count"] for target in json.loads((out / "test_targets_bop19.json").read_text()))
    held = [scene for scene in scenes(out) if scene.parent.name.startswith("test")]
    things = [json.loads((scene / "scene_gt.json").read_text()) for scene in held]
    assert counted == sum(len(poses) for scene in things for poses in scene.values())
    numbers = [scene.name for scene in scenes(out)]
    assert len(set(numbers)) == len(numbers), "scene ids are unique through all splits"


def test_shapes_that_are_not_here_are_asked_for(scene_dataset, tmp_path):
    with pytest.raises(UsageError, match="--set shapes=FOLDER"):
        export_dataset(scene_dataset, "bop", tmp_path / "out", [f"shapes={tmp_path}"])


def test_a_mask_that_is_gone_is_told(made, tmp_path):
    _, out, _ = made
    for path in (p for p in out.rglob("*") if p.is_file()):
        target = tmp_path / path.relative_to(out)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    next(tmp_path.rglob("mask_visib/*.png")).unlink()
    with pytest.raises(BrokenFile, match=r"scene_gt\.json: .*mask_visib"):
        Bop().read_back(tmp_path)
