"""PaDiM at 64 px on an MVTec AD export, and on datasets' own folders by `datagen.export.anomalib`."""

from pathlib import Path

import numpy as np
import torch
from anomalib.data import MVTecAD
from anomalib.engine import Engine
from anomalib.models import Padim
from anomalib.pre_processing import PreProcessor
from torchvision.transforms.v2 import Resize

from datagen.export.anomalib import DatagenData
from datagen.export.object_scores import auroc, object_scores
from datagen.kinds.registry import open_tree

SIDE = 64


def padim(folder: Path) -> tuple[Padim, Engine]:
    """A small model of random weights and an engine that writes nothing of note."""
    torch.manual_seed(0)
    model = Padim(
        backbone="resnet18",
        layers=["layer1", "layer2"],
        pre_trained=False,
        pre_processor=PreProcessor(transform=Resize((SIDE, SIDE), antialias=True)),
        visualizer=False,
    )
    return model, Engine(default_root_dir=folder / "anomalib", accelerator="cpu", devices=1, logger=False)


def fitted(folder: Path, data) -> tuple[Padim, Engine, dict]:
    """Model, engine and figures of a test after a fit."""
    model, engine = padim(folder)
    engine.fit(model, datamodule=data)
    return model, engine, engine.test(model, datamodule=data, verbose=False)[0]


def check_batches(root: Path, data: DatagenData) -> tuple[int, int, int]:
    """Samples, labels and mask pixels of all three parts; what is shown is what the dataset says."""
    told = {row["sample_id"]: row for row in open_tree(root).samples}
    data.setup()
    samples = labels = pixels = 0
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        for batch in loader:
            assert batch.image.shape[1] == 3 and batch.gt_mask.shape[-2:] == batch.image.shape[-2:]
            for k, sample_id in enumerate(batch.sample_id):
                row = told[sample_id]
                assert int(batch.gt_label[k]) == row["label"]
                samples, labels = samples + 1, labels + int(batch.gt_label[k])
                pixels += int(batch.gt_mask[k].sum())
            if batch.references is not None:
                assert batch.references.shape == (len(batch.sample_id), data.references, *batch.image.shape[1:])
    return samples, labels, pixels


def main(folder: Path) -> int:
    """Print a table in Markdown. Returns the exit code."""
    table = ["| what | dataset | samples | labels | mask px | image AUROC | object AUROC |", "| --- " * 7 + "|"]
    category = next(path.name for path in (folder / "chairs" / "mvtec").iterdir() if path.is_dir())
    data = MVTecAD(folder / "chairs" / "mvtec", category, train_batch_size=8, eval_batch_size=8, num_workers=0)
    _, _, found = fitted(folder, data)
    table.append(f"| MVTecAD, PaDiM at {SIDE} px | chairs |  |  |  | {found['image_AUROC']:.3f} |  |")
    for kind in ("chairs", "scenes"):
        root = folder / kind / "dataset"
        everything = DatagenData(root, one_class=False)
        sums = check_batches(root, everything)
        rows = open_tree(root).samples
        held_out = [row for row in rows if row["split"] != "train"]
        # Without a split `val` those that test validate too.
        wanted = len(rows) + (0 if any(row["split"] == "val" for row in rows) else len(held_out))
        if sums[0] != wanted:
            print(f"NO: {sums[0]} samples of {kind}, the dataset has {wanted}")
            return 1
        data = DatagenData(root, one_class=kind == "chairs")
        model, engine, found = fitted(folder, data)
        objects = ""
        if kind == "scenes":
            maps = {}
            for batch in engine.predict(model, dataloaders=data.test_dataloader()):
                for path, told in zip(batch.image_path, batch.anomaly_map, strict=True):
                    maps[str(Path(path).relative_to(root))] = np.asarray(told.squeeze().cpu())
            scores = object_scores(root, maps)
            objects = f"{auroc([s.label for s in scores], [s.relative for s in scores]):.3f}, {len(scores)} objects"
        figures = " | ".join(map(str, sums))
        both = len({row["label"] for row in rows if row["split"] not in ("train", "val")}) == 2
        pictures = f"{found['image_AUROC']:.3f}" if both else "one label"
        table.append(f"| DatagenData, PaDiM at {SIDE} px | {kind} | {figures} | {pictures} | {objects} |")
    print("\n".join(["", *table]))
    return 0
