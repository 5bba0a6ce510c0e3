"""`datagen bench`: measure, print a table, or JSON."""

import platform
import sys

from rich.console import Console
from rich.table import Table

from datagen.bench.scale import PUBLISHED_SHAPES, plan_and_scan
from datagen.bench.scenes import measure_scenes
from datagen.bench.workers import compare
from datagen.cli.build import print_json
from datagen.pipeline.cores import usable_cores


def run_bench(quick: bool, as_json: bool) -> None:
    """Scale of planning and resuming; two workers against one."""
    console = Console(stderr=True)
    with console.status("plan and scan"):
        scale = plan_and_scan(PUBLISHED_SHAPES // 10 if quick else PUBLISHED_SHAPES)
    with console.status("workers"):
        workers = compare(quick)
    with console.status("scenes"):
        scenes = measure_scenes(quick)
    document = {
        "scale": scale,
        "scenes": scenes,
        **workers,
        "machine": f"{platform.machine()}, {usable_cores()} cores",
        "versions": {"python": platform.python_version()},
    }
    if as_json:
        print_json(document)
        return
    table = Table(title="datagen bench", title_justify="left")
    table.add_column("figure")
    table.add_column("value")
    for name, value in {**scale, **workers, "scenes": scenes}.items():
        table.add_row(name, str(value))
    Console(file=sys.stdout).print(table)
