"""A small dataset of scenes by the fake renderer, built once."""

from pathlib import Path

import pytest

from tests.conftest import run_build, shared

SMALL = ("layout.poses=stable", "camera.views=10", "camera.size_px=96", "layout.objects={3: 1, 4: 1, 5: 1}")


def build_scenes(out: Path, limit=None, sets=SMALL, collection="toys", recipe="toysad_quickstart", **options):
    return run_build(out, limit, recipe, sets, collection, **options)


@pytest.fixture(scope="session")
def scene_dataset(tmp_path_factory) -> Path:
    """Four scenes of ten views at 96 px."""
    return shared(tmp_path_factory, "scenes", build_scenes)
