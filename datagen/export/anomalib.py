"""anomalib's data module over a dataset's own folder: query, references and mask, without an export between.

Needs anomalib 2.7 in the environment (`pip install anomalib`); nothing else of datagen imports this module.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from anomalib.data.dataclasses.torch import ImageBatch, ImageItem
from anomalib.data.datamodules.base.image import AnomalibDataModule
from anomalib.data.datasets.base.image import AnomalibDataset
from anomalib.data.utils import TestSplitMode, ValSplitMode
from pandas import DataFrame
from PIL import Image
from torchvision.tv_tensors import Image as TensorImage
from torchvision.tv_tensors import Mask

from datagen.core.errors import UsageError
from datagen.formats.instances import Picture, Record
from datagen.kinds.registry import kind_of, open_tree
from datagen.store.reader import DatasetReader

SEGMENTATION = "segmentation"
STAGES = {"train": "train", "val": "val"}
"""Split of the dataset -> anomalib's; whatever else is held out is `test`."""


@dataclass
class ReferredItem(ImageItem):
    """anomalib's item with its reference views."""

    references: torch.Tensor | None = None
    """(R, 3, H, W) in [0, 1]; None for kinds of dataset without."""
    sample_id: str | None = None


@dataclass
class ReferredBatch(ImageBatch):
    """anomalib's batch with reference views (B, R, 3, H, W)."""

    item_class: ClassVar[type[ImageItem]] = ReferredItem
    references: torch.Tensor | None = None
    sample_id: list[str] | None = None


class Pictures(AnomalibDataset):
    """The pictures of one split, read from loose files or shards when they are asked for.

    Every picture has `references` views, evenly spread over those there are; all have to be of one size.
    """

    def __init__(self, root: Path, stage: str, references: int, one_class: bool) -> None:
        """Raises UsageError for a folder that is no dataset, or whose kind tells no masks."""
        super().__init__()
        tree, kind = open_tree(root), kind_of(root)
        if kind.instances is None:
            raise UsageError(f"datasets of kind {kind.name} have no masks of anomalies")
        self._reader, self._pictures, self._references = tree.files, kind.instances.pictures, references
        self._rows = _Rows(tree.rows)
        rows = [row for row in tree.samples if STAGES.get(row["split"], "test") == stage]
        if one_class and stage == "train":
            rows = [row for row in rows if not row["label"]]
        columns = ("image_path", "split", "label_index", "mask_path", "sample_id")
        told = [(str(root / row["query_path"]), stage, int(row["label"]), "", row["sample_id"]) for row in rows]
        self.samples = DataFrame(told, columns=list(columns))
        self.samples.attrs["task"] = SEGMENTATION

    @property
    def samples(self) -> DataFrame:
        """anomalib's table of the pictures."""
        return self._samples

    @samples.setter
    def samples(self, samples: DataFrame) -> None:
        """Paths may lie in shards, where no file system has them."""
        self._samples = samples.sort_values(by="image_path", ignore_index=True)
        self._samples.attrs["task"] = SEGMENTATION

    def __deepcopy__(self, memo: dict[int, Any]) -> "Pictures":
        """A subset of its own over the same files: rows and readers are never changed."""
        copied = type(self).__new__(type(self))
        copied.__dict__ = {**self.__dict__, "_samples": self._samples.copy()}
        return copied

    def __getitem__(self, index: int) -> ReferredItem:
        """Image (3, H, W) in [0, 1], mask (H, W), label, references. Raises BrokenFile."""
        sample = self.samples.iloc[index]
        picture = self._picture(sample.sample_id)
        image, mask = _image(self._reader, picture.path), Mask(torch.from_numpy(picture.mask.astype(np.uint8)))
        count = len(picture.references)
        chosen = np.linspace(0, count, min(self._references, count), endpoint=False).astype(int)
        views = [_image(self._reader, picture.references[k]) for k in chosen]
        if self.augmentations:
            image, mask = self.augmentations(image, mask)
            views = [self.augmentations(view) for view in views]
        return ReferredItem(
            image=image,
            gt_mask=mask,
            gt_label=torch.tensor(picture.label),
            image_path=sample.image_path if Path(sample.image_path).exists() else None,
            references=torch.stack(views) if views else None,
            sample_id=sample.sample_id,
        )

    def _picture(self, sample_id: str) -> Picture:
        return next(iter(self._pictures(self._reader, self._rows.of(sample_id))))

    @property
    def collate_fn(self) -> Callable[..., Any]:
        """Puts items together."""
        return ReferredBatch.collate


class DatagenData(AnomalibDataModule):
    """anomalib's data module of a dataset of datagen.

    `one_class`: train on normal pictures alone, as anomalib's own models want it. `references`: views of each picture.
    The dataset's `val` validates where it has one, else what tests; other splits that are held out test.
    """

    def __init__(
        self,
        root: Path | str,
        references: int = 4,
        one_class: bool = True,
        train_batch_size: int = 8,
        eval_batch_size: int = 8,
        num_workers: int = 0,
        **more: Any,
    ) -> None:
        """`more` are arguments of AnomalibDataModule."""
        self.root, self.references, self.one_class = Path(root), references, one_class
        has_val = any(row["split"] == "val" for row in open_tree(self.root).samples)
        given = {"val_split_mode": ValSplitMode.FROM_DIR if has_val else ValSplitMode.SAME_AS_TEST, **more}
        super().__init__(
            train_batch_size=train_batch_size,
            eval_batch_size=eval_batch_size,
            num_workers=num_workers,
            test_split_mode=TestSplitMode.FROM_DIR,
            **given,
        )

    def _create_test_split(self) -> None:
        """The dataset's own splits hold: nothing is moved from what trains to what tests."""

    def _setup(self, _stage: str | None = None) -> None:
        for stage in ("train", "val", "test"):
            found = Pictures(self.root, stage, self.references, self.one_class)
            if stage != "val" or len(found):
                setattr(self, f"{stage}_data", found)


class _Rows:
    """What a picture is told from: its own row, and the rows of the objects that it shows."""

    def __init__(self, rows: tuple[Record, ...]) -> None:
        self._sample: dict[str, Record] = {}
        self._objects: dict[str, list[Record]] = {}
        for row in rows:
            if row["row_type"] == "sample":
                self._sample[row["sample_id"]] = row
            elif row["row_type"] == "object":
                self._objects.setdefault(row["job_id"], []).append(row)

    def of(self, sample_id: str) -> list[Record]:
        row = self._sample[sample_id]
        return [row, *self._objects.get(row["job_id"], [])]


def _image(reader: DatasetReader, path: str) -> TensorImage:
    with Image.open(io.BytesIO(reader.read(path))) as image:
        pixels = np.asarray(image.convert("RGB"))
    return TensorImage(torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255)
