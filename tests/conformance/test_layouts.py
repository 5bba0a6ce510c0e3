"""Loose files, tars of jobs and tar shards, each named once."""

import shutil

from datagen.store.log import read_folder
from datagen.store.shards import tar_bytes
from tests.conformance.layouts import LayoutConformance


class TestLoose(LayoutConformance):
    def lay_out(self, loose, folder):
        shutil.copytree(loose, folder)


class TestTarOfEachJob(LayoutConformance):
    """As a build in shards leaves them until it is done; other programs' tars without an index read alike."""

    def lay_out(self, loose, folder):
        (folder / "shards" / "jobs").mkdir(parents=True)
        for job_id, entry in read_folder(loose / "log").items():
            files = {path: (loose / path).read_bytes() for row in entry.rows for path in row.sha256}
            if files:
                (folder / "shards" / "jobs" / f"{job_id}.tar").write_bytes(tar_bytes(files))


class TestOneTar(LayoutConformance):
    """All files in one tar, as somebody packs a folder to carry it."""

    def lay_out(self, loose, folder):
        names = [p for room in ("annotations", "images", "shapes") for p in (loose / room).rglob("*") if p.is_file()]
        (folder / "shards").mkdir(parents=True)
        files = {p.relative_to(loose).as_posix(): p.read_bytes() for p in sorted(names)}
        (folder / "shards" / "all.tar").write_bytes(tar_bytes(files))
