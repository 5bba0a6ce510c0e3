"""Render for detect on a whole split: every query beside its reference as the camera found for it sees that."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.core.errors import BrokenFile, UsageError
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.datasets.config import Against
from datagen.datasets.matching import MatchingDataset, Renders
from datagen.datasets.samples import Sample, open_dataset
from datagen.datasets.views import ReferenceBundle
from datagen.meshfiles.obj import whole_mesh
from datagen.store.reader import DatasetReader
from datagen.train.infer import predict_split
from datagen.train.runtime import Runtime
from datagen.train.task import Loaded
from datagen.train.tasks.matching.differences import SeenPart, have_names, named
from datagen.train.tasks.matching.points import PointViews
from datagen.train.tasks.matching.predictions import MatchingPredictions
from datagen.train.tasks.matching.recipe import COMPARES, MatchingRecipe
from datagen.train.tasks.matching.reference import is_bundle, load_shape
from datagen.train.tasks.matching.refine import (
    MeshViews,
    Views,
    direction_deg,
    refine_from,
    starting_azimuths,
    views_of,
)

By = Literal["mesh", "points"]


@dataclass(frozen=True, eq=False)
class Wanted:
    """A query to find the camera of: its number, its picture (S, S, 3), the published azimuths of the views that the
    search begins at, the true place of its camera (3,) about the reference as it stands, z up, NaN where unknown, and
    whether the object may lie beside the middle of the picture."""

    number: int
    photo: np.ndarray
    azimuths_deg: Sequence[float]
    eye: np.ndarray
    aside: bool


def with_renders(loaded: Loaded, data: MatchingDataset, runtime: Runtime) -> MatchingDataset:
    """The split as `data.against` of the recipe asks for it: for mesh and points with a render for every sample.

    The search begins at the view that the network chooses. Raises BrokenFile where a bundle has no mesh, or no depth.
    """
    by = against_of(loaded.recipe, data)
    if by not in ("mesh", "points"):
        return data
    chosen: MatchingPredictions = predict_split(loaded.task, loaded.objective, data, runtime, loaded.recipe)
    return data.with_renders(render_all(data, chosen.view, by, runtime, loaded.recipe.data.workers))


def against_of(recipe: MatchingRecipe, data: MatchingDataset) -> Against:
    """What the queries of a split are compared with; `best` is settled by what its first bundle has."""
    wanted = recipe.data.against
    if wanted != "best" or recipe.model.network not in COMPARES:
        return wanted if recipe.model.network in COMPARES else "view"
    there = rendered_by(open_dataset(data.source.root), f"shapes/shape_{data.reference_of(data.samples[0])}")
    return there[0] if there else "view"


def render_all(data: MatchingDataset, view: np.ndarray, by: By, runtime: Runtime, workers: int) -> Renders:
    """A render of every sample's reference from the camera found, and how many degrees that camera is off.

    `view` (n,): places among the views evaluated, where the searches begin (`starting_azimuths`). Bundles are
    shared out over the processes.
    """
    order = sorted(range(len(data)), key=lambda number: data.reference_of(data.samples[number]))
    groups = [(b, list(rows)) for b, rows in groupby(order, lambda number: data.reference_of(data.samples[number]))]
    mine = groups[runtime.rank :: runtime.ranks]
    tasks = [(bundle, _wanted(data, bundle, rows, view)) for bundle, rows in mine]
    render = partial(_render_bundle, data.source.root, data.config.image_px, by)
    pictures = np.zeros((len(data), data.config.image_px, data.config.image_px), dtype=np.uint8)
    error = np.full(len(data), np.nan)
    with _mapping(workers) as mapped:
        found = [one for part in mapped(render, tasks) for one in part]
    for of_rank in runtime.gather(found):
        for number, picture, off in of_rank:
            pictures[number], error[number] = picture, off
    return Renders(pictures, error)


@dataclass(frozen=True, eq=False)
class Renderable:
    """What a reference can be rendered from: `views` None where a photo is compared with a view of the bundle.

    `mesh` with `parts` are there where the reference is a mesh, by which part ids are known.
    """

    views: Views | None = None
    mesh: MeshViews | None = None
    parts: Sequence[SeenPart] = ()


def open_renders(reference: Path, against: Against, size: int) -> Renderable:
    """Of a mesh's file, a bundle's folder (`shape_<id>`) or its `mv_images`, as `data.against` asks.

    `best` takes the mesh where there is one, else the points. Raises UsageError where what is asked for is not there.
    """
    if not is_bundle(reference):
        shape = load_shape(reference)
        mesh = views_of(shape)
        parts = named(shape.parts) if len(shape.parts) > 1 and have_names(shape.parts) else []
        return Renderable(mesh if against in ("best", "mesh") else None, mesh, parts)
    folder = reference.parent if reference.name == "mv_images" else reference
    files = DatasetReader(folder.parent, (folder.name,))
    there = rendered_by(files, folder.name)
    if against == "view":
        return Renderable()
    if against == "own_camera":
        raise UsageError("a photo's true camera is not known: data.against own_camera is for evaluate")
    if against != "best" and against not in there:
        raise UsageError(f"{reference} has no {'model.obj' if against == 'mesh' else 'depth maps'} to render from")
    by = there[0] if against == "best" and there else against
    return Renderable(None if by == "best" else rendered_views(files, folder.name, by, size))


def rendered_by(files: DatasetReader, folder: str) -> list[By]:
    """By what a bundle's folder can be rendered, the best first."""
    depths = any(path.endswith("_depth.npy") for path in files.list(f"{folder}/mv_images"))
    there: dict[By, bool] = {"mesh": files.has(f"{folder}/model.obj"), "points": depths}
    return [by for by, found in there.items() if found]


def _wanted(data: MatchingDataset, bundle: str, rows: Sequence[int], view: np.ndarray) -> list[Wanted]:
    views = data.evaluated_views(bundle)
    pictures, azimuths = data.source.pictures(bundle, views), data.source.azimuths(bundle)[list(views)]
    found = []
    for number in rows:
        photo = np.array(data.source.query(data.samples[number]))
        starts = starting_azimuths(photo, pictures, azimuths, int(view[number]))
        sample = data.samples[number]
        found.append(Wanted(number, photo, starts, _eye(sample), bool(sample.tray)))
    return found


def _eye(sample: Sample) -> np.ndarray:
    """The true place (3,) of a query's camera about the reference as it stands, z up; NaN where unknown."""
    eye = np.full(3, np.nan)
    if len(sample.T_world_camera) == 16:
        eye = T_INSIDE_FROM_PUBLISHED[:3, :3] @ np.array(sample.T_world_camera).reshape(4, 4)[:3, 3]
    if sample.tray:
        eye = Rotation.from_euler("z", -sample.tray[0], degrees=True).apply(eye)
    return eye


@contextmanager
def _mapping(workers: int) -> Iterator[type[map]]:
    if not workers:
        yield map
        return
    with ProcessPoolExecutor(workers, get_context("forkserver")) as pool:
        yield pool.map  # type: ignore[misc]


def _render_bundle(
    root: Path, size: int, by: By, task: tuple[str, Sequence[Wanted]]
) -> list[tuple[int, np.ndarray, float]]:
    bundle, queries = task
    views = views_of_bundle(open_dataset(root), bundle, by, size)
    found = []
    for query in queries:
        refined = refine_from(query.photo, views, query.azimuths_deg, aside=query.aside)
        found.append((query.number, refined.picture, direction_deg(refined.camera.position, query.eye)))
    return found


def views_of_bundle(files: DatasetReader, bundle: str, by: By, size: int) -> Views:
    """Pictures of a dataset's reference from any camera, `size` px a side. Raises BrokenFile, MeshLoadError."""
    return rendered_views(files, f"shapes/shape_{bundle}", by, size)


def rendered_views(files: DatasetReader, folder: str, by: By, size: int) -> Views:
    """The same of a bundle's folder."""
    if by == "mesh":
        path = f"{folder}/model.obj"
        if not files.has(path):
            raise BrokenFile(f"{files.root}/{path}: no mesh to render; set data.against=points or view")
        mesh = whole_mesh(files.read(path), path)
        return MeshViews([(1, mesh.transformed(T_INSIDE_FROM_PUBLISHED))])
    read = ReferenceBundle(files, f"{folder}/mv_images", size)
    depths = [read.geometry(view) for view in range(len(read.views))]
    known = [depth for depth in depths if depth is not None]
    if len(known) < len(depths):
        raise BrokenFile(f"{files.root}/{folder}: no depth maps to render from; set data.against=mesh or view")
    return PointViews(known, size)
