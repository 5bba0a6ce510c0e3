"""COCO instance segmentation: annotations/instances_<split>.json and images/<split>/<name>.png."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datagen.core.errors import BrokenFile, UsageError
from datagen.export.files import place, write_card
from datagen.export.protocol import Exported, Options
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
        """Pictures and one JSON a split. Raises UsageError for two pictures of one name, BrokenFile, OSError."""
        categories = {kind: k + 1 for k, kind in enumerate(options.kinds)}
        splits: dict[str, dict[str, Any]] = defaultdict(lambda: {"images": [], "annotations": []})
        annotation_id = 0
        for image_id, picture in enumerate(options.pictures(reader, rows), start=1):
            self._place(reader, picture, out)
            splits[picture.split]["images"].append(_image(image_id, picture))
            for instance in picture.instances:
                annotation_id += 1
                note = _annotation(annotation_id, image_id, categories[instance.kind], instance)
                splits[picture.split]["annotations"].append(note)
        listed = [{"id": number, "name": kind, "supercategory": "anomaly"} for kind, number in categories.items()]
        info = {"description": f"{options.dataset}, a dataset of kind {options.kind} made by datagen"}
        for split, tables in sorted(splits.items()):
            path = out / "annotations" / f"instances_{split}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(json_bytes({"info": info, "licenses": [], **tables, "categories": listed}))
        write_card(reader, out)
        return _counted(splits, categories)

    def _place(self, reader: DatasetReader, picture: Picture, out: Path) -> None:
        try:
            place(reader, picture.path, out / "images" / picture.split / f"{picture.name}.png")
        except FileExistsError as error:
            raise UsageError(
                f"two pictures of split {picture.split} are named {picture.name} (one is {picture.path}); the kind of "
                "dataset has to give each a name of its own"
            ) from error

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every mask is decoded. Raises BrokenFile."""
        tables = {}
        categories: dict[str, int] = {}
        for path in sorted((out / "annotations").glob("instances_*.json")):
            split = path.stem.removeprefix("instances_")
            try:
                table = json.loads(path.read_bytes())
                _check(table, out / "images" / split)
                categories = {category["name"]: category["id"] for category in table["categories"]}
            except (OSError, ValueError, LookupError, TypeError) as error:
                raise BrokenFile(f"{path}: {error}; export the dataset again") from error
            tables[split] = table
        return _counted(tables, categories)


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
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": encode(instance.mask),
        "area": instance.area,
        "bbox": list(instance.box_xywh),
        "iscrowd": 0,
        "attributes": dict(instance.attributes),
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


def _counted(tables: Mapping[str, Mapping[str, Any]], categories: Mapping[str, int]) -> Exported:
    kind_of = {number: kind for kind, number in categories.items()}
    images = [image for table in tables.values() for image in table["images"]]
    notes = [note for table in tables.values() for note in table["annotations"]]
    return Exported(
        pictures=len(images),
        anomalous=sum(image["label"] for image in images),
        instances=len(notes),
        mask_px=sum(note["area"] for note in notes),
        by_split={split: len(table["images"]) for split, table in sorted(tables.items())},
        by_kind=dict(sorted(Counter(kind_of[note["category_id"]] for note in notes).items())),
    )
