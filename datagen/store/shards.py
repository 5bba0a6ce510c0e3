"""`--layout shards`: tar shards instead of a million loose files.

While a build runs, a job's files are one tar (one inode, one rename: the commit protocol is the same).
When the plan is done they are packed, in plan order and by split, into shards of a fixed number of jobs;
shards/index.parquet says where each file lies. What is packed depends on the plan alone.
"""

import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.core.clutter import tidy
from datagen.core.errors import UsageError
from datagen.core.row import Job
from datagen.store.files import replace_atomic, sync_folders
from datagen.store.places import Places, TarPlace

JOBS_A_SHARD = 64
FOLDER = "shards"
INDEX = "shards/index.parquet"


def tar_bytes(files: Mapping[str, bytes]) -> bytes:
    """A tar of files in name order with fixed owners, modes and times: the same bytes every time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(files[name]), 0o644, 0
            archive.addfile(member, io.BytesIO(files[name]))
    return buffer.getvalue()


def job_tar(job_id: str) -> str:
    """Relative path of a job's tar before packing."""
    return f"{FOLDER}/jobs/{job_id[:2]}/{job_id}.tar"


def members(root: Path, tar: str) -> dict[str, TarPlace]:
    """Places of all regular files of a tar. Raises UsageError if it is none."""
    try:
        with tarfile.open(root / tar, mode="r:") as archive:
            return {m.name: TarPlace(tar, m.offset_data, m.size) for m in archive if m.isreg()}
    except (tarfile.TarError, OSError) as error:
        raise UsageError(f"{root / tar} cannot be read as a tar ({error})") from error


def read_place(root: Path, place: TarPlace) -> bytes:
    """The bytes at a place."""
    with (root / place.shard).open("rb") as stream:
        stream.seek(place.offset)
        return stream.read(place.size)


def places(root: Path) -> Places:
    """Where every packed file of a dataset lies: by the index, and in the tars of jobs. Raises UsageError."""
    return Places(iter_places(root))


def iter_places(root: Path) -> Iterator[tuple[str, TarPlace]]:
    """Paths and places as they are found; the later of two counts. Raises UsageError."""
    if (root / INDEX).is_file():
        with pq.ParquetFile(root / INDEX, pre_buffer=False) as file:
            for batch in file.iter_batches(1000, use_threads=False):
                for row in batch.to_pylist():
                    yield row["path"], TarPlace(row["shard"], row["offset"], row["size"])
    for tar in tidy((root / FOLDER / "jobs").rglob("*.tar")):
        yield from members(root, tar.relative_to(root).as_posix()).items()


def pack(root: Path, jobs: Sequence[Job], files_of: Mapping[str, Sequence[str]], workspace: Path) -> int:
    """Pack the tars of finished jobs into shards; the number of shards written.

    `jobs` is the plan in order, `files_of` the committed paths of each job. Jobs keep their place in
    the plan, so a larger limit changes only the last shard of a split. Atomic shard by shard: the
    index is written before the packed tars are removed.
    """
    before = places(root)
    (root / FOLDER).mkdir(exist_ok=True)
    written, now = 0, dict[str, TarPlace]()
    for name, chunk in _chunks(jobs):
        paths = [path for job in chunk for path in sorted(files_of.get(job.job_id, ()))]
        if not paths:
            continue
        if any(before[path].shard != name for path in paths):
            replace_atomic(root / name, _joined(root, before, chunk, files_of), workspace)
            written += 1
        now.update(members(root, name))
    sync_folders([root / FOLDER])
    _write_index(root, now, workspace)
    _remove_packed(root, set(now))
    return written


def _chunks(jobs: Sequence[Job]) -> Iterator[tuple[str, list[Job]]]:
    for split in sorted({job.split for job in jobs}):
        of_split = [job for job in jobs if job.split == split]
        for k in range(0, len(of_split), JOBS_A_SHARD):
            yield f"{FOLDER}/{split}-{k // JOBS_A_SHARD:06d}.tar", of_split[k : k + JOBS_A_SHARD]


def _joined(
    root: Path, there: Mapping[str, TarPlace], jobs: Iterable[Job], files_of: Mapping[str, Sequence[str]]
) -> bytes:
    """One tar of the jobs' files, job by job."""
    body = []
    for job in jobs:
        files = {path: read_place(root, there[path]) for path in files_of.get(job.job_id, ())}
        if files:
            body.append(_without_end(tar_bytes(files)))
    joined = b"".join(body) + bytes(1024)
    return joined + bytes(-len(joined) % tarfile.RECORDSIZE)


def _without_end(tar: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        last = archive.getmembers()[-1]
    end = last.offset_data + last.size
    return tar[: end + -end % tarfile.BLOCKSIZE]


def _write_index(root: Path, packed: Mapping[str, TarPlace], workspace: Path) -> None:
    names = sorted(packed)
    table = pa.table(
        {
            "path": names,
            "shard": [packed[n].shard for n in names],
            "offset": [packed[n].offset for n in names],
            "size": [packed[n].size for n in names],
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", version="2.6")
    replace_atomic(root / INDEX, buffer.getvalue(), workspace)


def _remove_packed(root: Path, packed: set[str]) -> None:
    for tar in tidy((root / FOLDER / "jobs").rglob("*.tar")):
        if set(members(root, tar.relative_to(root).as_posix())) <= packed:
            tar.unlink()
    jobs = root / FOLDER / "jobs"
    for folder in [*sorted(jobs.rglob("*"), reverse=True), jobs]:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def unpack(root: Path, target: Path) -> int:
    """Write the published tree of a sharded dataset to `target`; the number of files.

    Raises UsageError if the dataset is not sharded or a member's path would leave the target.
    """
    packed = places(root)
    if not packed:
        raise UsageError(f"{root} has no shards; it is a loose dataset already, or not one at all")
    base = target.absolute()
    for name in sorted(packed):
        path = Path(os.path.normpath(base / name))
        if not path.is_relative_to(base) or Path(name).is_absolute():
            raise UsageError(f"{root}: member '{name}' leaves the target folder; the shard was tampered with")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(read_place(root, packed[name]))
    return len(packed)
