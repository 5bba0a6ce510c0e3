"""Fill the page."""

from collections import defaultdict
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import datagen
from datagen.core.anomaly import KINDS
from datagen.verify.check import ERROR, FAIL, PASS, SKIPPED, Result
from datagen.verify.conformance import TABLE_1, Line
from datagen.verify.document import Document
from datagen.verify.rebuild import Rebuild
from datagen.verify.report.figures import audit_figure, distributions, funnel_figures
from datagen.verify.report.pair import choose_pair
from datagen.verify.report.tiles import choose, make_tile

PAGE = Path(__file__).parent / "page"
JUDGED_FROM = 50
"""Shapes from which on the page judges conformance: below, a target is often less than one image."""
ORDER = {(ERROR, FAIL): 0, ("warning", FAIL): 1, ("error", SKIPPED): 2, ("warning", SKIPPED): 2}


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The pages' templates and filters."""
    made = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["n"] = _number
    made.filters["code"] = _code
    made.filters["words"] = lambda text: str(text).replace("_", " ")
    return made


def _number(value: float | None) -> str:
    """A figure as a table shows it: thousands apart, no more digits than it has."""
    if value is None:
        return ""
    if abs(value - round(value)) < 1e-9:
        return f"{round(value):,}".replace(",", " ")
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _code(text: str) -> Markup:
    """`names` between backticks set as code, everything else escaped."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if k % 2 else escape(part) for k, part in enumerate(text.split("`"))
    )


def report_html(document: Document) -> str:
    """The whole page as text."""
    tree = document.evidence.tree
    tiles = [make_tile(tree, *chosen) for chosen in choose(document.evidence, document.results)]
    values: dict[str, Any] = {
        **shared(document),
        "script": (PAGE / "report.js").read_text(encoding="utf-8"),
        "viewer": (PAGE / "viewer.js").read_text(encoding="utf-8"),
        "tables": _tables(document.lines),
        "parts": _part_table(document.lines),
        "distributions": distributions(document),
        "funnels": funnel_figures(document),
        "audit_svg": audit_figure(document),
        "pair": choose_pair(document.evidence),
        "tiles": tiles,
        "kinds": [k for k in ("normal", *KINDS, "anomaly") if any(t.kind == k for t in tiles)],
        "splits": [s for s in ("train", "val", "test", "none") if any(t.split == s for t in tiles)],
        "small": document.to_json()["counts"]["shapes"] < JUDGED_FROM,
        "judged_from": JUDGED_FROM,
    }
    return environment().get_template("report.html.j2").render(values)


class Examined(Protocol):
    """What the pages of both kinds of dataset say alike."""

    @property
    def results(self) -> tuple[Result, ...]:
        """Of every check."""
        ...

    @property
    def rebuild(self) -> Rebuild | None:
        """What was made again, if anything."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The document of `--json`."""
        ...


def shared(document: Examined) -> dict[str, Any]:
    """Values of head, verdict, checks and close."""
    return {
        "style": (PAGE / "report.css").read_text(encoding="utf-8"),
        "check_filter": (PAGE / "checks.js").read_text(encoding="utf-8"),
        "d": document,
        "facts": document.to_json(),
        "results": sorted(document.results, key=lambda r: ORDER.get((r.level, r.status), 3)),
        "tally": _tally(document.results),
        "rebuilt": document.rebuild,
        "version": datagen.__version__,
    }


def _tally(results: tuple[Result, ...]) -> dict[str, int]:
    return {
        "passed": sum(r.status == PASS for r in results),
        "errors": sum(r.failed_as_error for r in results),
        "warnings": sum(r.status == FAIL and not r.failed_as_error for r in results),
        "skipped": sum(r.status == SKIPPED for r in results),
    }


def _tables(lines: tuple[Line, ...]) -> list[tuple[str, list[Line]]]:
    """Conformance tables but the parts', in their order."""
    plain = [line for line in lines if not line.table.startswith("part classes")]
    order = {"images": 0, "shapes": 1, "splits, shapes": 5}
    plain.sort(
        key=lambda line: (
            order.get(line.table, 3),
            line.table,
            list(TABLE_1).index(line.name) if line.name in TABLE_1 else 0,
        )
    )
    return [(table, list(members)) for table, members in groupby(plain, key=lambda line: line.table)]


def _part_table(lines: tuple[Line, ...]) -> list[tuple[str, list[Line | None]]]:
    """Part class -> its line of every kind (None where the kind is absent)."""
    cells: dict[str, dict[str, Line]] = defaultdict(dict)
    for line in lines:
        if line.table.startswith("part classes, "):
            cells[line.name][line.table.removeprefix("part classes, ")] = line
    return [(part, [by_kind.get(kind) for kind in KINDS]) for part, by_kind in cells.items()]
