"""`datagen bench`: measure, print tables, or JSON."""

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from datagen.bench.run import CHAIRS, OBJECTS, ON_DEMAND, PARTS, Bench
from datagen.bench.scenes import Protocol
from datagen.cli.build import print_json
from datagen.cli.console import console as open_console
from datagen.core.errors import UsageError
from datagen.pipeline.cores import usable_cores


def run_bench(
    quick: bool, as_json: bool, only: Sequence[str], chairs: int, pictures: int, collections: Sequence[str],
    figures: Path | None,
) -> None:  # fmt: skip
    """The parts named, in order. Raises UsageError for an unknown one."""
    unknown = sorted(set(only) - {*PARTS, *ON_DEMAND})
    if unknown:
        raise UsageError(f"bench has no part '{unknown[0]}'; the parts are {', '.join((*PARTS, *ON_DEMAND))}")
    protocol = Protocol(chairs, pictures, tuple(collections) or CHAIRS)
    objects = tuple(collections) or OBJECTS
    bench = Bench(Protocol(2, 1, protocol.collections) if quick else protocol, objects, quick, figures)
    console = open_console()
    for name in only or PARTS:
        part: Callable[[], None] = getattr(bench, name)
        with console.status(name):
            part()
    document = bench.document
    document["protocol"] = {
        "chairs": bench.protocol.chairs,
        "pictures_a_chair": bench.protocol.pictures,
        "collections": list(bench.protocol.collections),
    }
    document["machine"] = f"{platform.machine()}, {usable_cores()} cores"
    document["versions"] = {"python": platform.python_version()}
    if as_json:
        print_json(document)
    else:
        _print_tables(document, open_console(stderr=False, file=sys.stdout, width=110))


def _print_tables(document: Mapping[str, Any], console: Console) -> None:
    """One table a part; rows of figures side by side where the part compares things."""
    for name, part in document.items():
        if name == "non_render_cpu_s_per_image":  # stands in the table of phases
            continue
        rows = part if isinstance(part, dict) else {name: part}
        table = Table(title=name, title_justify="left")
        if rows and all(isinstance(row, dict) for row in rows.values()):
            columns = sorted({column for row in rows.values() for column in row})
            table.add_column("figure")
            for heading in rows:
                table.add_column(heading)
            for column in columns:
                table.add_row(column, *(str(row.get(column, "")) for row in rows.values()))
        else:
            table.add_column("figure")
            table.add_column("value")
            for key, value in rows.items():
                inner = value if isinstance(value, dict) else {"": value}
                for name, figure in inner.items():
                    table.add_row(f"{key}: {name}" if name else key, str(figure))
        console.print(table)
