"""BrokenChairs-180K's plan once from end to end, on 8,143 stand-in chairs with small pictures of the fake renderer."""

import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from datagen.kinds.brokenchairs.bench.scale import PUBLISHED_SHAPES
from datagen.shapes.procedural import generate
from datagen.store.manifest import read_manifest
from datagen.verify.tree import NO_PHASE
from tests.crash.harness import start

# Two reference views a chair instead of 20 spare 50 GB; the marks of 256 pixels are scaled to 64.
SMALL = ["query.size_px=64", "anomaly.min_changed_px=8", "quality.ground_share=0.3", "quality.ground_floor=0"]
SMALL += ["reference.views=2", "reference.points=64"]


def peak_mib(pid: int) -> float:
    """The most memory the process has had so far, in MiB; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
    except OSError:
        return 0.0


def usage(folder) -> tuple[int, int]:
    """Bytes on disk and inodes of everything in a folder."""
    found = [entry.lstat() for entry in folder.rglob("*")]
    return sum(stat.st_blocks * 512 for stat in found), len(found)


@pytest.mark.soak
def test_brokenchairs180k_is_built_once(tmp_path):
    generate(tmp_path / "chairs", PUBLISHED_SHAPES, seed=0, quirks=False)
    out = tmp_path / "data"
    begun = time.monotonic()
    process = start(
        out, "--recipe", "brokenchairs180k", shapes=tmp_path / "chairs", limit=None, executor="ray", sets=SMALL
    )
    driver = 0.0
    while process.poll() is None:
        driver = max(driver, peak_mib(process.pid))
        time.sleep(1)
    wall = time.monotonic() - begun
    assert process.returncode == 0
    rows = read_manifest(out)
    kept = [row for row in rows if row["row_type"] == "sample" and row["status"] == "ok"]
    ledger = pq.read_table(out / "cost.parquet").to_pydict()
    cpu_s = sum(seconds or 0.0 for phase in set(ledger) - set(NO_PHASE) for seconds in ledger[phase])
    size, inodes = usage(out)
    print(f"{len({row['job_id'] for row in rows})} jobs, {len(rows)} rows, {len(kept)} images", end=", ")
    print(f"{wall / 60:.0f} min, {cpu_s / 60:.0f} CPU-min of jobs, {size / 2**30:.2f} GiB, {inodes} inodes", end=", ")
    print(f"driver's peak {driver:.0f} MiB; rows by status {Counter(row['status'] for row in rows)}")
    assert len({row["shape_id"] for row in rows}) == PUBLISHED_SHAPES
    assert len({row["query_path"] for row in kept}) == len(kept) > 150_000
    assert not any(row["status"] in ("failed", "quarantined") for row in rows)
    assert driver < 4096
