"""Reference views for prediction: a bundle on disk, or views rendered from any mesh."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datagen.annotate.correspondences import correspond, draw_points
from datagen.core.clutter import tidy
from datagen.core.errors import EmptyCollection, UsageError
from datagen.core.rng import stream
from datagen.core.shape import Shape, concatenate
from datagen.datasets.geometry import ViewGeometry, patch_positions
from datagen.datasets.source import spread
from datagen.datasets.views import ReferenceBundle, resized
from datagen.formats.cameras import published_pose
from datagen.geometry.rays import RayScene
from datagen.recipe.models import ReferenceRecipe
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import reference_cameras, reference_transform
from datagen.shapes.collections import open_collection
from datagen.store.reader import DatasetReader


@dataclass(frozen=True, eq=False)
class Reference:
    """Views as the networks want them: grey (N, S, S) uint8, xyz (N, P, 3) float32 (NaN = none), azimuths (N,)."""

    pictures: np.ndarray
    xyz: np.ndarray
    azimuths: np.ndarray


def open_reference(path: Path, size: int, *, published: bool, views: int = 20) -> Reference:
    """A bundle's folder (`shape_<id>` or its `mv_images`), or a mesh file or a folder of one shape's parts, as `views`
    of its views, evenly spread.

    They are those that evaluation sees, drawn as large as a bundle's and shrunk like them, so a threshold chosen there
    holds.
    `published` takes the published position maps in place of positions from depth. Raises UsageError,
    MeshLoadError, BrokenFile.
    """
    if is_bundle(path):
        folder = path / "mv_images" if (path / "mv_images").is_dir() else path
        return _from_bundle(folder, size, published, views)
    return _from_mesh(path, size, published, views)


def is_bundle(path: Path) -> bool:
    """Whether a folder holds pictures of reference views."""
    folder = path / "mv_images" if (path / "mv_images").is_dir() else path
    return folder.is_dir() and bool(tidy(folder.glob("*.png")))


def _from_bundle(folder: Path, size: int, published: bool, views: int) -> Reference:
    bundle = ReferenceBundle(DatasetReader(folder.parent, (folder.name,)), folder.name, size)
    numbers = spread(len(bundle.views), min(views, len(bundle.views)), folder.parent.name)
    positions = bundle.published_positions if published else bundle.positions
    return Reference(
        np.stack([bundle.picture(n) for n in numbers]),
        np.stack([positions(n) for n in numbers]),
        np.array([np.nan if v.azimuth_deg is None else v.azimuth_deg for v in (bundle.views[n] for n in numbers)]),
    )


def load_shape(path: Path) -> Shape:
    """The mesh as one shape, normalised and stood upright. Raises UsageError, MeshLoadError."""
    if not path.exists():
        raise UsageError(f"{path} is neither a folder of views nor a mesh file; check --reference")
    try:
        source = open_collection(str(path))
        entries = source.entries()
    except EmptyCollection as error:
        raise UsageError(
            f"{path} holds no reference view (*.png) and no shape; give a shape_<id> folder or a mesh"
        ) from error
    if len(entries) != 1:
        raise UsageError(f"{path} holds {len(entries)} shapes; give the one that the photo should show")
    return source.load(entries[0].shape_id)


def _from_mesh(path: Path, size: int, published: bool, views: int) -> Reference:
    shape = load_shape(path)
    placed = shape.transformed(reference_transform(shape))
    meshes = [part.mesh for part in placed.parts]
    scene = RayScene([(part.part_id, part.mesh) for part in placed.parts])
    shader = ReferenceShader(scene, meshes)
    recipe = ReferenceRecipe()
    cameras = reference_cameras(recipe)[: recipe.views]
    points = draw_points(concatenate(meshes), recipe.points, stream(0, "points", shape.shape_id))
    pictures, xyz, azimuths = [], [], []
    for azimuth, camera in (cameras[n] for n in spread(len(cameras), min(views, len(cameras)), shape.shape_id)):
        picture, depth = shader.shaded(camera)
        pictures.append(resized(picture[..., 0], size))
        azimuths.append(azimuth)
        if published:
            cells = correspond(points, scene, camera).xyz.reshape(-1, 3)
            xyz.append(np.where((cells == -1).all(-1, keepdims=True), np.nan, cells))
        else:
            xyz.append(patch_positions(ViewGeometry(depth, camera.K, published_pose(camera)), size // 8))
    shader.close()
    return Reference(np.stack(pictures), np.stack(xyz).astype(np.float32), np.array(azimuths))
