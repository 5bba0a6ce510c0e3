"""Fixtures shared by all tests: the samples beside the checkout, small chairs, small builds."""

import os

# Two processes of tests share two cores: more threads of BLAS and OpenMP would wait for each other, spinning.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from datagen.core.shape import Mesh, Part, Shape
from datagen.kinds.registry import load_recipe, make_plan, open_shapes
from datagen.pipeline.build import Scope, build
from datagen.pipeline.plan import Plan
from datagen.pipeline.worker import Site
from tests.helpers.box_chairs import write_plain_chairs

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT.parent / "shared" / "samples"

# A loaded machine is no failure: no property test is judged by the clock.
hypothesis.settings.register_profile("datagen", deadline=None)
hypothesis.settings.load_profile("datagen")


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


def plan_of(limit=6, recipe="quickstart", sets=(), collection="partnet/chair", seed=None) -> Plan:
    """A plan over the built-in chairs."""
    path = ROOT / "recipes" / f"{recipe}.yaml"
    read = load_recipe(path, sets, seed)
    return make_plan(read, open_shapes(read, str(collection)), limit)


def run_build(
    out: Path,
    limit=6,
    recipe="quickstart",
    sets=(),
    collection="partnet/chair",
    seed=None,
    layout="loose",
    renderer="fake",
    **scope,
):
    """A build, by the fake renderer if nothing else is said, of the whole plan or a `Scope`; returns its summary."""
    plan = plan_of(limit, recipe, sets, collection, seed)
    return build(Site(plan, out, renderer, layout=layout), scope=Scope(**scope))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """The textures, skies and poses of this run: what a user's cache holds is no test's business."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DATAGEN_CACHE", str(run_folder(tmp_path_factory) / "cache"))
        yield


def run_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a run of tests share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` fills, once a run whichever of its processes comes first. Tests do not write to it."""
    folder = run_folder(factory) / "shared" / name
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_suffix(".done")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def fake_dataset(tmp_path_factory) -> Path:
    """The demo's plan with the fake renderer: six chairs."""
    return shared(tmp_path_factory, "demo", run_build)


SMALL_SCENES = ("layout.poses=stable", "camera.views=10", "camera.size_px=96", "layout.objects={3: 1, 4: 1, 5: 1}")


def build_scenes(out: Path, limit=None, sets=SMALL_SCENES, collection="toys", recipe="toysad_quickstart", **options):
    """Small scenes; returns the build's summary."""
    return run_build(out, limit, recipe, sets, collection, **options)


@pytest.fixture(scope="session")
def scene_dataset(tmp_path_factory) -> Path:
    """Four scenes of ten views at 96 px."""
    return shared(tmp_path_factory, "scenes", build_scenes)


@pytest.fixture(scope="session")
def plain_chairs(tmp_path_factory) -> Path:
    """Four chairs of boxes, for builds whose shapes do not matter."""
    return shared(tmp_path_factory, "plain", lambda folder: write_plain_chairs(folder, 4))
