"""Exports read back by the tools' own classes: run by a Python that has the tools, and not datagen.

`make exports` sets that Python up, makes the exports (tests/export/made.py) and prints this table.
"""

import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np


def coco(tree, kind):
    """pycocotools: every annotation of every split, its mask decoded."""
    from pycocotools.coco import COCO

    found = {"pictures": 0, "anomalous": 0, "instances": 0, "mask_px": 0}
    pictures = {}
    for path in sorted((tree / "annotations").glob("instances_*.json")):
        table = COCO(str(path))
        found["pictures"] += len(table.getImgIds())
        found["anomalous"] += sum(image["label"] for image in table.dataset["images"])
        for note in table.loadAnns(table.getAnnIds()):
            mask = table.annToMask(note)
            assert int(mask.sum()) == note["area"], note["id"]
            found["instances"] += 1
            found["mask_px"] += int(mask.sum())
        split = path.stem.removeprefix("instances_")
        for image in table.dataset["images"]:
            pictures[image["sample_id"]] = (tree / "images" / split / image["file_name"]).read_bytes()
    return found, pictures


def webdataset(tree, kind):
    """webdataset: samples as its reader puts members together."""
    import webdataset as wds

    found = {"pictures": 0, "anomalous": 0, "instances": 0, "mask_px": 0}
    pictures = {}
    urls = [str(path) for path in sorted(tree.glob("*.tar"))]
    for sample in wds.WebDataset(urls, shardshuffle=False, empty_check=False):
        record = json.loads(sample["json"])
        found["pictures"] += 1
        found["anomalous"] += record["label"]
        found["instances"] += len(record["instances"])
        found["mask_px"] += sum(instance["area"] for instance in record["instances"])
        assert ("mask.png" in sample) == bool(record["instances"]), sample["__key__"]
        assert (kind == "chairs") == ("ref_00.png" in sample), sample["__key__"]
        pictures[record["sample_id"]] = sample["query.png"]
    return found, pictures


def mvtec(tree, kind):
    """anomalib: the dataset that its MVTecAD makes of every category."""
    from anomalib.data.datasets.image.mvtecad import make_mvtec_ad_dataset
    from PIL import Image

    found = {"pictures": 0, "anomalous": 0, "instances": 0, "mask_px": 0}
    for category in sorted(path for path in tree.iterdir() if path.is_dir()):
        samples = make_mvtec_ad_dataset(category)
        found["pictures"] += len(samples)
        odd = samples[samples.label_index == 1]
        found["anomalous"] += len(odd)
        for row in odd.itertuples():
            assert Path(row.image_path).stem in Path(row.mask_path).stem
            found["instances"] += 1
            found["mask_px"] += int((np.asarray(Image.open(row.mask_path)) > 127).sum())
    return found, {}


READERS = {"coco": (coco, "pycocotools"), "webdataset": (webdataset, "webdataset"), "mvtec": (mvtec, "anomalib")}


def main(folder):
    expected = json.loads((folder / "expected.json").read_text())
    print("| dataset | format | reader | pictures | anomalous | instances | mask pixels | agrees |")
    print("|---|---|---|---|---|---|---|---|")
    wrong = 0
    for kind, told in expected.items():
        for name, (read, package) in READERS.items():
            try:
                reader = f"{package} {version(package)}"
            except PackageNotFoundError:
                print(f"| {kind} | {name} | {package} is not installed | | | | | |")
                continue
            found, pictures = read(folder / kind / name, kind)
            agrees = all(found[key] == told[name][key] for key in found)
            if name != "mvtec":  # which leaves out what its tree cannot say
                agrees &= found["pictures"] == told["samples"] and found["anomalous"] == told["labels"]
                agrees &= all(data == Path(told["pictures"][key]).read_bytes() for key, data in pictures.items())
            wrong += not agrees
            figures = " | ".join(f"{found[key]:,}" for key in ("pictures", "anomalous", "instances", "mask_px"))
            print(f"| {kind} | {name} | {reader} | {figures} | {'yes' if agrees else '**no**'} |")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
