"""Categories of MVTec AD's trees: what each is to learn from and to be tested on, and what belongs to none."""

from collections import defaultdict
from collections.abc import Sequence

from datagen.core.errors import UsageError
from datagen.export.protocol import Options
from datagen.export.settings import Setting
from datagen.formats.instances import Picture, Record, flat_name
from datagen.store.reader import DatasetReader
from datagen.store.rows import Chosen

TRAIN = ("train", "val")
"""Splits whose normal pictures are to learn from."""
GOOD = "good"
WORDS = ("collection", "shape", "dataset")
CATEGORY = Setting("collection", "a category for each of the collection's, for each shape, or one for all", WORDS)


class CategoryFolders:
    """The category of each picture: its shape, what the collection calls it, or the dataset.

    Three things are left out: an anomaly of train or val, for these trees know none to learn from; a view that shows
    an odd object, but not what is odd about it; and a category without an anomaly to test on, which anomalib's readers
    cannot open. Where a shape is a category it has the dataset's train and test alike: the first half of its normal
    pictures is to learn from, the rest and all its anomalies are to test on.
    """

    def __init__(self, reader: DatasetReader, rows: Sequence[Record], options: Options) -> None:
        """Goes through the anomalous pictures. Raises UsageError where none is to test on, BrokenFile."""
        self._by, self._dataset = options.settings["category"], options.dataset
        self._learned = _first_halves(rows) if self._by == "shape" else None
        self._named: dict[str, str] = {}
        self._left_out: set[str] = set()
        odd = Chosen(rows, (k for k, row in enumerate(rows) if row["label"] and self._tests(row["split"])))
        shown = options.instances.pictures(reader, odd) if options.instances else ()
        self._tested = {self._word(picture) for picture in shown if picture.instances}
        if not self._tested:
            raise UsageError(
                "nothing that is held out shows an anomaly, and these folders are to test on such; choose another "
                "--to, or --set category=shape"
            )

    def split(self, picture: Picture) -> str | None:
        """The split that a picture is in: train, val, or one to test on; None for one that is left out."""
        word, split = self._word(picture), picture.split
        if bool(picture.label) != bool(picture.instances) or (picture.label and not self._tests(split)):
            return None
        if word not in self._tested:
            self._left_out.add(word)
            return None
        if self._learned is None:
            return split
        return "train" if picture.sample_id in self._learned else "test"

    def folder(self, picture: Picture) -> str:
        """A name without dots. Raises UsageError where two categories would have one."""
        word = self._word(picture)
        name = flat_name(word)
        if self._named.setdefault(name, word) != word:
            raise UsageError(
                f"the categories {self._named[name]} and {word} are both {name} as a folder; give one another name"
            )
        return name

    def notes(self) -> list[str]:
        """A line for each category that was left out."""
        more = "" if self._by == "dataset" else "; --set category=dataset makes one category of all"
        return [f"{word} has no anomaly to test on and is left out{more}" for word in sorted(self._left_out)]

    def _tests(self, split: str) -> bool:
        return self._learned is not None or split not in TRAIN

    def _word(self, picture: Picture) -> str:
        words = {"shape": picture.shape_id, "collection": picture.category, "dataset": self._dataset}
        return words[self._by] or self._dataset


def _first_halves(rows: Sequence[Record]) -> frozenset[str]:
    """sample_id of the first half of each shape's normal pictures, one where there is one."""
    normal: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row["row_type"] == "sample" and not row["label"]:
            normal[row["shape_id"]].append(row["sample_id"])
    return frozenset(name for names in normal.values() for name in sorted(names)[: (len(names) + 1) // 2])
