"""Pairs as samples: which there are, what a batch holds, and that nothing but the pair tells its label."""

import io
import shutil
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from datagen.core.errors import BrokenFile
from datagen.datasets.config import DataConfig
from datagen.datasets.matching import MatchingDataset, PairPlan
from datagen.datasets.pack import open_packed
from datagen.datasets.paired import PairedDataset, pair_part
from datagen.datasets.pairs import list_pairs
from datagen.datasets.samples import list_samples, open_dataset
from datagen.datasets.source import LooseSource
from datagen.formats.pairs import pairs_bytes, read_pairs
from datagen.store.parquet import read_parquet
from datagen.store.reader import content_key


@pytest.fixture(scope="module")
def files(paired):
    return open_dataset(paired)


def test_twins_are_no_natural_samples(files):
    rows = [row for row in read_parquet(files.read("manifest.parquet")).to_pylist() if row["row_type"] == "sample"]
    twins = {row["query_path"] for row in rows if row["reason"] == "twin"}
    natural = {s.query_path for split in {row["split"] for row in rows} for s in list_samples(files, split)}
    assert twins and not twins & natural
    assert natural == {row["query_path"] for row in rows} - twins


def cells_of(files, split="train"):
    return list_pairs(files, split, balanced=True)


def dataset_of(files, **config):
    recipe = DataConfig(image_px=64, views=4, eval_views=4, flip=False, crop=1, **config)
    cells, natural = cells_of(files), list_samples(files, "train") if recipe.pairs == "mixed" else []
    source = LooseSource(files, 64)
    return PairedDataset(
        source, cells, natural, recipe, train=True, seed=1, plan=PairPlan(nearest="drawn"), changed=True
    )


def test_neither_picture_nor_reference_tells_the_label(files):
    labels = defaultdict(list)
    for cell in cells_of(files):
        labels[cell.query_path, cell.group].append(cell.label)
        labels[cell.reference, cell.group].append(cell.label)
        assert cell.label == (cell.query_state != cell.reference_state) == bool(cell.box[2])
        assert bool(cell.masks) == bool(cell.label)
    assert all(sorted(found) == [0] * (len(found) // 2) + [1] * (len(found) // 2) for found in labels.values())


def test_pairs_that_are_not_balanced_come_last(files):
    found = list_pairs(files, "train")
    assert [cell.balanced for cell in found] == sorted((cell.balanced for cell in found), reverse=True)
    assert {cell.relation for cell in found if not cell.balanced} == {"two"}


@pytest.mark.parametrize(("together", "batch"), [(1, 8), (8, 8), (8, 16)])
def test_a_batch_holds_whole_groups(files, together, batch):
    data = dataset_of(files, pairs="counterfactual", queries_per_shape=together)
    seen = []
    for keys in data.batches(batch, seed=1):
        cells = [data.samples[number] for _, number in keys]
        assert len(cells) == batch
        units = Counter(cell.drawn_by for cell in cells)
        assert set(units.values()) == {4}
        groups = Counter(cell.group for cell in cells)
        assert together == 1 or all(count % together == 0 for count in groups.values())
        assert sum(cell.label for cell in cells) == batch // 2
        seen += units
    assert len(seen) == len(set(seen))


def test_pairs_of_a_unit_share_pictures_views_and_what_is_drawn(files):
    data = dataset_of(files, pairs="counterfactual", queries_per_shape=8, flip_together=True, thin_views=0.5)
    for epoch in range(4):
        items = [data[epoch, number] for number in next(iter_numbers(data))]
        for one in items:
            for other in items:
                if one["picture"] == other["picture"]:
                    assert torch.equal(one["query"], other["query"])
                if one["reference"] == other["reference"]:
                    assert torch.equal(one["views"], other["views"])
                assert torch.equal(one["there"], other["there"]) and (one["unit"] == other["unit"]) <= (
                    one["nearest"] == other["nearest"]
                )
        assert len({int(item["picture"]) for item in items}) == 4
        assert len({int(item["reference"]) for item in items}) == 2
        assert all(bool((item["changed"] == 1).any()) == bool(item["label"]) for item in items)


def iter_numbers(data):
    return ([number for _, number in keys] for keys in data.batches(8, seed=1))


@pytest.mark.parametrize("pairs", ["counterfactual", "mixed"])
def test_a_resumed_order_is_the_order_uninterrupted(files, pairs):
    data = dataset_of(files, pairs=pairs, queries_per_shape=4)
    whole = []
    sampler = data.batches(16, seed=5)
    for epoch in range(3):
        sampler.epoch, sampler.start = epoch, 0
        whole += list(sampler)
    again = data.batches(16, seed=5)
    again.epoch, again.start = divmod(len(sampler) + 1, len(sampler))
    assert list(again) == whole[len(sampler) + 1 : 2 * len(sampler)]


def test_a_mixed_batch_has_its_share_of_pairs(files):
    data = dataset_of(files, pairs="mixed", pair_share=0.5, queries_per_shape=4)
    for keys in data.batches(16, seed=1):
        items = [data[key] for key in keys]
        units = [int(item["unit"]) for item in items]
        assert units[8:] == [-1] * 8 and -1 not in units[:8] and {len(item) for item in items} == {len(items[0])}
        own = [
            {int(item[name]) for item in part} for name in ("picture", "reference") for part in (items[:8], items[8:])
        ]
        assert not own[0] & own[1] and not own[2] & own[3]


@pytest.mark.parametrize(
    ("batch", "share", "together", "cells"), [(32, 0.5, 1, 16), (32, 0.01, 8, 8), (32, 0.99, 8, 24)]
)
def test_a_share_is_of_whole_groups(batch, share, together, cells):
    assert pair_part(batch, DataConfig(pair_share=share, queries_per_shape=together)) == cells


def test_the_packed_cache_tells_cells_of_one_picture_apart(files):
    cells = list_pairs(files, "train")
    loose, packed = LooseSource(files, 64), open_packed(files, cells, 64)
    for cell in cells:
        assert np.array_equal(loose.query(cell), packed.query(cell))
        one, two = loose.changed(cell), packed.changed(cell)
        assert (one is None and two is None) if cell.relation == "two" else np.array_equal(one, two)
        assert np.array_equal(loose.pictures(cell.bundle, (0, 3)), packed.pictures(cell.bundle, (0, 3)))


def test_shuffled_bundles_are_of_another_shape(files):
    data = dataset_of(files, pairs="counterfactual", shuffle_references=True)
    shape = {cell.bundle: cell.shape for cell in data.samples}
    assert all(shape[data.reference_of(cell)] != cell.shape for cell in data.samples)


def test_half_a_design_is_refused(files, paired, tmp_path):
    copy = shutil.copytree(paired, tmp_path / "copy")
    cells = read_pairs(files)
    (copy / "pairs.parquet").write_bytes(pairs_bytes(p for p in cells if p.query_state or not p.label))
    with pytest.raises(BrokenFile, match="both labels each"):
        list_pairs(open_dataset(copy), "train")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda table: b"", "pairs.parquet: .*run the build again"),
        (lambda table: parquet_bytes(table.drop_columns(["balanced"])), "pairs.parquet: has no column balanced"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(paired, tmp_path, spoil, told):
    copy = shutil.copytree(paired, tmp_path / "copy")
    (copy / "pairs.parquet").write_bytes(spoil(read_parquet(paired / "pairs.parquet")))
    with pytest.raises(BrokenFile, match=told):
        list_pairs(open_dataset(copy), "train")


def test_another_table_is_another_dataset(paired, tmp_path):
    copy = shutil.copytree(paired, tmp_path / "copy")
    before = content_key(open_dataset(copy))
    assert before == content_key(open_dataset(paired))
    (copy / "pairs.parquet").write_bytes(pairs_bytes(read_pairs(open_dataset(copy))[:-1]))
    assert content_key(open_dataset(copy)) != before


def parquet_bytes(table):
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def test_a_dataset_without_pairs_says_so(folder):
    with pytest.raises(BrokenFile, match=r"no pairs\.parquet; data\.pairs needs"):
        list_pairs(open_dataset(folder), "train")


def test_a_pair_has_its_reference_from_the_querys_own_camera_packed_or_not(files, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    cells = [cell for cell in list_pairs(files, "train") if cell.own_view]
    loose, packed = LooseSource(files, 64), open_packed(files, [*cells, *list_samples(files, "train")], 64)
    for cell in cells[:6]:
        side = "new" if cell.reference_state else "old"
        assert f"/view_{side}_" in cell.own_view
        assert np.array_equal(loose.own_view(cell), packed.own_view(cell))
    bare = replace(cells[0], own_view="")
    for source in (loose, packed):
        with pytest.raises(BrokenFile, match="at_query"):
            source.own_view(bare)


def test_own_cameras_are_drawn_by_bundle_and_four_alike(files):
    data = dataset_of(files, own_camera=0.5, pairs="counterfactual", queries_per_shape=4)
    used = defaultdict(set)
    for epoch in range(6):
        for number, sample in enumerate(data.samples):
            item = data[epoch, number]
            used[epoch, sample.drawn_by].add(bool(item["use_own"]))
            assert item["own"].shape == (64, 64) and item["own"].dtype == torch.uint8
    assert all(len(of_four) == 1 for of_four in used.values())
    assert {True, False} == set().union(*used.values())


def test_evaluation_by_own_cameras_gives_them_and_shuffled_ones_are_of_another_shape(files):
    config = DataConfig(image_px=64, views=4, eval_views=4, flip=False, crop=1, against="own_camera")
    samples, source = list_samples(files, "train"), LooseSource(files, 64)
    data = MatchingDataset(source, samples, config, train=False)
    assert np.array_equal(data[0]["own"].numpy(), source.own_view(samples[0]))
    other = MatchingDataset(source, samples, config.model_copy(update={"shuffle_references": True}), train=False)
    views = [source.own_view(s) for s in samples if s.shape == other.reference_of(samples[0])]
    assert any(np.array_equal(other[0]["own"].numpy(), view) for view in views)
    blank = MatchingDataset(source, samples, config.model_copy(update={"blank_references": True}), train=False)
    assert (blank[0]["own"] == 255).all()
    without = MatchingDataset(source, samples, config.model_copy(update={"blank_queries": True}), train=False)
    assert (without[0]["query"] == 1).all()
