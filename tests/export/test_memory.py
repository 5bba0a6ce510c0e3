"""An export takes no more memory for many samples than for few: rows, notes and tables stay on the disk."""

import sys
import tracemalloc
from types import SimpleNamespace

import pytest

from datagen.export.hub import Hub
from datagen.export.registry import BUILT_IN
from datagen.export.run import export_dataset
from datagen.export.webdataset import WebDataset
from tests.conftest import build_scenes, run_build, shared
from tests.helpers.many_rows import many_rows

BYTES_A_ROW = 1500
"""Some 400 are numbers and sorted names, up to 600 the leaps by which Python's tables grow. As a dictionary a row of
the manifest alone takes 7,000."""
SMALL = {"webdataset": WebDataset(shard_bytes=1 << 20), "hub": Hub(shard_bytes=1 << 20)}
"""What is not yet in a whole shard waits in memory."""
FEW, MANY = 7, 70
"""So often stands the small dataset in the large ones: 504 and 5,040 pictures of chairs, 280 and 2,800 of scenes."""


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """(kind of dataset, number of copies) -> dataset."""
    small = {
        "chairs": shared(tmp_path_factory, "demo", run_build),
        "scenes": shared(tmp_path_factory, "scenes", build_scenes),
    }

    def make(kind, times):
        return shared(tmp_path_factory, f"many-{kind}-{times}", lambda out: many_rows(small[kind], out, times))

    return make


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    exporters = tuple(SMALL.get(exporter.name, exporter) for exporter in BUILT_IN)
    for module in ("registry", "run"):
        monkeypatch.setattr(f"datagen.export.{module}.BUILT_IN", exporters)


@pytest.fixture(autouse=True)
def no_interning(monkeypatch):
    """pathlib interns every part of a path, and the interpreter's table of such words grows by leaps of megabytes."""
    monkeypatch.setattr("pathlib.sys", SimpleNamespace(**{**vars(sys), "intern": str}))


def peak(root, to, out):
    """Traced bytes at the height of an export, and its pictures."""
    tracemalloc.start()
    try:
        return export_dataset(root, to, out).pictures, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "kind, to",
    [
        ("chairs", "coco"),
        *(pytest.param("chairs", to, marks=pytest.mark.soak) for to in ("hub", "kaputt", "mad", "mvtec", "webdataset")),
        *(pytest.param("scenes", to, marks=pytest.mark.soak) for to in ("bop", "coco", "hub", "mvtec3d", "poses")),
    ],
)
def test_memory_does_not_grow_with_samples(roots, tmp_path, kind, to):
    """Ten times the samples."""
    export_dataset(roots(kind, FEW), to, tmp_path / "first")  # what is imported and kept once
    few, few_bytes = peak(roots(kind, FEW), to, tmp_path / "few")
    many, many_bytes = peak(roots(kind, MANY), to, tmp_path / "many")
    assert many > 9 * few
    assert (many_bytes - few_bytes) / (many - few) < BYTES_A_ROW, (few_bytes, many_bytes)
