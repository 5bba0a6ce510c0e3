"""`datagen verify`: a dataset's folder in; a verdict, a report and an exit code out."""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from datagen.cli.console import console as open_console
from datagen.cli.options import VerifyOptions
from datagen.core.errors import UsageError
from datagen.kinds.registry import examination_of, open_tree
from datagen.verify.check import FAIL, SKIPPED, Result, verdict
from datagen.verify.document import Document, examine


def run_verify(options: VerifyOptions) -> bool:
    """Verify, write the report, and return whether no check of level error failed. Raises UsageError."""
    console, fraction = open_console(), options.rebuild
    if fraction is not None and not 0 < fraction <= 1:
        raise UsageError(f"--rebuild {fraction:g}: give a share above 0 and up to 1, such as 0.01")

    def note(text: str) -> None:
        console.print(text, soft_wrap=True, style="dim")

    tree = open_tree(options.dataset)
    examination = examination_of(tree)
    source = {"shapes": options.shapes, "data_root": options.data_root}
    document = examine(examination, examination.evidence(tree, options.full, options.seed, note, source), fraction)
    path = options.report or options.dataset / "report.html"
    note("drawing the report")
    page = document.page()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); choose another --report") from error
    _print(console, document, path)
    if options.as_json:
        sys.stdout.write(json.dumps(document.to_json(), indent=1, allow_nan=False) + "\n")
    return document.ok


def _print(console: Console, document: Document[Any], report: Path) -> None:
    told = [result for result in document.results if result.status == FAIL]
    for result in told:
        _print_result(console, result)
    skipped = [result for result in document.results if result.status == SKIPPED]
    if skipped:
        table = Table(title="skipped", title_justify="left", show_header=False)
        for why in dict.fromkeys(result.why for result in skipped):
            names = [result.name for result in skipped if result.why == why]
            table.add_row(names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more", why)
        console.print(table)
    console.print(f"content digest {document.content_digest[:16]}  byte digest {document.byte_digest[:16]}")
    again = document.rebuild
    if again is not None and not again.skipped:
        how = "same versions" if again.same_versions else "other versions"
        console.print(f"rebuilt {again.jobs} jobs: {again.equal} of {again.files} files byte-equal ({how})")
    console.print(verdict(document.results), style="green" if document.ok else "red")
    console.print(f"report: {report}", soft_wrap=True)


def _print_result(console: Console, result: Result) -> None:
    style = "red" if result.failed_as_error else "yellow"
    console.print(
        Text.assemble(
            (result.level, style),
            f" {result.name}: {result.count} of {result.checked} {result.of}. {result.protects}",
        ),
    )
    for finding in result.examples[:3]:
        console.print(f"    {finding.subject}: {finding.message}", soft_wrap=True)
