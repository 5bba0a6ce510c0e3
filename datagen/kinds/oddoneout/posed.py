"""The views of scenes with their cameras, and points of what they show: objects and floor."""

from array import array
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence

import numpy as np

from datagen.formats.instances import Record, flat_name, read_size
from datagen.formats.oddoneout import read_depth
from datagen.formats.posed import POINTS, Posed, PosedView, thinned
from datagen.store.reader import DatasetReader
from datagen.store.rows import Chosen


def posed_scenes(reader: DatasetReader, rows: Sequence[Record], done: Container[str] = ()) -> Iterator[Posed]:
    """Every scene but those `done`, named by its folder; views by number. Raises BrokenFile."""
    for folder, found in scene_views(rows, done):
        views = tuple(posed_view(reader, row) for row in found)
        points = np.concatenate([_points(reader, view, POINTS // len(views) + 1) for view in views])
        yield Posed(scene_name(folder), found[0]["split"], views, thinned(points))


def scene_name(folder: str) -> str:
    """What exports call a scene, by its folder."""
    return flat_name(folder.split("/")[1])


def scene_views(rows: Sequence[Record], done: Container[str] = ()) -> Iterator[tuple[str, list[Record]]]:
    """The folder of every scene but those of the names `done`, in order, and the rows of its views by number."""
    scenes: dict[str, array[int]] = defaultdict(lambda: array("Q"))
    for k, row in enumerate(rows):
        if row["row_type"] == "sample":
            scenes[row["query_path"].rsplit("/", 2)[0]].append(k)
    for folder, numbers in sorted(scenes.items()):
        if scene_name(folder) not in done:
            yield folder, sorted(Chosen(rows, numbers), key=lambda row: row["query_path"])


def posed_view(reader: DatasetReader, row: Record) -> PosedView:
    """A view of a scene with its camera. Raises BrokenFile."""
    K, T = np.reshape(row["K"], (3, 3)), np.reshape(row["T_world_camera"], (4, 4))
    return PosedView(row["query_path"], *read_size(reader, row["query_path"]), K, T)


def _points(reader: DatasetReader, view: PosedView, count: int) -> np.ndarray:
    """About `count` points (N, 3) of the world that a view shows, from its depth, evenly over its pixels."""
    depth = read_depth(reader, view.path)
    seen = np.argwhere(depth > 0)
    row, column = seen[:: max(1, len(seen) // count)].T
    z = depth[row, column]
    pixels = np.stack([column + 0.5, row + 0.5, np.ones(len(z))])
    camera_points = (np.linalg.inv(view.K) @ pixels * z).T
    points: np.ndarray = camera_points @ view.T_world_camera[:3, :3].T + view.T_world_camera[:3, 3]
    return points
