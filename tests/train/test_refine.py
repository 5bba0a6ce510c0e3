"""A render from an unknown camera leads back to that camera, and prediction compares with a render from there."""

import numpy as np
import pytest
import torch

from datagen.core.camera import Camera
from datagen.datasets.samples import list_samples, open_dataset
from datagen.train.load import load_network
from datagen.train.loop import train
from datagen.train.runtime import Runtime
from datagen.train.tasks.matching.poses import measure
from datagen.train.tasks.matching.predict import predict
from datagen.train.tasks.matching.reference import load_shape
from datagen.train.tasks.matching.refine import MeshViews, agreement, off_deg, refine, silhouette
from tests.train.test_comparator import comparator


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("refined")
    train(folder, dataset, comparator(), Runtime(0, 1, torch.device("cpu")), lambda event: None)
    return folder


def mesh_of(dataset, sample):
    return dataset / "shapes" / f"shape_{sample.shape}" / "model.obj"


@pytest.mark.parametrize(("azimuth", "elevation", "radius"), [(40.0, 33.0, 3.0), (203.0, 22.0, 2.95)])
def test_a_render_leads_back_to_its_camera(dataset, azimuth, elevation, radius):
    sample = list_samples(open_dataset(dataset), "test")[0]
    views = MeshViews(load_shape(mesh_of(dataset, sample)))
    true = Camera(azimuth, elevation, radius, size_px=64)
    photo = np.repeat(views.picture(true)[..., None], 3, axis=2)
    found = refine(photo, views, -azimuth + 8)
    near = Camera(azimuth - 8, 20.0, 3.0, size_px=64)
    assert found.agreement > agreement(silhouette(photo[..., 0]), silhouette(views.picture(near)))
    assert off_deg(found.camera, true) < off_deg(near, true) / 2 and found.picture.shape == (64, 64)


def test_predict_compares_with_the_refined_render_of_a_mesh_and_not_of_a_bundle(run, dataset):
    sample = list_samples(open_dataset(dataset), "test")[0]
    query, mesh = dataset / sample.query_path, mesh_of(dataset, sample)
    plain, refined = (load_network(run, torch.device("cpu"), values) for values in ([], ["data.refine=true"]))
    assert predict(plain, query, mesh).camera is None and predict(refined, query, mesh.parent).camera is None
    found = predict(refined, query, mesh)
    assert found.camera is not None and any("compared with a render" in line for line in found.lines())
    assert not np.array_equal(found.picture, predict(plain, query, mesh).picture)


def test_what_it_is_worth_is_measured(run, dataset):
    found = measure(load_network(run, torch.device("cpu")), dataset, "test", 4)
    assert found["samples"] == 4 and set(found["compared_with"]) == {"chosen", "refined", "true"}
    assert 0 <= found["within_2_deg"] <= 1 and 0 < found["median_iou"] <= 1
