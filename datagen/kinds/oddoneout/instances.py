"""Views of scenes as pictures with instances: every odd object that the view shows."""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from datagen.core.errors import BrokenFile
from datagen.formats.instances import (
    Instance,
    Instances,
    Picture,
    Record,
    SeenObject,
    flat_name,
    read_json,
    read_mask,
    read_size,
)
from datagen.formats.oddoneout import KINDS
from datagen.kinds.oddoneout.depths import scene_depths
from datagen.kinds.oddoneout.posed import posed_scenes, scene_views
from datagen.kinds.oddoneout.stages import staged_scenes
from datagen.store.reader import DatasetReader
from datagen.store.rows import Chosen


def scene_pictures(reader: DatasetReader, rows: Sequence[Record]) -> Iterator[Picture]:
    """Every view, named by its scene and its number. Raises BrokenFile for a file that cannot be read."""
    odd: dict[str, array[int]] = defaultdict(lambda: array("Q"))
    for k, row in enumerate(rows):
        if row["row_type"] == "object" and row["label"]:
            odd[row["query_path"].partition("#")[0]].append(k)
    categories = _categories(reader)
    for folder, views in scene_views(rows):
        objects = sorted(Chosen(rows, odd.get(folder, ())), key=lambda row: row["index"])
        changed = _changed_px(reader, folder) if objects else {}
        for row in views:
            yield _picture(reader, folder, row, objects, changed, categories)


def _picture(
    reader: DatasetReader,
    folder: str,
    row: Record,
    odd: Sequence[Record],
    changed: Mapping[str, Sequence[int]],
    categories: Mapping[str, str],
) -> Picture:
    view = row["query_path"].rsplit("/", 1)[1].removesuffix(".png")
    width, height = read_size(reader, row["query_path"])
    found = []
    for item in odd:
        name = item["query_path"].partition("#")[2]
        mask = read_mask(reader, f"{folder}/segmentations/{name}/{name}_{view}.png", (width, height))
        if mask.any():
            attributes = {
                "severity": item["severity"],
                "shape_id": item["shape_id"],
                "changed_px": changed[name][int(view)],
                "object": name,
            }
            found.append(Instance(item["kind"], mask, attributes))
    name = flat_name(folder.split("/")[1], view)
    told = (name, row["query_path"], width, height, row["split"], row["label"], row["sample_id"], tuple(found))
    return Picture(*told, shape_id=row["shape_id"], category=categories.get(row["shape_id"], ""))


def _categories(reader: DatasetReader) -> Mapping[str, str]:
    """shape_id -> category, as the build's table of shapes says; empty where there is none."""
    if not reader.has("shapes.json") and not (reader.root / "shapes.json").is_file():
        return {}
    shapes = read_json(reader, "shapes.json").get("shapes", {})
    return {name: str(entry.get("category", "")) for name, entry in shapes.items() if isinstance(entry, dict)}


def _changed_px(reader: DatasetReader, folder: str) -> Mapping[str, Sequence[int]]:
    """Odd object -> changed pixels by view; rows hold the largest alone."""
    path = f"{folder}/scene3d.metadata.json"
    table = read_json(reader, path)
    try:
        return {item["name"]: item["anomaly"]["changed_px"] for item in table["objects"] if item["label"]}
    except (KeyError, TypeError) as error:
        raise BrokenFile(
            f"{reader.root / path} lists no objects with their anomalies; build the scene again"
        ) from error


def scene_objects(reader: DatasetReader, rows: Sequence[Record]) -> Iterator[SeenObject]:
    """Every object of every scene, normal and odd. Raises BrokenFile."""
    views = {folder: [row["query_path"] for row in found] for folder, found in scene_views(rows)}
    sizes = {folder: read_size(reader, paths[0]) for folder, paths in views.items()}
    for row in rows:
        folder, _, name = row["query_path"].partition("#")
        if row["row_type"] == "object" and folder in views:
            mask = f"{folder}/segmentations/{name}/{name}_"
            masks = {path: mask + path.rsplit("/", 1)[1] for path in views[folder]}
            yield SeenObject(folder.split("/")[1], name, row["split"], row["label"], sizes[folder], masks)


SCENE_INSTANCES = Instances(
    KINDS, scene_pictures, "object", posed_scenes, depths=scene_depths, stages=staged_scenes, objects=scene_objects
)
