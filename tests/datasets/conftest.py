"""A small build of chairs, and a copy to damage."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import run_build, shared


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Four chairs with 20 reference views each."""
    sets = ["anomaly.slots_per_shape=2", "normal.views={3: 1}", "anomaly.views={2: 1}"]
    return shared(tmp_path_factory, "datasets", lambda out: run_build(out, limit=4, sets=sets))


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    """Of the same, with the times of its files."""
    return shutil.copytree(folder, tmp_path / "copy")
