"""A render from an unknown camera leads back to that camera, and prediction compares with a render from there."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from datagen.cli.predict import _tile, _write_table
from datagen.core.camera import Camera
from datagen.datasets.samples import list_samples, open_dataset
from datagen.datasets.viewpoint import nearest_view
from datagen.datasets.views import ReferenceBundle
from datagen.recipe.models import ReferenceRecipe
from datagen.train.evaluate import evaluate
from datagen.train.load import load_network
from datagen.train.loop import train
from datagen.train.runtime import Runtime
from datagen.train.tasks.matching.data import open_split
from datagen.train.tasks.matching.page import scored_comparison
from datagen.train.tasks.matching.predict import Judge
from datagen.train.tasks.matching.predictions import BINS
from datagen.train.tasks.matching.reference import load_shape
from datagen.train.tasks.matching.refine import (
    Pose,
    Refined,
    agreement,
    agrees_elsewhere,
    direction_deg,
    final_picture,
    is_found,
    moved,
    refine,
    refine_from,
    silhouette,
    turned,
    views_of,
)
from datagen.train.tasks.matching.rendered import _wanted, views_of_bundle
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
    views = views_of(load_shape(mesh_of(dataset, sample)))
    true = Camera(azimuth, elevation, radius, size_px=64)
    photo = np.repeat(views.picture(true)[..., None], 3, axis=2)
    found = refine(photo, views, -azimuth + 8)
    near = Camera(azimuth - 8, 20.0, 3.0, size_px=64)
    assert found.agreement > agreement(silhouette(photo[..., 0]), silhouette(views.picture(near)))
    off, before = (direction_deg(camera.position, true.position) for camera in (found.camera, near))
    assert off < before / 2 and found.picture.shape == (64, 64)


def test_predict_compares_with_the_refined_render_of_a_mesh(run, dataset):
    sample = list_samples(open_dataset(dataset), "test")[0]
    query, mesh = dataset / sample.query_path, mesh_of(dataset, sample)
    plain, refined = (load_network(run, torch.device("cpu"), values) for values in (["data.against=view"], []))
    assert Judge(plain, mesh)(query).camera is None
    found = Judge(refined, mesh)(query)
    assert found.camera is not None and any("compared with a render" in line for line in found.lines())
    assert not np.array_equal(found.picture, Judge(plain, mesh)(query).picture)


def test_a_photo_of_another_thing_is_told(run, dataset, tmp_path):
    sample = list_samples(open_dataset(dataset), "test")[0]
    judge = Judge(load_network(run, torch.device("cpu")), mesh_of(dataset, sample))
    bar = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(bar).line((30, 30, 98, 98), fill=(90, 90, 90), width=10)
    bar.save(tmp_path / "bar.png")
    (note,) = [note for note in judge(tmp_path / "bar.png").notes if "outline agrees" in note]
    assert " % at best" in note
    certain = replace(load_network(run, torch.device("cpu")), threshold=-1.0)
    told = Judge(certain, mesh_of(dataset, sample))(tmp_path / "bar.png")
    assert told.differs is None and not told.found_camera
    assert "what differs is not told: no camera was found" in told.lines()[1]
    tile = _tile(told, "bar.png")
    assert any(line.startswith("note: ") for line in tile.lines) and tile.marked
    _write_table(tmp_path / "calls.csv", [told.to_json()])
    assert "outline agrees" in (tmp_path / "calls.csv").read_text()
    photo = np.asarray(Image.open(dataset / sample.query_path).convert("RGB").resize((64, 64)))
    found = refine(photo, views_of(load_shape(mesh_of(dataset, sample))), -sample.azimuth_deg)
    assert is_found(found) and not is_found(replace(found, agreement=0.5))


def test_a_large_defect_is_no_wrong_camera():
    """Outlines agree but for where the network sees a change: the camera is right."""
    render = np.full((64, 64), 255, np.uint8)
    render[8:56, 16:48] = 90
    photo = render.copy()
    photo[8:28] = 255
    found = Refined(Pose(Camera(0.0, 20.0, 3.0, size_px=64)), render, 0.58)
    change = np.zeros((64, 64))
    assert not agrees_elsewhere(found, silhouette(photo), change)
    change[8:28, 16:48] = 1.0
    assert agrees_elsewhere(found, silhouette(photo), change)
    # What sees a change nearly everywhere explains nothing.
    change[8:50, 16:48] = 1.0
    assert not agrees_elsewhere(found, silhouette(photo), change)


def test_the_search_begins_again_from_views_of_a_like_outline(run, dataset, monkeypatch):
    sample = list_samples(open_dataset(dataset), "test")[0]
    judge = Judge(load_network(run, torch.device("cpu")), mesh_of(dataset, sample))
    begun = []

    def found_at_the_third(photo, views, azimuth_deg, **options):
        begun.append(azimuth_deg)
        picture = np.zeros((64, 64), np.uint8)
        return Refined(Pose(Camera(azimuth_deg, 20.0, 3.0, size_px=64)), picture, (0.4, 0.5, 0.9)[len(begun) - 1])

    monkeypatch.setattr("datagen.train.tasks.matching.refine.refine", found_at_the_third)
    found = judge(dataset / sample.query_path)
    assert found.found_camera and len(set(begun)) == 3 and found.camera.azimuth_deg == begun[2]


def test_a_search_from_behind_is_mended(dataset):
    """Of a split too: the network may have chosen a view that is far off."""
    data = open_split(dataset, "test", comparator())
    row = next(n for n, sample in enumerate(data.samples) if not sample.label)
    bundle, found = data.samples[row].bundle, {}
    place, _ = nearest_view(data.source, bundle, data.samples[row], data.evaluated_views(bundle))
    for name, turn in (("near", 0), ("behind", 2)):
        (wanted,) = _wanted(data, bundle, [row], np.full(len(data), (place + turn) % 4))
        views = views_of_bundle(open_dataset(dataset), bundle, "mesh", 64)
        refined = refine_from(wanted.photo, views, wanted.azimuths_deg)
        found[name] = direction_deg(refined.camera.position, wanted.eye)
    assert found["behind"] < found["near"] + 5


def test_a_photo_that_was_not_taken_like_a_query_is_turned_and_moved_back(dataset):
    sample = list_samples(open_dataset(dataset), "test")[0]
    views = views_of(load_shape(mesh_of(dataset, sample)))
    true = Camera(40.0, 30.0, 3.0, size_px=64)
    seen = moved(turned(views.picture(true), 5.0), (0.05, -0.03))
    photo = np.repeat(seen[..., None], 3, axis=2)
    bound, free = (refine(photo, views, -38.0, free=free) for free in (False, True))
    assert free.agreement > 0.9 and free.agreement > bound.agreement
    assert abs(free.pose.roll_deg - 5.0) < 1.5
    assert direction_deg(free.camera.position, true.position) < 2


def test_an_object_that_lies_aside_is_found_from_high_above(dataset):
    sample = list_samples(open_dataset(dataset), "test")[0]
    views = views_of(load_shape(mesh_of(dataset, sample)))
    true = Camera(40.0, 62.0, 3.0, size_px=160)
    seen = moved(views.picture(true), (0.03, 0.04))
    photo = np.repeat(seen[..., None], 3, axis=2)
    centred, aside = (refine(photo, views, -34.0, aside=aside) for aside in (False, True))
    assert aside.agreement > max(0.95, centred.agreement)
    assert direction_deg(aside.camera.position, true.position) < 2
    assert aside.picture.shape == (160, 160) and aside.camera.size_px == 160
    np.testing.assert_allclose(aside.pose.shift, (0.03, 0.04), atol=0.01)


def test_the_points_of_the_views_look_like_the_mesh_from_cameras_between_them(dataset):
    files = open_dataset(dataset)
    bundle = list_samples(files, "test")[0].bundle
    mesh, points = (views_of_bundle(files, bundle, by, 64) for by in ("mesh", "points"))
    for azimuth, elevation in ((49.0, 35.0), (205.0, 22.0)):
        camera = Camera(azimuth, elevation, 3.0, size_px=64)
        a, b = (views.picture(camera).astype(float) for views in (mesh, points))
        assert agreement(silhouette(a), silhouette(b)) > 0.85
        both = (a < 230) & (b < 230)
        assert np.median(np.abs(a - b)[both]) < 8


@pytest.mark.parametrize(("by", "most"), [("mesh", 1.5), ("points", 12.0)])
def test_a_render_is_drawn_as_bundles_are(dataset, by, most):
    """A view of the bundle, as training reads it, and the render from its camera."""
    files = open_dataset(dataset)
    bundle = list_samples(files, "test")[0].bundle
    read = ReferenceBundle(files, f"shapes/shape_{bundle}/mv_images", 64)
    views, recipe = views_of_bundle(files, bundle, by, 64), ReferenceRecipe()
    for number in (0, 3):
        camera = Camera(-read.views[number].azimuth_deg, recipe.elevation_deg, recipe.radius, size_px=64)
        wanted = read.picture(number).astype(float)
        shrunk, direct = final_picture(views, Pose(camera)), views.picture(camera)
        apart = [np.abs(wanted - one)[(wanted < 250) | (one < 250)].mean() for one in (shrunk, direct)]
        assert apart[0] < min(most, apart[1] - 2)


@pytest.mark.parametrize("by", ["mesh", "points"])
def test_a_split_is_evaluated_by_renders_and_the_error_of_the_camera_is_told(run, dataset, by):
    runtime = Runtime(0, 1, torch.device("cpu"))
    found = evaluate(load_network(run, runtime.device, [f"data.against={by}"]), dataset, "test", runtime, rounds=20)
    assert 0 <= found.report["pose_within_2_deg"] <= 1 and found.report["pose_error_deg"] >= 0
    plain = evaluate(load_network(run, runtime.device, ["data.against=view"]), dataset, "test", runtime, rounds=20)
    assert "pose_error_deg" not in plain.report
    assert not np.array_equal(found.predictions.score, plain.predictions.score)


@pytest.mark.parametrize("against", ["mesh", "view"])
def test_the_page_shows_the_comparison_that_was_scored(run, dataset, against):
    loaded = load_network(run, torch.device("cpu"), [f"data.against={against}"])
    found = evaluate(loaded, dataset, "test", Runtime(0, 1, torch.device("cpu")), rounds=5)
    row = int(np.flatnonzero(found.predictions.label)[0])
    change, compared = scored_comparison(found.data, row, loaded)
    views = found.data[row]["views"].numpy()
    wanted = found.data.renders.pictures[row] if against == "mesh" else views[found.predictions.view[row]]
    assert np.array_equal(compared, wanted)
    cells = (change * BINS).astype(int).clip(0, BINS - 1)
    assert np.array_equal(np.bincount(cells.ravel(), minlength=BINS), found.predictions.pixels[row].sum(axis=0))
