"""Scenes with the meshes of their objects, made again from the shapes that the dataset was built from."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError

from datagen.core.errors import BrokenFile, UsageError
from datagen.core.ids import content_hash
from datagen.core.shape import concatenate
from datagen.formats.instances import Record, read_json
from datagen.formats.oddoneout import read_depth
from datagen.formats.posed import PosedView
from datagen.formats.stages import Stage, Thing
from datagen.kinds.oddoneout.kind import plan_scenes
from datagen.kinds.oddoneout.posed import posed_view, scene_name, scene_views
from datagen.kinds.oddoneout.shapes import SceneShapes
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.pipeline.assets import open_library
from datagen.recipe import SceneRecipe
from datagen.shapes.collections import open_collection
from datagen.store.reader import DatasetReader
from datagen.verify.source import open_plan


def staged_scenes(
    reader: DatasetReader, rows: Sequence[Record], shapes: str, done: Container[str] = ()
) -> Iterator[Stage]:
    """Every scene, named by its folder; views by number, objects in the order of the table."""
    source: SceneShapes | None = None
    for folder, found in scene_views(rows, done):
        source = source or _open(reader, shapes)
        views = tuple(posed_view(reader, row) for row in found)
        table = read_json(reader, f"{folder}/scene3d.metadata.json")
        numbers = [row["query_path"].rsplit("/", 1)[1] for row in found]
        try:
            things = tuple(_thing(source, folder, record, numbers) for record in table["objects"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BrokenFile(f"{reader.root / folder}: its objects cannot be read ({error}); build it again") from error
        yield Stage(scene_name(folder), found[0]["split"], views, things, _depths(reader, views))


def _depths(reader: DatasetReader, views: Sequence[PosedView]) -> Callable[[int], np.ndarray]:
    return lambda k: read_depth(reader, views[k].path)


def _thing(source: SceneShapes, folder: str, record: Mapping[str, Any], numbers: Sequence[str]) -> Thing:
    shape_id, name = str(record["shape_id"]), str(record["name"])
    shape = source.shown(shape_id, record)
    if shape is None:
        raise BrokenFile(f"{folder}: the anomaly of {name} is not made again; `datagen verify` says how it differs")
    T = np.array(record["T_world_shape"], dtype=np.float64)
    spec = (record.get("anomaly") or {}).get("spec")
    scale = round(float(np.cbrt(np.linalg.det(T[:3, :3]))), 6)
    return Thing(
        content_hash([shape_id, spec, scale]),
        shape_id,
        str(record["kind"]),
        int(record["label"]),
        concatenate(part.mesh for part in shape.parts),
        T,
        tuple(f"{folder}/segmentations/{name}/{name}_{number}" for number in numbers),
    )


def _open(reader: DatasetReader, shapes: str) -> SceneShapes:
    """The shapes of the build. Raises UsageError where they are not here, or there is no recipe."""
    run = read_json(reader, "run.json") if reader.has("run.json") else {}
    try:
        recipe = SceneRecipe.model_validate(run.get("recipe"))
    except ValidationError as error:
        raise UsageError(f"{reader.root} has no run.json with a recipe of scenes; its meshes cannot be made") from error
    plan, why = open_plan(
        reader.root,
        run,
        lambda spec: plan_scenes(recipe, open_collection(spec, textured=True)),
        shapes or None,
        ("toys", "abc"),
    )
    if plan is None:
        raise UsageError(f"{why}; say where the shapes are: --set shapes=FOLDER")
    return SceneShapes(SceneTools(plan, open_library(plan), "fake"))
