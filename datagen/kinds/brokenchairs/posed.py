"""Reference views of normal shapes with their cameras and points of the surface, in the frame with z up."""

from collections.abc import Container, Iterator, Sequence

import numpy as np

from datagen.core.camera import OPENCV_FROM_OPENGL
from datagen.core.errors import BrokenFile
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.formats.brokenchairs import reference_folder, reference_name
from datagen.formats.cameras import read_camera
from datagen.formats.instances import Record, flat_name, read_json, read_size
from datagen.formats.posed import Posed, PosedView, thinned
from datagen.formats.safe_npy import UnsafePickle, parse_npy_dict
from datagen.store.reader import DatasetReader


def posed_references(reader: DatasetReader, rows: Sequence[Record], done: Container[str] = ()) -> Iterator[Posed]:
    """Every normal shape's bundle but those `done`, named by its folder; views by azimuth. Raises BrokenFile."""
    bundles = {row["public_id"]: k for k, row in enumerate(rows) if row["row_type"] == "reference" and not row["label"]}
    for public_id, number in sorted(bundles.items()):
        row, folder = rows[number], reference_folder(public_id)
        name = flat_name(folder.split("/")[1])
        if name in done:
            continue
        stems = [p.removesuffix(".png") for p in reader.list(f"{folder}/mv_images") if p.endswith(".png")]
        stems.sort(key=lambda stem: reference_name(stem)[1] or 0.0)
        points = np.concatenate([_points(reader, f"{stem}.npy") for stem in stems] or [np.empty((0, 3))])
        views = tuple(_view(reader, stem) for stem in stems)
        yield Posed(name, row["split"], views, thinned(points), row["shape_id"], normal=True)


def _view(reader: DatasetReader, stem: str) -> PosedView:
    camera = read_camera(read_json(reader, f"{stem}.json"))
    if camera is None:
        raise BrokenFile(f"{reader.root / stem}.json holds no K, RT and RT_; build the dataset again")
    # OPENCV_FROM_OPENGL turns two axes of the camera and is its own inverse.
    T = T_INSIDE_FROM_PUBLISHED @ camera.RT_ @ OPENCV_FROM_OPENGL
    return PosedView(f"{stem}.png", *read_size(reader, f"{stem}.png"), camera.K, T)


def _points(reader: DatasetReader, path: str) -> np.ndarray:
    """The points that a view sees, (N, 3), z up."""
    try:
        xyz = parse_npy_dict(reader.read(path), path)["xyz"].reshape(-1, 3)
    except (UnsafePickle, LookupError, AttributeError, ValueError) as error:
        raise BrokenFile(f"{reader.root / path}: {error}; build the dataset again") from error
    seen = xyz[(xyz != -1).any(axis=1)]
    points: np.ndarray = seen @ T_INSIDE_FROM_PUBLISHED[:3, :3].T
    return points
