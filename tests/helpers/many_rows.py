"""A dataset of many samples out of a small one: its jobs under other names, its files as hard links."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from datagen.core.ids import content_hash
from datagen.core.row import Row
from datagen.store.log import LogEntry, entry_line, read_folder
from datagen.store.manifest import manifest_bytes


def many_rows(root: Path, out: Path, times: int) -> None:
    """Every job of the loose dataset `root` with samples `times` times in `out`, with manifest and log."""
    entries = []
    for job_id, entry in read_folder(root / "log").items():
        folders = {row.query_path.split("/")[1].partition("#")[0] for row in entry.rows if row.row_type == "sample"}
        if not folders:
            entries.append(entry)
        for folder in folders:
            for k in range(times):
                name = f"{folder}-c{k:04d}"
                for place in root.glob(f"*/{folder}"):
                    shutil.copytree(place, out / place.relative_to(root).with_name(name), copy_function=os.link)
                new_id = content_hash([job_id, k])
                rows = tuple(_renamed(row, new_id, folder, name) for row in entry.rows)
                entries.append(LogEntry(new_id, rows, entry.cost))
    for name in ("README.md", "run.json", "shapes.json", "split.json"):
        shutil.copy(root / name, out / name)
    if (root / "shapes").is_dir():
        shutil.copytree(root / "shapes", out / "shapes", copy_function=os.link)
    (out / "log").mkdir()
    lines = b"".join(entry_line(entry.job_id, entry.rows, entry.cost) for entry in entries)
    (out / "log" / "many.1.jsonl").write_bytes(lines)
    (out / "manifest.parquet").write_bytes(manifest_bytes(entries))


def _renamed(row: Row, job_id: str, folder: str, name: str) -> Row:
    def path(text: str) -> str:
        return text.replace(f"/{folder}/", f"/{name}/").replace(f"/{folder}#", f"/{name}#")

    paths = {
        key: path(getattr(row, key)) for key in ("query_path", "annotation_path", "mask_new_path", "mask_old_path")
    }
    sample = content_hash([row.sample_id, job_id]) if row.sample_id else ""
    digests = {path(file): digest for file, digest in row.sha256.items()}
    return replace(row, job_id=job_id, sample_id=sample, sha256=digests, **paths)
