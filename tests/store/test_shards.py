"""Tar shards: the same files, fewer inodes, whatever the order and however the plan grows."""

import random
import tarfile
from functools import partial

import pytest

from datagen.core.errors import OtherRecipe, UsageError
from datagen.pipeline.merge import merge
from datagen.store.reader import DatasetReader
from datagen.store.shards import tar_bytes, unpack
from tests.conftest import run_build
from tests.helpers.box_chairs import SMALL_PICTURES

SMALL = (*SMALL_PICTURES, "anomaly.slots_per_shape=2", "normal.views={2: 1}")


@pytest.fixture
def build(plain_chairs):
    """A build of chairs of boxes: what is stored does not matter here."""
    return partial(run_build, sets=SMALL, collection=plain_chairs)


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def published(folder):
    return {k: v for k, v in tree(folder).items() if k.startswith(("images", "annotations", "shapes/"))}


def test_shards_unpack_to_the_loose_tree(tmp_path, build):
    build(tmp_path / "loose", 3)
    build(tmp_path / "packed", 3, layout="shards")
    assert not (tmp_path / "packed" / "images").exists() and not (tmp_path / "packed" / "shards" / "jobs").exists()
    assert unpack(tmp_path / "packed", tmp_path / "out") == len(published(tmp_path / "loose"))
    assert published(tmp_path / "out") == published(tmp_path / "loose")
    manifests = [(tmp_path / name / "manifest.parquet").read_bytes() for name in ("loose", "packed")]
    assert manifests[0] == manifests[1]


def test_shards_do_not_depend_on_order_or_on_growing(tmp_path, build):
    def shuffled(jobs):
        random.Random(3).shuffle(jobs)
        return jobs

    build(tmp_path / "a", 4, layout="shards")
    build(tmp_path / "b", 2, layout="shards", order=shuffled)
    build(tmp_path / "b", 4, layout="shards", order=shuffled)
    a, b = tree(tmp_path / "a" / "shards"), tree(tmp_path / "b" / "shards")
    assert a.keys() == b.keys() and all(a[k] == b[k] for k in a)


def test_any_tar_program_reads_them(tmp_path, build):
    build(tmp_path / "a", 2, layout="shards")
    reader = DatasetReader(tmp_path / "a")
    for shard in sorted((tmp_path / "a" / "shards").glob("*.tar")):
        with tarfile.open(shard) as archive:
            for member in archive:
                assert archive.extractfile(member).read() == reader.read(member.name)


def test_layouts_do_not_mix(tmp_path, build):
    build(tmp_path / "a", 1)
    with pytest.raises(OtherRecipe, match="layout"):
        build(tmp_path / "a", 1, layout="shards")


def test_a_member_that_escapes_is_refused(tmp_path):
    folder = tmp_path / "a" / "shards" / "jobs" / "00"
    folder.mkdir(parents=True)
    for name in ("../../evil", "/tmp/evil-datagen"):
        (folder / "00.tar").write_bytes(tar_bytes({name: b"x"}))
        with pytest.raises(UsageError, match="leaves the target"):
            unpack(tmp_path / "a", tmp_path / "out")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("layout", ["loose", "shards"])
def test_merge_of_shards_of_jobs_is_the_whole(tmp_path, layout, build):
    for k in range(3):
        build(tmp_path / f"part{k}", 3, layout=layout, shard=(k, 3))
    build(tmp_path / "whole", 3)
    figures = merge([tmp_path / f"part{k}" for k in (0, 1, 2, 1)], tmp_path / "merged")
    again = merge([tmp_path / "part1"], tmp_path / "merged")
    assert figures["copied"] == figures["jobs"] and again["copied"] == 0
    assert figures["known"] == again["known"] > 0, "a job that two sources hold is copied once"
    if layout == "shards":
        unpack(tmp_path / "merged", tmp_path / "out")
    assert published(tmp_path / ("out" if layout == "shards" else "merged")) == published(tmp_path / "whole")
    manifests = [(tmp_path / name / "manifest.parquet").read_bytes() for name in ("merged", "whole")]
    assert manifests[0] == manifests[1]


def test_merge_refuses_another_run_and_damage(tmp_path, build):
    build(tmp_path / "a", 1)
    build(tmp_path / "b", 1, seed=4)
    with pytest.raises(OtherRecipe):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    next((tmp_path / "a").glob("images/*/*.png")).write_bytes(b"rot")
    with pytest.raises(Exception, match="not what was committed"):
        merge([tmp_path / "a"], tmp_path / "out2")
