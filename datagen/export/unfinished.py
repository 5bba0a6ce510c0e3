"""The folder in which an export grows, beside the one that it becomes; an interrupted one is gone on with there."""

import fcntl
import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from datagen import __version__
from datagen.core.errors import EXIT_STOPPED_EARLY, DatagenError, UsageError
from datagen.export.journal import Journal
from datagen.formats.encode import json_bytes
from datagen.formats.instances import Record

STAMP = ("job_id", "index", "row_type", "sample_id", "query_path", "split", "kind", "severity")
"""Columns that tell whether an interrupted export was of the same rows."""

KEY_DIGITS = 16


def export_key(exporter: str, settings: Mapping[str, Any], rows: Iterable[Record]) -> str:
    """What has to be the same for an export to go on: format, settings, rows and version of datagen."""
    digest = hashlib.sha256(json_bytes([__version__, exporter, dict(settings)]))
    for row in rows:
        digest.update(json_bytes([str(row[name]) for name in STAMP]))
    return digest.hexdigest()[:KEY_DIGITS]


class Unfinished:
    """`.<name>.<key>.part` beside the target: `tree` grows in it, `journal` says what is whole.

    A context manager. It stays after an interruption, a full disk and a kill, and is removed after any other failure.
    Remains of exports to the same target with another key are removed. Raises UsageError where another process
    writes there, OSError.
    """

    def __init__(self, target: Path, key: str, keeps: bool) -> None:
        """`keeps`: whether an interrupted export is to be gone on with at all."""
        self._target, self._keeps = target, keeps
        self.folder = target.with_name(f".{target.name}.{key}.part")
        self.tree = self.folder / "tree"

    def __enter__(self) -> "Unfinished":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise self._taken() from error
        for other in self._target.parent.iterdir():
            if other == self.folder or not self._is_remains(other.name):
                continue
            if _is_locked(other):
                self._lock.close()
                shutil.rmtree(self.folder, ignore_errors=True)
                raise self._taken()
            shutil.rmtree(other, ignore_errors=True)
        if not self._keeps:
            shutil.rmtree(self.tree, ignore_errors=True)
            (self.folder / "journal.jsonl").unlink(missing_ok=True)
        self.tree.mkdir(exist_ok=True)
        self.journal = Journal(self.folder / "journal.jsonl")
        return self

    def _taken(self) -> UsageError:
        return UsageError(f"another export writes {self._target}; wait for it, or choose another --out")

    def _is_remains(self, name: str) -> bool:
        """Whether a folder of that name is of an export to this target, and not to `<target>.more`."""
        pattern = rf"\.{re.escape(self._target.name)}\.[0-9a-f]{{{KEY_DIGITS}}}\.part"
        return re.fullmatch(pattern, name) is not None

    def finish(self) -> None:
        """The tree is whole: it becomes the target. Raises OSError."""
        self.tree.rename(self._target)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.journal.close()
        stopped = kind is not None and (
            not issubclass(kind, Exception)
            or (isinstance(error, DatagenError) and error.exit_code == EXIT_STOPPED_EARLY)
        )
        if not (stopped and self._keeps):
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
