"""Two small scenes that tests of `verify` copy and spoil."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import SMALL_SCENES, build_scenes, shared

TINY = (*SMALL_SCENES, "camera.views=6", "layout.objects={3: 1}")


@pytest.fixture(scope="session")
def tiny_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes of three objects and six views; tests do not write to it."""
    return shared(tmp_path_factory, "tiny-scenes", lambda out: build_scenes(out, 2, TINY))


@pytest.fixture
def spoiled(tiny_scenes: Path, tmp_path: Path) -> Path:
    """A copy of them without logs, whose rows would be believed where they are newer."""
    root = tmp_path / "data"
    shutil.copytree(tiny_scenes, root, ignore=shutil.ignore_patterns("log", "tmp"))
    return root
