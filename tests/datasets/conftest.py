"""A small build of chairs, and a copy to damage."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datagen.formats.pairs import PAIRS, pairs_bytes, read_pairs
from datagen.store.parquet import read_parquet
from datagen.store.reader import DatasetReader
from tests.conftest import run_build, shared
from tests.helpers.box_chairs import SMALL_PICTURES, write_plain_chairs


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Four chairs with 20 reference views each."""
    sets = ["anomaly.slots_per_shape=2", "normal.views={3: 1}", "anomaly.views={2: 1}"]
    return shared(tmp_path_factory, "datasets", lambda out: run_build(out, limit=4, sets=sets))


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    """Of the same, with the times of its files."""
    return shutil.copytree(folder, tmp_path / "copy")


PAIRED = (
    *(*SMALL_PICTURES, "reference.views=6", "query.azimuth_step_deg=60", "anomaly.views={2: 1}", "normal.views={3: 1}"),
    *("anomaly.slots_per_shape=2", "reference.counterfactual=true", "reference.at_query=true"),
    *("split.test=100", "split.val=60"),
)


def build_paired(factory: pytest.TempPathFactory) -> Path:
    """Six chairs of boxes at 64 px with twins and the bundles of their anomalies; each split has some."""

    def make(out: Path) -> None:
        run_build(out, 6, sets=PAIRED, collection=write_plain_chairs(factory.mktemp("chairs"), 6))

    return shared(factory, "paired-six", make)


def of_one_test_shape(paired: Path, copy: Path) -> Path:
    """A copy whose manifest and pairs tell of one test shape alone."""
    shutil.copytree(paired, copy)
    pairs = read_pairs(DatasetReader(paired))
    only = next(pair.shape_id for pair in pairs if pair.split == "test")
    (copy / PAIRS).write_bytes(pairs_bytes(p for p in pairs if p.split != "test" or p.shape_id == only))
    rows = read_parquet(paired / "manifest.parquet")
    kept = [row["split"] != "test" or row["shape_id"] == only for row in rows.to_pylist()]
    pq.write_table(rows.filter(pa.array(kept)), copy / "manifest.parquet")
    return copy


@pytest.fixture(scope="session")
def paired(tmp_path_factory) -> Path:
    """As `build_paired` makes it."""
    return build_paired(tmp_path_factory)
