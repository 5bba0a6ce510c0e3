"""Advisory claims: builders on one folder keep out of each other's way.

Correctness never rests on them; two that do the same job cost time, not a sample.
"""

import contextlib
import os
from pathlib import Path

from datagen.store.log import is_alive


class Claims:
    """Claim files of a dataset, one a job in progress, holding the writer's name."""

    def __init__(self, folder: Path, writer: str) -> None:
        self.folder = folder
        self.writer = writer

    def take(self, job_id: str) -> bool:
        """Claim a job; False if a writer that may be alive has it."""
        path = self._path(job_id)
        for _ in range(2):
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            except FileExistsError:
                owner = self.owner(job_id)
                if owner is not None and is_alive(owner):
                    return owner == self.writer
                self.drop(job_id)
                continue
            with os.fdopen(descriptor, "w") as stream:
                stream.write(self.writer)
            return True
        return False

    def owner(self, job_id: str) -> str | None:
        """The writer that claims a job; None if nobody does (or its file is not written yet)."""
        try:
            name = self._path(job_id).read_text()
        except OSError:
            return None
        return name if name.count(".") >= 2 else None

    def drop(self, job_id: str) -> None:
        """Give a claim up."""
        with contextlib.suppress(OSError):
            self._path(job_id).unlink()

    def sweep(self) -> None:
        """Remove claims of dead processes of this host."""
        for path in self.folder.iterdir():
            owner = self.owner(path.name)
            if owner is not None and not is_alive(owner):
                self.drop(path.name)

    def _path(self, job_id: str) -> Path:
        return self.folder / job_id[:32]
