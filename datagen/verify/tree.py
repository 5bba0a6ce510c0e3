"""A dataset as it lies on disk: ours, a partial build of ours, tar shards, or the published download."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from datagen.core.errors import BrokenFile, UsageError
from datagen.core.ids import bytes_hash
from datagen.store import log
from datagen.store.manifest import read_manifest
from datagen.store.parquet import read_parquet
from datagen.store.reader import DatasetReader
from datagen.verify.damage import DAMAGE

Record = Mapping[str, Any]
NO_PHASE = ("job_id", "t", "peak_rss_bytes", "host", "retries", "wall_s")
"""Columns of cost.parquet that are no CPU-seconds of a phase."""


@dataclass(frozen=True, eq=False)
class Tree:
    """What is there. Nothing of it is believed yet: the checks compare it with itself."""

    root: Path
    files: DatasetReader
    rows: tuple[Record, ...]
    """Rows of manifest.parquet, or of the logs where the manifest was not written yet; () if there are none."""
    rows_from: str
    """manifest | log | '' ."""
    run: Record | None
    shapes_table: Record | None
    split: Any
    """split.json as parsed, or None; `problems` says why it is None."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Root file -> why it cannot be read."""
    root_hashes: Mapping[str, str] = field(default_factory=dict)

    def load(self, path: str, problems: dict[str, str], hashes: dict[str, str]) -> bytes | None:
        """A file's bytes, its digest noted in `hashes`; None if absent, or unreadable and then told in `problems`."""
        if path not in self.files.sizes:
            return None
        try:
            data = self.files.read(path)
        except BrokenFile as error:
            problems[path] = f"cannot be read: {error.args[0]}"
            return None
        hashes[path] = bytes_hash(data)
        return data

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions that the rows name; {} without rows."""
        if not self.rows:
            return {}
        try:
            value = json.loads(self.rows[0]["versions"])
        except ValueError:
            return {}
        return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}

    @property
    def renderer(self) -> str | None:
        """'cycles' or 'fake', as the rows' versions say; None without rows."""
        words = self.versions.get("renderer", "").split()
        return words[0] if words else None

    @cached_property
    def cost(self) -> dict[str, float]:
        """CPU-seconds of the build by phase; {} without cost.parquet."""
        path = self.root / "cost.parquet"
        if not path.is_file():
            return {}
        try:
            table = read_parquet(path)
        except DAMAGE:
            return {}
        totals = {}
        for name in table.column_names:
            column = table.column(name)
            if name not in NO_PHASE and str(column.type) == "double":
                totals[name] = round(float(sum(v or 0.0 for v in column.to_pylist())), 2)
        return totals

    @cached_property
    def samples(self) -> tuple[Record, ...]:
        """Manifest rows of samples."""
        return tuple(row for row in self.rows if row["row_type"] == "sample")

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """Path -> SHA-256 as the rows state it."""
        return {path: digest for row in self.rows for path, digest in row["sha256"].items()}

    @property
    def name(self) -> str:
        """Our recipe's name, or the folder's."""
        return str(self.run["recipe"]["name"]) if self.run and "recipe" in self.run else self.root.name


def open_files(root: Path, folders: Sequence[str]) -> DatasetReader:
    """The files of a dataset's folder, whose data lies in `folders`. Raises UsageError when there are none."""
    if not root.is_dir():
        raise UsageError(f"{root} is no folder; give the folder that holds images/ and split.json")
    try:
        files = DatasetReader(root, folders)
        listed = files.holds_files
    except DAMAGE as error:
        raise UsageError(
            f"{root}: the files cannot be listed ({error}); check its permissions and tar shards"
        ) from error
    if not listed:
        names = ", ".join(f"{name}/" for name in folders)
        why = "is it a dataset's folder?"
        if (root / "log").is_dir():
            why = f"no job of its build has made a file yet: `datagen status {shlex.quote(str(root))}` says why"
        raise UsageError(f"{root} holds none of {names} and no tar shard; {why}")
    return files


def open_tree(root: Path, folders: Sequence[str]) -> Tree:
    """Read the tables of a dataset's folder. Raises as `open_files`."""
    files = open_files(root, folders)
    problems: dict[str, str] = {}
    hashes: dict[str, str] = {}
    documents = {name: _read_json(root / name, problems, hashes) for name in ("run.json", "shapes.json", "split.json")}
    rows, rows_from = _rows(root, problems, hashes)
    return Tree(
        root,
        files,
        rows,
        rows_from,
        run=documents["run.json"],
        shapes_table=documents["shapes.json"],
        split=documents["split.json"],
        problems=problems,
        root_hashes=hashes,
    )


def refuse_constant(name: str) -> Any:
    """For `json.loads(parse_constant=...)`: NaN and infinity are no JSON."""
    raise ValueError(f"{name} is no JSON number")


def _read_json(path: Path, problems: dict[str, str], hashes: dict[str, str]) -> Any:
    if not path.is_file():
        return None
    try:
        data = path.read_bytes()
        hashes[path.name] = bytes_hash(data)
        return json.loads(data, parse_constant=refuse_constant)
    except (OSError, ValueError) as error:
        problems[path.name] = str(error)
        return None


def _rows(root: Path, problems: dict[str, str], hashes: dict[str, str]) -> tuple[tuple[Record, ...], str]:
    """The manifest's rows; the logs' where it is absent or older than they are."""
    logged: tuple[Record, ...] = ()
    if (root / "log").is_dir():
        try:
            entries = log.read_folder(root / "log").values()
            logged = tuple(row.to_json() for entry in entries for row in entry.rows)
        except (OSError, KeyError, TypeError, ValueError) as error:
            problems["log"] = str(error)
    if not (root / "manifest.parquet").is_file():
        return logged, "log" if logged else ""
    try:
        hashes["manifest.parquet"] = bytes_hash((root / "manifest.parquet").read_bytes())
        rows: tuple[Record, ...] = tuple(read_manifest(root))
    except DAMAGE as error:
        problems["manifest.parquet"] = str(error)
        return logged, "log" if logged else ""
    if {row["job_id"] for row in logged} > {row["job_id"] for row in rows}:
        problems["manifest.parquet"] = "is older than the logs; run the build again to bring it up to date"
        return logged, "log"
    return rows, "manifest"
