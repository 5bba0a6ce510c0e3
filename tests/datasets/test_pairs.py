"""Pairs as samples: which there are, what a batch holds, and that nothing but the pair tells its label."""

import pytest

from datagen.datasets.samples import list_samples, open_dataset
from datagen.store.parquet import read_parquet


@pytest.fixture(scope="module")
def files(paired):
    return open_dataset(paired)


def test_twins_are_no_natural_samples(files):
    rows = [row for row in read_parquet(files.read("manifest.parquet")).to_pylist() if row["row_type"] == "sample"]
    twins = {row["query_path"] for row in rows if row["reason"] == "twin"}
    natural = {s.query_path for split in {row["split"] for row in rows} for s in list_samples(files, split)}
    assert twins and not twins & natural
    assert natural == {row["query_path"] for row in rows} - twins
