"""Fill the page."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from datagen.verify.check import ERROR, FAIL, PASS, SKIPPED, Result
from datagen.verify.document import Document

PAGE = Path(__file__).parent / "page"
ORDER = {(ERROR, FAIL): 0, ("warning", FAIL): 1, ("error", SKIPPED): 2, ("warning", SKIPPED): 2}


@lru_cache(maxsize=8)
def _environment(folder: Path) -> Environment:
    """Templates of the engine and of a kind's folder, and their filters."""
    made = Environment(
        loader=FileSystemLoader([PAGE, folder]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
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


def draw(
    document: Document[Any], folder: Path, template: str, sections: Sequence[tuple[str, str]], **values: Any
) -> str:
    """The whole page as text: what is said of every kind, and the blocks of `template` in a kind's `folder`.

    `sections` are the (id, title) pairs of the kind's own sections. `values` hold `stand_in_note` and whatever the
    template needs.
    """
    shared = {
        "style": (PAGE / "report.css").read_text(encoding="utf-8"),
        "check_filter": (PAGE / "checks.js").read_text(encoding="utf-8"),
        "d": document,
        "facts": document.to_json(),
        "results": sorted(document.results, key=lambda r: ORDER.get((r.level, r.status), 3)),
        "tally": _tally(document.results),
        "rebuilt": document.rebuild,
        "version": version("datagen"),
        "sections": sections,
    }
    return _environment(folder).get_template(template).render({**shared, **values})


def _tally(results: tuple[Result, ...]) -> dict[str, int]:
    return {
        "passed": sum(r.status == PASS for r in results),
        "errors": sum(r.failed_as_error for r in results),
        "warnings": sum(r.status == FAIL and not r.failed_as_error for r in results),
        "skipped": sum(r.status == SKIPPED for r in results),
    }
