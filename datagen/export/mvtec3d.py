"""MVTec 3D-AD's tree: <category>/{train,validation,test}/<kind>/{rgb,xyz,gt}, each picture with an organised cloud."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.export.categories import CATEGORY, GOOD, CategoryFolders
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, put, write_card
from datagen.export.journal import note_of
from datagen.export.protocol import Options
from datagen.export.settings import Setting
from datagen.formats.encode import png_bytes
from datagen.formats.instances import Picture, Record
from datagen.formats.pictures import decoded
from datagen.formats.tiff import tiff_bytes
from datagen.store.reader import DatasetReader

OWN = {"train": "train", "val": "validation"}
"""Split of the dataset -> the tree's; whatever else is held out is `test`."""
SHAPES = Setting("", "where the shapes of the build are; empty for where it found them")


class MVTec3D:
    """The exporter. Names are numbered with six digits, and hold one dot: readers cut a cloud's name at the first.

    `xyz` is what the camera sees, in its own frame (x right, y down, z ahead), 0 where it sees nothing. Every test
    picture has a mask, also good ones. What is of no use to the tree is left out, as `CategoryFolders` says.
    """

    name = "mvtec3d"
    about = "MVTec 3D-AD's folders (anomalib): pictures, organised clouds in the camera's frame, masks."
    needs = frozenset({"masks", "depth"})
    settings: ClassVar = {"category": CATEGORY, "shapes": SHAPES}

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Pictures, clouds and masks. Raises UsageError without the build's shapes, BrokenFile, OSError."""
        counts, categories = options.journal.counts, CategoryFolders(reader, rows, options)
        depth = options.depths(reader, rows)
        for picture in options.pictures(reader, rows):
            split = categories.split(picture)
            if split is None:
                continue
            side = OWN.get(split, "test")
            folder = out / categories.folder(picture) / side / picture.kind
            stem = f"{counts.pictures:06d}_{picture.name}"
            _place_rgb(reader, picture, folder / "rgb" / f"{stem}.png")
            put(tiff_bytes(depth(picture).points()), folder / "xyz" / f"{stem}.tiff")
            mask = picture.mask
            if side == "test":
                put(png_bytes(mask), folder / "gt" / f"{stem}.png")
            options.journal.note(note_of(picture, side, [(picture.kind, int(mask.sum()))] if mask.any() else []))
        write_card(reader, out)
        return counts.exported(categories.notes())

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every mask is decoded. Raises BrokenFile."""
        counts = Counts()
        for path in sorted(out.glob("*/*/*/rgb/*.png")):
            side, kind = path.parts[-4:-2]
            cloud, mask = path.parents[1] / "xyz" / f"{path.stem}.tiff", path.parents[1] / "gt" / path.name
            try:
                if not cloud.read_bytes().startswith(b"II*\0"):
                    raise ValueError("is no TIFF")
                pixels = int((decoded(mask.read_bytes(), "L") > 127).sum()) if side == "test" else 0
            except (OSError, ValueError, SyntaxError) as error:
                raise BrokenFile(f"{path}: its cloud or mask: {error}; export the dataset again") from error
            counts.add(side, int(kind != GOOD), [(kind, pixels)] if kind != GOOD else [])
        return counts.exported()


def _place_rgb(reader: DatasetReader, picture: Picture, target: Path) -> None:
    """The picture with three channels, as readers want it; those of scenes have a fourth, which says nothing."""
    data = reader.read(picture.path)
    with Image.open(io.BytesIO(data)) as image:
        mode = image.mode
    if mode == "RGB":
        place(reader, picture.path, target)
    else:
        put(png_bytes(decoded(data)), target)
