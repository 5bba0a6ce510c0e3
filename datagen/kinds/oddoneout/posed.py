"""The views of scenes with their cameras, and points of what they show: objects and floor."""

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence

import numpy as np

from datagen.formats.instances import Record, flat_name, read_size
from datagen.formats.oddoneout import read_depth
from datagen.formats.posed import POINTS, Posed, PosedView, thinned
from datagen.store.reader import DatasetReader


def posed_scenes(reader: DatasetReader, rows: Sequence[Record], done: Container[str] = ()) -> Iterator[Posed]:
    """Every scene but those `done`, named by its folder; views by number. Raises BrokenFile."""
    scenes: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        if row["row_type"] == "sample":
            scenes[row["query_path"].rsplit("/", 2)[0]].append(row)
    for folder, found in sorted(scenes.items()):
        name = flat_name(folder.split("/")[1])
        if name in done:
            continue
        found.sort(key=lambda row: row["query_path"])
        views = tuple(posed_view(reader, row) for row in found)
        points = np.concatenate([_points(reader, view, POINTS // len(views) + 1) for view in views])
        yield Posed(name, found[0]["split"], views, thinned(points))


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
