"""MVTec AD's tree, as anomalib and others read it: <category>/{train,test}/<kind>/*.png and ground_truth/."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from datagen.core.errors import BrokenFile, UsageError
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, put, write_card
from datagen.export.journal import note_of
from datagen.export.protocol import Options
from datagen.export.settings import Setting
from datagen.formats.encode import png_bytes
from datagen.formats.instances import Picture, Record, flat_name
from datagen.formats.pictures import decoded
from datagen.store.reader import DatasetReader

TRAIN = ("train", "val")
"""Splits whose normal pictures are to learn from."""
GOOD = "good"
CATEGORY = Setting("collection", "a category for each of the collection's, or for each shape", ("collection", "shape"))


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
    settings: ClassVar = {"category": CATEGORY}

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Pictures and masks, by category. Raises UsageError for two categories of one name, BrokenFile, OSError."""
        counts, categories = options.journal.counts, Categories(options)
        for picture in options.pictures(reader, rows):
            side = _side(picture)
            if side is None:
                continue
            root = out / categories.folder(picture)
            stem = f"{counts.pictures:06d}_{picture.name}"
            place(reader, picture.path, root / side / picture.kind / f"{stem}.png")
            marks = []
            if picture.instances:
                mask = picture.mask
                put(png_bytes(mask), root / "ground_truth" / picture.kind / f"{stem}_mask.png")
                marks = [(picture.kind, int(mask.sum()))]
            options.journal.note(note_of(picture, side, marks))
        write_card(reader, out)
        return counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every mask is decoded. Raises BrokenFile."""
        counts = Counts()
        for path in sorted(out.glob("*/*/*/*.png")):
            side, kind = path.parts[-3:-1]
            if side == "ground_truth":
                continue
            if kind == GOOD:
                counts.add(side)
                continue
            mask = path.parents[2] / "ground_truth" / kind / f"{path.stem}_mask.png"
            try:
                pixels = int((decoded(mask.read_bytes(), "L") > 127).sum())
            except (OSError, ValueError, SyntaxError) as error:
                raise BrokenFile(f"{mask}: {error}; export the dataset again") from error
            counts.add(side, 1, [(kind, pixels)])
        return counts.exported()


class Categories:
    """The folder of each picture's category: of its shape, or what the collection calls it, else the dataset's name."""

    def __init__(self, options: Options) -> None:
        self._by_shape, self._dataset = options.settings["category"] == "shape", options.dataset
        self._named: dict[str, str] = {}

    def folder(self, picture: Picture) -> str:
        """A name without dots. Raises UsageError where two categories would have one."""
        word = picture.shape_id if self._by_shape else picture.category or self._dataset
        name = flat_name(word)
        if self._named.setdefault(name, word) != word:
            raise UsageError(
                f"the categories {self._named[name]} and {word} are both {name} as a folder; give one another name"
            )
        return name


def _side(picture: Picture) -> str | None:
    """train or test; None for what the tree cannot say."""
    if bool(picture.label) != bool(picture.instances):
        return None
    if picture.split in TRAIN:
        return None if picture.label else "train"
    return "test"
