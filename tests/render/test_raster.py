"""Ray casts against pyrender's rasteriser: another code, another algorithm, the same pixels."""

import numpy as np
import pytest

from datagen.core.errors import MissingDependency
from datagen.geometry.rays import RayScene
from datagen.kinds.registry import load_recipe
from datagen.render.raster import Rasteriser
from datagen.render.raycast import cast_view
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import reference_cameras, reference_transform
from datagen.shapes.collections import open_collection

CAMERAS = [camera for _, camera in reference_cameras(load_recipe(None).reference)]


def rasteriser(meshes):
    try:
        return Rasteriser(meshes)
    except MissingDependency as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("index", [0, 7, 15, 23])
def test_part_ids_and_depth_agree(index):
    source = open_collection("partnet/chair")
    shape = source.load(source.entries()[index].shape_id)
    meshes = [(p.part_id, p.mesh) for p in shape.transformed(reference_transform(shape)).parts]
    raster, scene = rasteriser(meshes), RayScene(meshes)
    for camera in CAMERAS[::4]:
        ids, depth = raster.part_ids(camera)
        frame = cast_view(scene, camera)
        both = (ids > 0) & frame.silhouette
        assert (ids != frame.part_id).sum() <= 0.002 * both.sum() + 2
        off = np.abs(depth - frame.depth)[both] > 0.01 * frame.depth[both]
        assert off.mean() < 0.002
    raster.close()


def test_shaded_views_show_the_same_shape():
    source = open_collection("partnet/chair")
    shape = source.load(source.entries()[3].shape_id)
    meshes = [(p.part_id, p.mesh) for p in shape.transformed(reference_transform(shape)).parts]
    raster = rasteriser(meshes)
    ours = ReferenceShader(RayScene(meshes), [m for _, m in meshes])
    for camera in CAMERAS[::5]:
        (a, _), (b, _) = ours.shaded(camera), raster.shaded(camera)
        dark_a, dark_b = a[..., 0] < 229, b[..., 0] < 229
        assert (dark_a & dark_b).sum() / (dark_a | dark_b).sum() > 0.93
        flat_a, flat_b = a[dark_a & dark_b, 0].astype(float), b[dark_a & dark_b, 0].astype(float)
        assert np.corrcoef(flat_a, flat_b)[0, 1] > 0.7
    raster.close()


def test_pytorch3d_agrees_with_the_ray_cast():
    pytest.importorskip("pytorch3d")
    from datagen.core.shape import T_PUBLISHED_FROM_INSIDE, concatenate
    from datagen.formats.cameras import camera_json
    from datagen.render.p3d import rasterise

    source = open_collection("partnet/chair")
    shape = source.load(source.entries()[0].shape_id)
    whole = concatenate(p.mesh for p in shape.transformed(reference_transform(shape)).parts)
    record = camera_json(CAMERAS[3])
    face, depth = rasterise(whole.transformed(T_PUBLISHED_FROM_INSIDE), np.array(record["K"]), np.array(record["RT"]))
    frame = cast_view(RayScene([(1, whole)]), CAMERAS[3])
    assert ((face >= 0) == frame.silhouette).all()
    assert np.abs(depth - frame.depth).max() < 1e-4
