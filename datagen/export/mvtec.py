"""MVTec AD's tree, as anomalib and others read it: <category>/{train,test}/<kind>/*.png and ground_truth/."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from datagen.core.errors import BrokenFile
from datagen.export.categories import CATEGORY, GOOD, TRAIN, CategoryFolders
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, put, write_card
from datagen.export.journal import note_of
from datagen.export.protocol import Options
from datagen.formats.encode import png_bytes
from datagen.formats.instances import Record
from datagen.formats.pictures import decoded
from datagen.store.reader import DatasetReader


class MVTec:
    """The exporter. Names are numbered with six digits: readers pair pictures and masks by their sorted place.

    What is of no use to it is left out, as `CategoryFolders` says.
    """

    name = "mvtec"
    about = (
        "MVTec AD's folders (anomalib): normal pictures to train on, normal and anomalous ones with masks to test on."
    )
    needs = frozenset({"masks"})
    settings: ClassVar = {"category": CATEGORY}

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Pictures and masks, by category. Raises UsageError for two categories of one name, BrokenFile, OSError."""
        counts, categories = options.journal.counts, CategoryFolders(reader, rows, options)
        for picture in options.pictures(reader, rows):
            split = categories.split(picture)
            if split is None:
                continue
            side = "train" if split in TRAIN else "test"
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
        return counts.exported(categories.notes())

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
