"""One reader a format: the tool's own class, summed up. No word of datagen's."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from found import Found, Sample
from PIL import Image

LIBRARIES: list[object] = []
"""What has to live as long as the process."""
PICTURES = 5
"""So many pictures of an export are compared by their bytes."""


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _some(paths: list[Path]) -> frozenset[str]:
    return frozenset(_sha256(path.read_bytes()) for path in paths[:PICTURES])


def _ready_torchvision() -> None:
    """Name two of torchvision's compiled operators where its PyPI build meets a CPU build of torch and cannot load.

    Importing torchvision, of which anomalib uses the Python part, fails without the names. Nothing here calls them.
    """
    import torch

    if "+cpu" in torch.__version__ and not LIBRARIES:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        LIBRARIES.append(library)


def everything(sample: Sample) -> bool:
    """A format that keeps all samples."""
    return True


def one_class(sample: Sample) -> bool:
    """MVTec AD: no anomaly to learn from, and nothing whose label and mask say different things."""
    return bool(sample.label) == bool(sample.mask_px) and not (sample.label and sample.split in ("train", "val"))


def coco(out: Path) -> Found:
    """pycocotools, split by split. A picture's label is not COCO's: it is ours beside COCO's keys."""
    import contextlib
    import io

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
    _ready_torchvision()
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


def kaputt(out: Path) -> Found:
    """anomalib's Kaputt, queries alone; then with references, where each item of a query has to have some."""
    _ready_torchvision()
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


def webdataset(out: Path) -> Found:
    """webdataset, all shards of all splits as one stream; a mask is 0 and 255."""
    import io
    import json

    import webdataset as wds

    samples = labels = pixels = 0
    pictures: set[str] = set()
    for sample in wds.WebDataset([str(path) for path in sorted(out.glob("*.tar"))], shardshuffle=False):
        samples += 1
        labels += json.loads(sample["json"])["label"]
        if "mask.png" in sample:
            pixels += int((np.asarray(Image.open(io.BytesIO(sample["mask.png"]))) > 127).sum())
        if len(pictures) < PICTURES:
            pictures.add(_sha256(sample["query.png"]))
    return Found(samples, labels, pixels, frozenset(pictures))


READERS: dict[str, tuple[str, Callable[[Path], Found], Callable[[Sample], bool]]] = {
    "coco": ("pycocotools", coco, everything),
    "kaputt": ("anomalib", kaputt, everything),
    "mvtec": ("anomalib", mvtec, one_class),
    "webdataset": ("webdataset", webdataset, everything),
}
"""Format -> the reader's package, the reader, and which samples the format keeps."""
