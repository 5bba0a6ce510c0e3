"""Meshes and depth of what pictures of chairs show, made again from the shapes that the dataset was built from."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
from pydantic import ValidationError

from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.camera import Camera
from datagen.core.errors import BrokenFile, UsageError
from datagen.core.shape import concatenate
from datagen.formats.brokenchairs import reference_folder
from datagen.formats.instances import Picture, flat_name, read_json
from datagen.formats.solids import Compared, Depth, Rows, Solid
from datagen.geometry.rays import RayScene
from datagen.kinds.brokenchairs.kind import plan_chairs, reading
from datagen.kinds.brokenchairs.looks import row_lens
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.kinds.brokenchairs.state import state_key, state_of
from datagen.kinds.brokenchairs.verify.source import OpenSource
from datagen.pipeline.context import ShapeCache
from datagen.recipe import Recipe
from datagen.render.raycast import cast_view
from datagen.scenes.cameras import query_transform, reference_transform
from datagen.shapes.collections import open_collection
from datagen.store.reader import DatasetReader
from datagen.store.rows import Chosen
from datagen.verify.source import open_plan


def chair_solids(reader: DatasetReader, rows: Rows, shapes: str, done: Container[str] = ()) -> Iterator[Compared]:
    """Every normal shape with the anomalous ones that pictures show, by public id."""
    found: dict[int, dict[str, int]] = {}
    for k, row in enumerate(rows):
        if row["row_type"] == "sample":
            of_shape = found.setdefault(row["public_id"], {"": k})
            if row["label"]:
                of_shape.setdefault(row["job_id"], k)
    opened: tuple[OpenSource, Recipe] | None = None
    for public_id, jobs in sorted(found.items()):
        name = flat_name(reference_folder(public_id).split("/")[1])
        if name in done:
            continue
        opened = opened or _open(reader, shapes)
        source, recipe = opened
        first = rows[jobs[""]]
        shape = source.load(first["shape_id"])
        T = reference_transform(shape)
        whole = concatenate(part.mesh.transformed(T) for part in shape.parts)
        normal = Solid(name, "good", whole, np.zeros(len(whole.faces), dtype=bool))
        numbers = [number for job, number in sorted(jobs.items()) if job]
        yield Compared(name, first["split"], normal, _Made(source, recipe, T, Chosen(rows, numbers)))


class _Made(Sequence[Solid]):
    """Anomalous shapes of rows, each made when it is asked for: a shape may have hundreds."""

    def __init__(self, source: OpenSource, recipe: Recipe, T: np.ndarray, rows: Rows) -> None:
        self._source, self._recipe, self._T, self._rows = source, recipe, T, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, k: int) -> Solid: ...
    @overload
    def __getitem__(self, k: slice) -> "_Made": ...
    def __getitem__(self, k: int | slice) -> "Solid | _Made":
        if isinstance(k, slice):
            return _Made(self._source, self._recipe, self._T, self._rows[k])
        row = self._rows[k]
        return _solid(self._source.remade(row, self._recipe), row, self._T)


def _solid(made: AnomalousShape | Rejected, row: Mapping[str, Any], T: np.ndarray) -> Solid:
    made = _accepted(made, row)
    meshes = made.meshes()
    changed = [made.changed.get(part_id, np.zeros(len(mesh.faces), dtype=bool)) for part_id, mesh in meshes]
    gone = [made.normal.part(part_id).mesh.transformed(T) for part_id in made.gone]
    return Solid(
        flat_name(row["query_path"].split("/")[1]),
        row["kind"],
        concatenate(mesh.transformed(T) for _, mesh in meshes),
        np.concatenate(changed),
        concatenate(gone) if gone else None,
    )


def chair_depths(reader: DatasetReader, rows: Rows, shapes: str) -> Callable[[Picture], Depth]:
    """Depth of queries by ray casts; pictures of one job follow each other, so the scene of a state is kept."""
    by_id = {row["sample_id"]: k for k, row in enumerate(rows) if row["row_type"] == "sample"}
    source, recipe = _open(reader, shapes)
    kept: dict[str, RayScene] = {}

    def depth(picture: Picture) -> Depth:
        row = rows[by_id[picture.sample_id]]
        shown = f"{row['job_id']} {state_key(row)}"
        if shown not in kept:
            kept.clear()
            shape = source.load(row["shape_id"])
            T = query_transform(shape, recipe.query)
            if row["label"]:
                meshes = _accepted(source.remade(row, recipe), row).meshes()
            else:
                meshes = [(part.part_id, part.mesh) for part in state_of(row).placed(shape).parts]
            kept[shown] = RayScene([(part_id, mesh.transformed(T)) for part_id, mesh in meshes])
        focal = recipe.query.focal_at(row["radius"])
        seen = (row["azimuth_deg"], row["elevation_deg"], row["radius"], picture.width)
        camera = Camera(*seen, focal_px_at_256=focal, lens=row_lens(row))
        return Depth(cast_view(kept[shown], camera).depth, camera.K)

    return depth


def _open(reader: DatasetReader, shapes: str) -> tuple[OpenSource, Recipe]:
    """The shapes of the build. Raises UsageError where they are not here, or there is no recipe."""
    run = read_json(reader, "run.json") if reader.has("run.json") else {}
    try:
        recipe = Recipe.model_validate(run.get("recipe"))
    except ValidationError as error:
        raise UsageError(f"{reader.root} has no run.json with a recipe of chairs; its meshes cannot be made") from error

    def opened(spec: str) -> ChairPlan:
        told = reading(recipe)
        return plan_chairs(recipe, open_collection(spec, None, False, told.categories, told.keep, told.units))

    plan, why = open_plan(reader.root, run, opened, shapes or None, ("partnet/chair",))
    if plan is None:
        raise UsageError(f"{why}; say where the shapes are: --set shapes=FOLDER")
    return OpenSource(plan, ShapeCache(plan, size=24)), recipe


def _accepted(made: AnomalousShape | Rejected, row: Mapping[str, Any]) -> AnomalousShape:
    if isinstance(made, Rejected):
        raise BrokenFile(
            f"the anomaly of {row['query_path']} is not made again ({made.reason}: {made.detail}); "
            "`datagen verify` says how far the dataset differs"
        )
    return made
