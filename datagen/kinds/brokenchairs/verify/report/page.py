"""The page of a dataset of chairs."""

from collections import defaultdict
from itertools import groupby
from pathlib import Path

from datagen.formats.brokenchairs import KINDS, in_order
from datagen.kinds.brokenchairs.verify.categories import by_category
from datagen.kinds.brokenchairs.verify.conformance import TABLE_1
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.report.figures import audit_figure, distributions, funnel_figures
from datagen.kinds.brokenchairs.verify.report.pair import choose_pair
from datagen.kinds.brokenchairs.verify.report.tiles import choose, make_tile
from datagen.verify.conformance import Line
from datagen.verify.document import Document
from datagen.verify.report.meshes import viewer
from datagen.verify.report.render import draw

PAGE = Path(__file__).parent / "page"
JUDGED_FROM = 50
"""Shapes from which on the page judges conformance: below, a target is often less than one image."""
STAND_IN_NOTE = (
    "The shapes are stand-ins made by this project in PartNet's on-disk format. They are not PartNet data; "
    "figures obtained on them say nothing about BrokenChairs-180K."
)


def chair_page(document: Document[ChairEvidence]) -> str:
    """The whole page as text."""
    evidence = document.evidence
    tiles = [make_tile(evidence.tree, *chosen) for chosen in choose(evidence, document.results)]
    pair, categories = choose_pair(evidence), by_category(evidence)
    sections = [("samples", "Samples"), *([("pair", "Meshes")] if pair else [])]
    sections += [*([("categories", "Categories")] if categories else []), ("conformance", "Conformance")]
    sections += [("distributions", "Distributions"), ("funnel", "Rejections"), ("audit", "Shortcuts")]
    return draw(
        document,
        PAGE,
        "chairs.html.j2",
        sections,
        stand_in_note=STAND_IN_NOTE,
        script=(PAGE / "report.js").read_text(encoding="utf-8"),
        viewer=viewer(),
        tables=_tables(document.lines),
        parts=_part_table(document.lines),
        distributions=distributions(evidence),
        funnels=funnel_figures(evidence),
        audit_svg=audit_figure(evidence),
        pair=pair,
        categories=categories,
        anomaly_kinds=[
            k for k in in_order(evidence.funnels) if k in evidence.funnels and evidence.funnels[k].proposals
        ],
        tiles=tiles,
        kinds=[k for k in ("normal", *in_order(t.kind for t in tiles), "anomaly") if any(t.kind == k for t in tiles)],
        splits=[s for s in ("train", "val", "test", "unseen", "none") if any(t.split == s for t in tiles)],
        small=document.counts["shapes"] < JUDGED_FROM,
        judged_from=JUDGED_FROM,
    )


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
