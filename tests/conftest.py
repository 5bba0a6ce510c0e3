"""Fixtures shared by all tests: the samples beside the checkout, small chairs, small builds."""

from pathlib import Path

import numpy as np
import pytest

from datagen.core.shape import Mesh, Part, Shape
from datagen.pipeline.build import build
from datagen.pipeline.plans import AnyPlan, make_plan
from datagen.pipeline.worker import Site
from datagen.recipe import load_recipe
from datagen.shapes.source import open_collection

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT.parent / "shared" / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """Real input by others; tests that need it skip where it is absent."""
    if not SAMPLES.is_dir():
        pytest.skip("shared/samples is not beside the checkout")
    return SAMPLES


def box(size, centre=(0, 0, 0)) -> Mesh:
    """A closed box."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)]
    faces += [(2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]
    return Mesh(corners * np.array(size) + np.array(centre), np.array(faces))


@pytest.fixture(scope="session")
def plain_chair() -> Shape:
    """Seat, back and four legs as boxes, every part touching the next."""
    parts = [
        Part(1, "seat_single_surface", "chair/chair_seat/seat_surface", "SeatSurface", box((1, 1, 0.1), (0, 0, 0.95))),
        Part(2, "back_single_surface", "chair/chair_back", "BackSurface", box((1, 0.1, 0.9), (0, 0.45, 1.45))),
    ]
    spots = [(x, y) for x in (-0.44, 0.44) for y in (-0.44, 0.44)]
    for k, (x, y) in enumerate(spots):
        path = "chair/chair_base/regular_leg_base/leg"
        parts.append(Part(3 + k, "leg", path, "Leg", box((0.1, 0.1, 0.9), (x, y, 0.45)), "legs"))
    return Shape("plain", "test", tuple(parts), model_id="plain").normalised()


def plan_of(limit=6, recipe="quickstart", sets=(), collection="partnet/chair", seed=None) -> AnyPlan:
    """A plan over the built-in chairs."""
    path = ROOT / "recipes" / f"{recipe}.yaml"
    read = load_recipe(path, sets, seed)
    return make_plan(read, open_collection(str(collection), textured=read.kind == "oddoneout"), limit)


def run_build(
    out: Path, limit=6, recipe="quickstart", sets=(), collection="partnet/chair", seed=None, layout="loose", **options
):
    """A build with the fake renderer; returns its summary."""
    return build(Site(plan_of(limit, recipe, sets, collection, seed), out, "fake", layout=layout), **options)


@pytest.fixture(scope="session")
def fake_dataset(tmp_path_factory) -> Path:
    """The demo's plan with the fake renderer: six chairs."""
    out = tmp_path_factory.mktemp("data") / "demo"
    run_build(out)
    return out
