"""COCO instance segmentation: annotations/instances_<split>.json and images/<split>/<name>.png."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from datagen.core.errors import BrokenFile
from datagen.export.counts import Counts, Exported
from datagen.export.files import place, write_card
from datagen.export.journal import note_of
from datagen.export.protocol import Options
from datagen.export.rle import decode, encode
from datagen.formats.encode import json_bytes
from datagen.formats.instances import Instance, Picture, Record
from datagen.store.reader import DatasetReader


class Coco:
    """The exporter. Ids count from 1 through all splits; 0 would be taken for "unmatched" by COCOeval."""

    name = "coco"
    about = "COCO instance segmentation: one annotation per anomaly and picture, one category per kind of anomaly."
    needs = frozenset({"masks", "boxes"})

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Pictures and one JSON a split. Raises UsageError, BrokenFile, OSError."""
        categories = {kind: k + 1 for k, kind in enumerate(options.kinds)}
        journal, counts = options.journal, options.journal.counts
        for picture in options.pictures(reader, rows):
            place(reader, picture.path, out / "images" / picture.split / f"{picture.name}.png")
            image_id, first = counts.pictures + 1, counts.instances + 1
            notes = [
                _annotation(first + k, image_id, categories[instance.kind], instance)
                for k, instance in enumerate(picture.instances)
            ]
            journal.note(note_of(picture, told={"image": _image(image_id, picture), "annotations": notes}))
        info = {"description": f"{options.dataset}, a dataset of kind {options.kind} made by datagen"}
        listed = [{"id": number, "name": kind, "supercategory": "anomaly"} for kind, number in categories.items()]
        for split in counts.splits:
            path = out / "annotations" / f"instances_{split}.json"
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as stream:
                stream.write(b'{"info": %s, "licenses": [], "images": [' % json_bytes(info).strip())
                _join(stream, (told["image"] for told in journal.told(split)))
                stream.write(b'], "annotations": [')
                _join(stream, (note for told in journal.told(split) for note in told["annotations"]))
                stream.write(b'], "categories": %s}\n' % json_bytes(listed).strip())
        write_card(reader, out)
        return counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every mask is decoded. Raises BrokenFile."""
        counts = Counts()
        for path in sorted((out / "annotations").glob("instances_*.json")):
            split = path.stem.removeprefix("instances_")
            try:
                table = json.loads(path.read_bytes())
                _check(table, out / "images" / split)
                _count(counts, split, table)
            except (OSError, ValueError, LookupError, TypeError) as error:
                raise BrokenFile(f"{path}: {error}; export the dataset again") from error
        return counts.exported()


def _join(stream: IO[bytes], values: Iterable[Any]) -> None:
    """The members of a JSON list, one at a time."""
    for k, value in enumerate(values):
        stream.write((b", " if k else b"") + json_bytes(value).strip())


def _image(number: int, picture: Picture) -> dict[str, Any]:
    """COCO's keys, then ours."""
    return {
        "id": number,
        "file_name": f"{picture.name}.png",
        "width": picture.width,
        "height": picture.height,
        "label": picture.label,
        "sample_id": picture.sample_id,
        "source_path": picture.path,
    }


def _annotation(number: int, image_id: int, category_id: int, instance: Instance) -> dict[str, Any]:
    told = instance.to_json()
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": encode(instance.mask),
        "area": told["area"],
        "bbox": told["bbox"],
        "iscrowd": 0,
        "attributes": told["attributes"],
    }


def _check(table: Mapping[str, Any], folder: Path) -> None:
    """Raise ValueError for a picture that is not there or a mask that is not of its picture's size and its area."""
    sizes = {image["id"]: [image["height"], image["width"]] for image in table["images"]}
    for image in table["images"]:
        if not (folder / image["file_name"]).is_file():
            raise ValueError(f"{image['file_name']} is not in {folder}")
    for note in table["annotations"]:
        height, width = note["segmentation"]["size"]
        mask = decode((height, width), note["segmentation"]["counts"])
        if [height, width] != sizes[note["image_id"]] or int(mask.sum()) != note["area"]:
            raise ValueError(f"the mask of annotation {note['id']} does not fit its picture or its area")


def _count(counts: Counts, split: str, table: Mapping[str, Any]) -> None:
    kind_of = {category["id"]: category["name"] for category in table["categories"]}
    for image in table["images"]:
        counts.add(split, image["label"])
    counts.add(split, 0, ((kind_of[note["category_id"]], note["area"]) for note in table["annotations"]), pictures=0)
