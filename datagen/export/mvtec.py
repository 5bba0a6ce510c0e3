"""MVTec AD's tree, as anomalib and others read it: <category>/{train,test}/<kind>/*.png and ground_truth/."""

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.export.files import place, write_card
from datagen.export.protocol import Exported, Options
from datagen.formats.encode import png_bytes
from datagen.formats.instances import Picture, Record, flat_name
from datagen.store.reader import DatasetReader

TRAIN = ("train", "val")
"""Splits whose normal pictures are to learn from."""
GOOD = "good"


class MVTec:
    """The exporter. Names are numbered with six digits: readers pair pictures and masks by their sorted place.

    The tree knows no anomaly to learn from: anomalous pictures of train and val are left out, as is what is neither
    (a view that shows an odd object, but not what is odd about it).
    """

    name = "mvtec"
    about = (
        "MVTec AD's folders (anomalib): normal pictures to train on, normal and anomalous ones with masks to test on."
    )
    needs = frozenset({"masks"})

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Pictures and masks, by category. Raises BrokenFile, OSError."""
        found: list[tuple[str, str, int]] = []
        for picture in options.pictures(reader, rows):
            side, mask = _side(picture), picture.mask
            if side is None:
                continue
            root = out / flat_name(picture.category or options.dataset)
            stem = f"{len(found):06d}_{picture.name}"
            place(reader, picture.path, root / side / picture.kind / f"{stem}.png")
            if picture.instances:
                target = root / "ground_truth" / picture.kind / f"{stem}_mask.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(png_bytes(mask))
            found.append((side, picture.kind, int(mask.sum())))
        write_card(reader, out)
        return _counted(found)

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every mask is decoded. Raises BrokenFile."""
        found = []
        for path in sorted(out.glob("*/*/*/*.png")):
            side, kind = path.parts[-3:-1]
            if side == "ground_truth":
                continue
            pixels = 0
            if kind != GOOD:
                mask = path.parents[2] / "ground_truth" / kind / f"{path.stem}_mask.png"
                try:
                    with Image.open(io.BytesIO(mask.read_bytes())) as image:
                        pixels = int((np.asarray(image.convert("L")) > 127).sum())
                except (OSError, ValueError, SyntaxError) as error:
                    raise BrokenFile(f"{mask}: {error}; export the dataset again") from error
            found.append((side, kind, pixels))
        return _counted(found)


def _side(picture: Picture) -> str | None:
    """train or test; None for what the tree cannot say."""
    if bool(picture.label) != bool(picture.instances):
        return None
    if picture.split in TRAIN:
        return None if picture.label else "train"
    return "test"


def _counted(found: Sequence[tuple[str, str, int]]) -> Exported:
    """Of (side, kind, pixels of the mask) of every picture."""
    odd = [kind for _, kind, _ in found if kind != GOOD]
    return Exported(
        pictures=len(found),
        anomalous=len(odd),
        instances=len(odd),
        mask_px=sum(pixels for *_, pixels in found),
        by_split=dict(sorted(Counter(side for side, *_ in found).items())),
        by_kind=dict(sorted(Counter(odd).items())),
    )
