"""The document of `datagen bench` as tables in a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

BELOW = ("non_render_cpu_s_per_image",)
"""Figures that a table of other figures shows already."""


def print_tables(document: Mapping[str, Any], console: Console) -> None:
    """One table a part; rows of figures side by side where the part compares things."""
    for name, part in document.items():
        if name not in BELOW:
            console.print(_table(name, part if isinstance(part, dict) else {name: part}))


def _table(title: str, rows: Mapping[str, Any]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("figure")
    if rows and all(isinstance(row, dict) for row in rows.values()):
        for heading in rows:
            table.add_column(heading)
        for figure in sorted({figure for row in rows.values() for figure in row}):
            table.add_row(figure, *(str(row.get(figure, "")) for row in rows.values()))
        return table
    table.add_column("value")
    for key, value in rows.items():
        inner = value if isinstance(value, dict) else {"": value}
        for name, figure in inner.items():
            table.add_row(f"{key}: {name}" if name else key, str(figure))
    return table
