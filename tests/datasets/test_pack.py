"""The packed cache under a full disk, killed packers, several processes at once and changed files."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from datagen.core.errors import StoppedEarly, UsageError
from datagen.datasets import cache, pack
from datagen.datasets.locks import sole_writer
from datagen.datasets.pack import open_packed
from datagen.datasets.samples import list_samples, open_dataset
from datagen.store.reader import content_key
from tests.conftest import ROOT

OTHER = "0123456789abcdef01234567"
PACKER = """
import sys, time
from pathlib import Path
from datagen.datasets import pack
from datagen.datasets.samples import list_samples, open_dataset
root, notes, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
inner = pack._pack
def slow(files, samples, size, work, watch):
    with notes.open("a") as stream:
        stream.write(work.name + "\\n")
    inner(files, samples, size, work, watch)
    time.sleep(seconds)
pack._pack = slow
files = open_dataset(root)
print(pack.open_packed(files, list_samples(files, "test"), 32).folder)
"""


@pytest.fixture
def base(monkeypatch, tmp_path):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packed"


def packed(root, size=32):
    files = open_dataset(root)
    return open_packed(files, list_samples(files, "test"), size)


def packers(count, root, notes, seconds):
    command = [sys.executable, "-c", PACKER, str(root), str(notes), str(seconds)]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(count)]


def until(ready):
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_too_little_room_is_told_before_anything_is_written(folder, base, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(StoppedEarly, match=r"packing takes 0\.\d\d GiB and 0\.00 GiB are free.*DATAGEN_CACHE"):
        packed(folder)
    assert list(base.iterdir()) == []


def test_a_disk_that_fills_while_space_is_reserved_is_an_error_and_no_signal(folder, base, monkeypatch):
    def full(descriptor, offset, length):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StoppedEarly, match=r"queries\.npy: No space left on device, 0\.\d\d GiB needed"):
        packed(folder)
    assert list(base.iterdir()) == []


def test_every_block_is_reserved_before_the_first_sample(folder, base, monkeypatch):
    seen = []

    def watch(done, total):
        for path in [] if seen else base.glob(".*/*.npy"):
            seen.append(path.stat().st_blocks * 512 >= path.stat().st_size > 0)

    files = open_dataset(folder)
    open_packed(files, list_samples(files, "test"), 32, watch)
    assert len(seen) == len(pack.ARRAYS) and all(seen)


def test_a_filesystem_that_reserves_nothing_is_packed_on_all_the_same(folder, base, monkeypatch):
    def unsupported(descriptor, offset, length):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    first = packed(folder).folder
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    shutil.rmtree(first)
    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    assert {path.name: path.read_bytes() for path in packed(folder).folder.iterdir()} == kept


def test_of_two_processes_one_packs_and_the_other_finds_it(folder, base, tmp_path):
    both = packers(2, folder, tmp_path / "notes", 1.0)
    told = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert told[0] == told[1] and len((tmp_path / "notes").read_text().split()) == 1
    assert [path.name for path in base.iterdir()] == [Path(told[0].strip()).name]


def test_what_a_killed_packer_left_is_swept_and_a_living_ones_is_not(folder, base, tmp_path):
    (dead,) = packers(1, folder, tmp_path / "notes", 600)
    until((tmp_path / "notes").exists)
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    (left,) = [path for path in base.iterdir() if path.is_dir()]
    assert left.name == (tmp_path / "notes").read_text().strip()
    living, stale = base / f".{OTHER}.living01", base / f".{OTHER[::-1]}.stale001"
    for path in (living, stale):
        path.mkdir()
    (base / f".{OTHER[::-1]}.lock").touch()
    with sole_writer(base / f".{OTHER}.lock") as held:
        assert held is True
        made = packed(folder).folder
        assert {path.name for path in base.iterdir()} == {made.name, living.name, f".{OTHER}.lock"}


def test_half_a_cache_without_a_lock_is_swept_when_it_is_a_day_old(folder, base):
    old, fresh = base / f".{OTHER}.old00001", base / f".{OTHER}.fresh001"
    for path in (old, fresh):
        path.mkdir(parents=True)
        (path / "queries.npy").touch()
    for path in (old / "queries.npy", old):
        os.utime(path, (time.time() - 90_000,) * 2)
    made = packed(folder).folder
    assert {path.name for path in base.iterdir()} == {made.name, fresh.name}


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP])
def test_without_locks_the_first_to_rename_wins(folder, base, monkeypatch, code):
    def no_locks(descriptor, operation):
        raise OSError(code, os.strerror(code))

    def beaten(files, samples, size, work, watch):
        inner(files, samples, size, work, watch)
        shutil.copytree(work, base / work.name.split(".")[1])

    inner = pack._pack
    monkeypatch.setattr(fcntl, "flock", no_locks)
    monkeypatch.setattr(pack, "_pack", beaten)
    made = packed(folder)
    assert [path.name for path in base.iterdir()] == [made.folder.name]
    monkeypatch.setattr(pack, "_pack", None)
    assert packed(folder).folder == made.folder


def test_a_lock_is_one_process_s_at_a_time_and_leaves_no_file(tmp_path):
    path = tmp_path / "lock"
    with sole_writer(path) as held, sole_writer(path, wait=False) as other:
        assert held is True and other is False
    assert not path.exists()
    with sole_writer(path, wait=False) as held:
        assert held is True


def test_a_damaged_cache_says_so(folder, base):
    made = packed(folder).folder
    (made / "meta.json").unlink()
    with pytest.raises(UsageError, match=r"meta\.json was removed; remove the folder"):
        packed(folder)


def published(root):
    (root / "manifest.parquet").unlink()
    return root


def tarred(root):
    """The same files in one shard."""
    with tarfile.open(root / "all.tar", "w") as tar:
        for name in ("images", "annotations", "shapes"):
            tar.add(root / name, name)
    for name in ("images", "annotations", "shapes"):
        shutil.rmtree(root / name)
    return root


def test_a_datasets_key_does_not_depend_on_where_it_lies(folder, copy, tmp_path):
    assert content_key(open_dataset(copy)) == content_key(open_dataset(folder))
    without = content_key(open_dataset(published(copy)))
    moved = copy.rename(tmp_path / "moved")
    assert content_key(open_dataset(moved)) == without != content_key(open_dataset(folder))
    shards = content_key(open_dataset(tarred(moved)))
    assert content_key(open_dataset(moved.rename(tmp_path / "again"))) == shards != without


@pytest.mark.parametrize("where", ["images", "annotations", "shapes"])
@pytest.mark.parametrize("how", ["longer", "later", "gone", "new"])
def test_a_changed_file_of_published_data_changes_the_key(copy, where, how):
    before = content_key(open_dataset(published(copy)))
    timeless = content_key(open_dataset(copy), times=False)
    path = next(p for p in sorted((copy / where).rglob("*")) if p.is_file())
    told = path.stat()
    if how == "longer":
        path.write_bytes(path.read_bytes() + b" ")
        os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    elif how == "later":
        os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns + 1))
    elif how == "gone":
        path.unlink()
    else:
        shutil.copy2(path, path.with_name("more.png"))
    assert content_key(open_dataset(copy)) != before
    assert (content_key(open_dataset(copy), times=False) == timeless) == (how == "later")


def test_a_changed_split_or_shard_changes_the_key(copy):
    root = published(tarred(copy))
    first = content_key(open_dataset(root))
    os.utime(root / "all.tar", ns=(0, 1))
    second = content_key(open_dataset(root))
    (root / "split.json").write_text((root / "split.json").read_text() + " ")
    assert len({first, second, content_key(open_dataset(root))}) == 3


def test_a_repaired_query_of_published_data_is_packed_again(copy, base):
    sample = list_samples(open_dataset(published(copy)), "test")[0]
    query, good = copy / sample.query_path, (copy / sample.query_path).read_bytes()
    from PIL import Image

    Image.new("RGB", (64, 64)).save(query)
    assert not packed(copy).query(sample).any()
    query.write_bytes(good)
    assert np.mean(packed(copy).query(sample)) > 100


def test_correspondences_are_packed_where_they_are_wanted(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    files = open_dataset(folder)
    samples = list_samples(files, "train")
    whole, without = (open_packed(files, samples, 64, matched=matched) for matched in (True, False))
    assert whole.folder != without.folder
    shape = samples[0].bundle
    assert (whole.correspondences(shape, 0, 1) >= 0).any()
    assert np.array_equal(whole.pictures(shape, [0, 3]), without.pictures(shape, [0, 3]))
    with pytest.raises(IndexError):
        without.correspondences(shape, 0, 1)
