"""Readers of formats with depth, poses or clouds. Where no registry has one, its rules are restated here."""

import json
from pathlib import Path

import numpy as np
from forms import ready_torchvision, sha256
from found import Found
from PIL import Image


def mvtec3d(out: Path) -> Found:
    """anomalib's MVTec 3D-AD, category by category: picture, mask, and a cloud of the picture's size."""
    ready_torchvision()
    from anomalib.data.datasets.depth.mvtec_3d import MVTec3DDataset

    samples = labels = pixels = 0
    wrong: list[str] = []
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        for split in ("train", "validation", "test"):
            if not (folder / split).is_dir():
                continue
            read = MVTec3DDataset(root=out, category=folder.name, split=split)
            for k in range(len(read)):
                item = read[k]
                samples += 1
                labels += int(item.gt_label)
                pixels += int((item.gt_mask > 0).sum()) if item.gt_mask is not None else 0
                if item.depth_map.shape != item.image.shape or not (item.depth_map[2] > 0).any():
                    wrong.append(f"{item.image_path}: its cloud is of another size, or empty")
    return Found(samples, labels, pixels, frozenset(), tuple(wrong[:3]))


def points(out: Path) -> Found:
    """open3d reads the clouds; their tree by the rules of Anomaly-ShapeNet's reader (normal is `positive`)."""
    import open3d

    samples = labels = 0
    wrong: list[str] = []
    for folder in sorted(path for path in (out / "pcd").iterdir() if path.is_dir()):
        templates = sorted(folder.glob("train/*template*.pcd"))
        if not templates:
            wrong.append(f"{folder.name}: no template")
        for path in (*templates, *sorted(folder.glob("test/*.pcd"))):
            cloud = np.asarray(open3d.io.read_point_cloud(str(path)).points)
            if not len(cloud) or np.linalg.norm(cloud, axis=1).max() > 1.5:
                wrong.append(f"{path.name}: {len(cloud)} points, or beyond the bounding sphere")
            if path.parent.name == "train":
                continue
            samples += 1
            if "positive" in path.name:
                continue
            labels += 1
            table = np.genfromtxt(folder / "GT" / f"{path.stem}.txt", delimiter=",")
            if table.shape != (len(cloud), 4) or not np.allclose(table[:, :3], cloud, atol=1e-6):
                wrong.append(f"{path.name}: its labels are of other points")
            elif not 0 < table[:, 3].mean() < 1:
                wrong.append(f"{path.name}: all points have one label")
    return Found(samples, labels, None, frozenset(), tuple(wrong[:3]))


def mad(out: Path) -> Found:
    """The rules of PAD's reader: one focal length, masks by the name of their picture, poses of views to train on."""
    told = json.loads((out.parent / "views.json").read_text())
    by_sha: dict[str, list[dict]] = {}
    for path, view in told.items():
        by_sha.setdefault(sha256((out.parent / "dataset" / path).read_bytes()), []).append(view)
    samples = labels = pixels = 0
    wrong: list[str] = []
    pictures: set[str] = set()
    for table_path in sorted(out.glob("*/transforms.json")):
        table = json.loads(table_path.read_text())
        for frame in table["frames"]:
            picture = table_path.parent / frame["file_path"]
            width, height = Image.open(picture).size
            focal = width / 2 / np.tan(table["camera_angle_x"] / 2)
            T = np.linalg.inv(frame["transform_matrix"])
            gaps = []
            for view in by_sha[sha256(picture.read_bytes())]:
                x, y, z = (np.array(view["points"]) @ T[:3, :3].T + T[:3, 3]).T
                found = np.stack([width / 2 - focal * x / z, height / 2 + focal * y / z], axis=1)
                gaps.append(np.abs(found - np.array(view["pixels"])).max())
            if min(gaps) > 1e-3:
                wrong.append(f"{picture} looks from elsewhere")
        for path in sorted(table_path.parent.glob("test/*/*.png")):
            samples += 1
            pictures.add(sha256(path.read_bytes()))
            if path.parent.name != "good":
                labels += 1
                mask = table_path.parent / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
                pixels += int((np.asarray(Image.open(mask).convert("L")) > 127).sum())
    return Found(samples, labels, pixels, frozenset(pictures), tuple(wrong[:3]))


def _ply(path: Path) -> np.ndarray:
    head, _, body = path.read_text().partition("end_header\n")
    count = next(int(line.split()[2]) for line in head.splitlines() if line.startswith("element vertex"))
    return np.array([line.split() for line in body.splitlines()[:count]], dtype=np.float64)


def bop(out: Path) -> Found:
    """The rules of bop_toolkit's inout: models in millimetres, poses that fit boxes, masks and depth."""
    samples = labels = pixels = 0
    wrong: list[str] = []
    pictures: set[str] = set()
    models = {int(path.stem[4:]): _ply(path) for path in (out / "models").glob("obj_*.ply")}
    for folder in sorted(path.parent for path in out.glob("*/*/scene_gt.json")):
        truth, cameras, infos = (
            {int(key): value for key, value in json.loads((folder / f"scene_{name}.json").read_text()).items()}
            for name in ("gt", "camera", "gt_info")
        )
        for image, poses in truth.items():
            samples += 1
            pictures.add(sha256((folder / "rgb" / f"{image:06d}.png").read_bytes()))
            K = np.array(cameras[image]["cam_K"]).reshape(3, 3)
            steps = np.asarray(Image.open(folder / "depth" / f"{image:06d}.png"))
            depth = steps * cameras[image]["depth_scale"]
            odd = 0
            for k, (pose, info) in enumerate(zip(poses, infos[image], strict=True)):
                mask = np.asarray(Image.open(folder / "mask_visib" / f"{image:06d}_{k:06d}.png").convert("L")) > 127
                R = np.array(pose["cam_R_m2c"]).reshape(3, 3)
                there = models[pose["obj_id"]] @ R.T + np.array(pose["cam_t_m2c"])
                seen = there @ K.T
                seen = seen[:, :2] / seen[:, 2:]
                x, y, w, h = info["bbox_obj"]
                beyond = max(np.abs(seen.min(axis=0) - (x, y)).max(), np.abs(seen.max(axis=0) - (x + w, y + h)).max())
                if beyond > 2 or int(mask.sum()) != info["px_count_visib"]:
                    wrong.append(f"{folder.name}/{image}: object {k} is not where its box and mask are")
                if mask.sum() > 50 and not there[:, 2].min() - 5 < np.median(depth[mask]) < there[:, 2].max() + 5:
                    wrong.append(f"{folder.name}/{image}: object {k} is at another depth")
                if pose["anomaly"] != "normal":
                    odd += int(mask.sum())
            pixels += odd
            labels += bool(odd)
    return Found(samples, None, pixels, frozenset(pictures), tuple(wrong[:3]))
