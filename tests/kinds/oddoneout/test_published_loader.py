"""Every scene we write is read by the published loader's rules, and says what its pixels show."""

import json

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import ShapeError
from datagen.formats.exr import read_exr
from datagen.formats.oddoneout import MODE_OF_KIND, asset_path, part_labels, scene_name
from tests.kinds.oddoneout import loader_rules as rules


def scenes(dataset):
    return sorted((dataset / "scenes").iterdir())


def test_every_scene_of_every_split_loads(scene_dataset):
    splits = rules.load_split(scene_dataset / "split.json")
    assert list(splits) == ["unseen-test", "train", "seen-test"]
    named = [name for names in splits.values() for name in names]
    assert sorted(named) == [folder.name for folder in scenes(scene_dataset)] and len(named) == 4
    for name in named:
        scene = rules.load_scene(scene_dataset / "scenes" / name)
        assert 3 <= len(scene.labels) <= 6 and 2 * sum(scene.labels) < len(scene.labels)


def test_every_scene_is_known_to_the_later_reader(scene_dataset):
    for folder in scenes(scene_dataset):
        meta = json.loads((folder / "scene3d.metadata.json").read_text())
        told = [rules.later_label(folder.name, obj["path"], ".blend") for obj in meta["objects"]]
        assert told == [obj["label"] for obj in meta["objects"]] and 0 in told


@pytest.mark.parametrize(("naming", "suffix"), [("toys", ".blend"), ("parts", ".obj")])
def test_asset_names_are_the_published_ones(naming, suffix):
    scene = scene_name(naming, "mug", 7, 3, "0123456789abcdef0123456789abcdef")
    assert rules.later_label(scene, asset_path(scene, None, 0, naming), suffix) == 0
    for mode in MODE_OF_KIND.values():
        assert rules.later_label(scene, asset_path(scene, mode, 4, naming), suffix) == 1


def test_part_labels_number_the_parts_that_are_seen(scene_dataset):
    for folder in scenes(scene_dataset):
        meta = json.loads((folder / "scene3d.metadata.json").read_text())
        tables = [obj["part_labels"] for obj in meta["objects"]]
        assert all(set(t) == set(obj["parts"]) for t, obj in zip(tables, meta["objects"], strict=True))
        labels = [label for table in tables for label in table.values()]
        assert sorted(labels) == list(range(1, len(labels) + 1))
        for view in range(10):
            picture = read(folder / f"part_labels/{view:04d}.png")
            for obj, table in zip(meta["objects"], tables, strict=True):
                assert (np.isin(picture, list(table.values())) == seen(folder, obj["name"], view)).all()


def test_more_parts_than_sixteen_bits_are_refused():
    many = part_labels([range(1, 40_000), range(1, 20_000)])
    assert len(set(many[0].values()) | set(many[1].values())) == 39_999 + 19_999
    with pytest.raises(ShapeError, match="65536 parts"):
        part_labels([range(1, 65_536), range(1, 2)])


def test_masks_are_unions_and_labels_have_the_published_polarity(scene_dataset):
    for folder in scenes(scene_dataset):
        meta = json.loads((folder / "scene3d.metadata.json").read_text())
        flat = json.loads((folder / "scene2d.metadata.json").read_text())
        odd = [obj["name"] for obj in meta["objects"] if "-" in obj["path"].rsplit("/", 1)[-1]]
        assert flat["anomaly_labels"] == [0 if obj["name"] in odd else 1 for obj in meta["objects"]]
        assert flat["blend_paths"] == [obj["path"] for obj in meta["objects"]]
        assert [obj["label"] for obj in meta["objects"]] == [int(obj["name"] in odd) for obj in meta["objects"]]
        for view in range(10):
            parts = {o["name"]: seen(folder, o["name"], view) for o in meta["objects"]}
            floor = seen(folder, "floor_object", view)
            union = np.logical_or.reduce(list(parts.values()))
            assert (read(folder / f"masks/{view:04d}.png") == union * 255).all()
            assert sum(p.astype(int) for p in parts.values()).max() <= 1 and not (union & floor).any()
            labels = np.logical_or.reduce([parts[name] for name in odd] or [np.zeros_like(union)])
            assert (read(folder / f"binary_labels/{view:04d}.png") == labels * 255).all()
            boxes = [Image.fromarray(parts[name].astype(np.uint8)).getbbox() for name in odd]
            assert flat["bbox"][f"{view:04d}.png"] == [list(box) for box in boxes if box]


def seen(folder, name, view):
    image = read(folder / f"segmentations/{name}/{name}_{view:04d}.png")
    assert image.shape[2] == 4 and (image[..., 0] == image[..., 1]).all() and (image[..., 3] == 255).all()
    return image[..., 0] > 127


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_depth_is_z_depth_on_a_floor_at_zero(scene_dataset):
    folder = scenes(scene_dataset)[0]
    scene = rules.load_scene(folder)
    scale = 96 / 256
    for view in range(10):
        channels = read_exr((folder / f"depth_exr/{view:04d}.exr").read_bytes())
        depth = channels["R"].astype(float)
        assert set(channels) == {"R", "G", "B"} and (channels["G"] == channels["R"]).all()
        floor = seen(folder, "floor_object", view)
        rows, columns = np.nonzero(floor)
        K = scene.K
        rays = np.stack([(columns + 0.5 - K[0, 2]) / K[0, 0], (rows + 0.5 - K[1, 2]) / K[1, 1], np.ones(len(rows))], 1)
        T = scene.extrinsics[view]
        world = (rays * depth[floor][:, None] - T[:3, 3]) @ T[:3, :3]
        assert np.abs(world[:, 2]).max() < 1e-3
        background = ~floor & (read(folder / f"masks/{view:04d}.png") == 0)
        assert (depth[background] == np.float32(1e10)).all() and (depth[~background] < 100).all()
        grey = read(folder / f"depth_png/{view:04d}.png")
        assert (grey[background] == 65535).all() and grey[~background].min() == 0
        assert K[0, 0] == pytest.approx(256 * 30 / 36 * scale)


def test_box_centres_project_into_the_silhouette(scene_dataset):
    for folder in scenes(scene_dataset):
        meta = json.loads((folder / "scene3d.metadata.json").read_text())
        scene = rules.load_scene(folder)
        gaps = []
        for k, obj in enumerate(meta["objects"]):
            assert obj["bbox"] == obj["bbox_world"]
            for view in range(10):
                mask = seen(folder, obj["name"], view)
                if not mask.any() or mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any():
                    continue
                (u, v), *_ = rules.project(scene, view, scene.boxes[k, :1])
                rows, columns = np.nonzero(mask)
                gaps.append(np.hypot(u - columns.mean(), v - rows.mean()) / np.sqrt(mask.sum()))
        assert np.median(gaps) < 0.35


def test_extra_keys_say_kind_severity_and_parts(scene_dataset):
    kinds = set()
    for folder in scenes(scene_dataset):
        meta = json.loads((folder / "scene3d.metadata.json").read_text())
        for obj in meta["objects"]:
            if obj["label"]:
                kinds.add(obj["kind"])
                assert obj["severity"] > 0 and obj["anomaly"]["part_ids"]
                assert max(obj["anomaly"]["changed_px"]) >= 25 * (96 / 256) ** 2
            else:
                assert obj["kind"] == "normal" and obj["anomaly"] is None
    assert kinds
