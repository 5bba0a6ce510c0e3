"""One reader a format: the tool's own class, summed up. No word of datagen's."""

import contextlib
import hashlib
import io
import json
from pathlib import Path

import numpy as np
from found import Found
from PIL import Image

LIBRARIES: list[object] = []
"""What has to live as long as the process."""
PICTURES = 5
"""So many pictures of an export are compared by their bytes."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _some(paths: list[Path]) -> frozenset[str]:
    return frozenset(sha256(path.read_bytes()) for path in paths[:PICTURES])


def ready_torchvision() -> None:
    """Name two of torchvision's compiled operators where its PyPI build meets a CPU build of torch and cannot load.

    Importing torchvision, of which anomalib uses the Python part, fails without the names. Nothing here calls them.
    """
    import torch

    if "+cpu" in torch.__version__ and not LIBRARIES:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        LIBRARIES.append(library)


def coco(out: Path) -> Found:
    """pycocotools, split by split. A picture's label is not COCO's: it is ours beside COCO's keys."""
    from pycocotools.coco import COCO

    samples = labels = pixels = 0
    paths: list[Path] = []
    for path in sorted((out / "annotations").glob("*.json")):
        with contextlib.redirect_stdout(io.StringIO()):
            read = COCO(str(path))
        images = read.loadImgs(read.getImgIds())
        samples += len(images)
        labels += sum(image["label"] for image in images)
        pixels += sum(int(read.annToMask(note).sum()) for note in read.loadAnns(read.getAnnIds()))
        paths += [out / "images" / path.stem.removeprefix("instances_") / image["file_name"] for image in images]
    return Found(samples, labels, pixels, _some(paths))


def mvtec(out: Path) -> Found:
    """anomalib's MVTec AD, category by category; its masks, as it pairs them."""
    ready_torchvision()
    from anomalib.data.datasets.image.mvtecad import MVTecADDataset

    samples = labels = pixels = 0
    paths: list[Path] = []
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        for split in ("train", "test"):
            if not (folder / split).is_dir():
                continue
            read = MVTecADDataset(root=out, category=folder.name, split=split)
            items = [read[k] for k in range(len(read))]
            samples += len(items)
            labels += sum(int(item.gt_label) for item in items)
            pixels += sum(int(item.gt_mask.sum()) for item in items if item.gt_mask is not None)
            paths += [Path(item.image_path) for item in items]
    return Found(samples, labels, pixels, _some(paths))


def hub(out: Path) -> Found:
    """datasets, by the card alone; then the references, of which each shape of a sample has to have some."""
    import datasets

    datasets.disable_progress_bars()
    wrong: list[str] = []
    samples = labels = pixels = 0
    pictures: set[str] = set()
    shapes: set[str] = set()
    read = datasets.load_dataset(str(out), cache_dir=str(out.parent / "hub-cache"))
    for table in read.values():
        assert table.features["label"].names == ["normal", "anomalous"]
        for row in table:
            samples += 1
            labels += row["label"]
            shapes.add(row["shape_id"])
            if row["mask"] is not None:
                pixels += int((np.asarray(row["mask"]) > 127).sum())
        raw = table.cast_column("image", datasets.Image(decode=False))
        pictures |= {sha256(raw[k]["image"]["bytes"]) for k in range(min(PICTURES, len(raw)))}
    if "references" in datasets.get_dataset_config_names(str(out)):
        views = datasets.load_dataset(str(out), "references", cache_dir=str(out.parent / "hub-cache"))
        referred = {shape for table in views.values() for shape in table["shape_id"]}
        if referred != shapes:
            wrong.append("not every shape has references")
    return Found(samples, labels, pixels, frozenset(pictures), tuple(wrong))


def kaputt(out: Path) -> Found:
    """anomalib's Kaputt, queries alone; then with references, where each item of a query has to have some."""
    ready_torchvision()
    from anomalib.data.datasets.image.kaputt import KaputtDataset

    read = KaputtDataset(root=out)
    items = [read[k] for k in range(len(read))]
    pixels = sum(int(item.gt_mask.sum()) for item in items if item.gt_mask is not None)
    both = KaputtDataset(root=out, image_mode="query_and_reference").samples
    referred = set(both[both["image_path"].str.contains("/reference-image/")]["item_identifier"])
    lonely = sorted(set(read.samples["item_identifier"]) - referred)
    wrong = (f"items without references: {lonely}",) if lonely else ()
    labels = sum(int(item.gt_label) for item in items)
    return Found(len(items), labels, pixels, _some([Path(item.image_path) for item in items]), wrong)


def poses(out: Path) -> Found:
    """pycolmap's models, and nerfstudio's table by its rule: each puts points where the dataset's own camera does."""
    import pycolmap

    told = json.loads((out.parent / "views.json").read_text())
    samples, wrong = 0, []
    for table_path in sorted(out.glob("*/*/transforms.json")):
        folder, table = table_path.parent, json.loads(table_path.read_text())
        model = pycolmap.Reconstruction(str(folder / "sparse" / "0"))
        images = {image.name: image for image in model.images.values()}
        if not model.num_points3D() or len(images) != len(table["frames"]):
            wrong.append(f"{folder.name}: no points, or other views than transforms.json")
        for frame in table["frames"]:
            view, image = told[frame["source_path"]], images[Path(frame["file_path"]).name]
            points, pixels = np.array(view["points"]), np.array(view["pixels"])
            colmap = np.array([image.project_point(point) for point in points])
            T = np.linalg.inv(frame["transform_matrix"])
            x, y, z = (points @ T[:3, :3].T + T[:3, 3]).T
            lens = {**table, **frame}
            nerf = np.stack([lens["cx"] - lens["fl_x"] * x / z, lens["cy"] + lens["fl_y"] * y / z], axis=1)
            if np.abs(colmap - pixels).max() > 1e-3 or np.abs(nerf - pixels).max() > 1e-3:
                wrong.append(f"{folder.name}: {frame['file_path']} looks from elsewhere")
        samples += len(images)
    if samples != len(told):
        wrong.append(f"the dataset has {len(told)} views with cameras")
    return Found(samples, None, None, frozenset(), tuple(wrong[:3]))


def webdataset(out: Path) -> Found:
    """webdataset, all shards of all splits as one stream; a mask is 0 and 255."""
    import webdataset as wds

    samples = labels = pixels = 0
    pictures: set[str] = set()
    for sample in wds.WebDataset([str(path) for path in sorted(out.glob("*.tar"))], shardshuffle=False):
        samples += 1
        labels += json.loads(sample["json"])["label"]
        if "mask.png" in sample:
            pixels += int((np.asarray(Image.open(io.BytesIO(sample["mask.png"]))) > 127).sum())
        if len(pictures) < PICTURES:
            pictures.add(sha256(sample["query.png"]))
    return Found(samples, labels, pixels, frozenset(pictures))


def croissant(out: Path) -> Found:
    """mlcroissant: no error and no warning, and every record by the descriptions of its columns."""
    import mlcroissant

    read = mlcroissant.Dataset(jsonld=str(out / "croissant.json"))
    wrong = tuple(read.metadata.ctx.issues.report().splitlines())
    samples = labels = pixels = 0
    for record in read.records("samples"):
        samples += 1
        labels += record["samples/label"]
        mask = record["samples/mask"]
        pixels += int((np.asarray(mask) > 127).sum()) if mask is not None else 0
    return Found(samples, labels, pixels, frozenset(), wrong)
