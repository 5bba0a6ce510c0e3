"""What the page plots: distributions of the dataset, the funnel, the audit."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from datagen.formats.brokenchairs import in_order
from datagen.kinds.brokenchairs.verify.audit import PAPER_QUERY_ONLY
from datagen.kinds.brokenchairs.verify.checks.boxes import box_of
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.verify.report import plots
from datagen.verify.report.plots import Series

Figure = tuple[str, str]
"""(title, SVG)."""


def distributions(evidence: ChairEvidence) -> list[Figure]:
    """Plots by label, then by kind; those without data are left out."""
    queries = evidence.queries
    found = [*_cameras(queries), *_pictures(queries), *_by_kind(queries), *_balance(queries)]
    return [(title, svg) for title, svg in found if svg]


def _by_label(queries: Sequence[QueryFacts], value: str) -> list[Series]:
    groups: dict[int, list[float]] = {0: [], 1: []}
    for query in queries:
        number = getattr(query.name, value)
        if number is not None:
            groups[query.name.label].append(float(number))
    return [Series("normal", "normal", groups[0]), Series("anomalous", "anomaly", groups[1])]


def _cameras(queries: Sequence[QueryFacts]) -> list[Figure]:
    return [
        ("Azimuth", plots.histogram(_by_label(queries, "azimuth_deg"), "azimuth", "degree", 20, (-9, 351))),
        ("Elevation", plots.histogram(_by_label(queries, "elevation_deg"), "elevation", "degree", 16)),
    ]


def _pictures(queries: Sequence[QueryFacts]) -> list[Figure]:
    def series(pick: str) -> list[Series]:
        groups: dict[int, list[float]] = {0: [], 1: []}
        for query in queries:
            if query.picture is not None:
                groups[query.name.label].append(float(getattr(query.picture, pick)))
        return [Series("normal", "normal", groups[0]), Series("anomalous", "anomaly", groups[1])]

    return [
        ("Object in the picture", plots.histogram(series("object_share"), "share of pixels darker than white", "", 20)),
        ("Object's grey", plots.histogram(series("object_median"), "median grey of the object", "0-255", 20, (0, 230))),
    ]


def _by_kind(queries: Sequence[QueryFacts]) -> list[Figure]:
    severity: dict[str, list[float]] = defaultdict(list)
    changed: dict[str, list[float]] = defaultdict(list)
    box: dict[str, list[float]] = defaultdict(list)
    for query in queries:
        if not query.name.label:
            continue
        if query.row is not None:
            severity[query.kind].append(float(query.row["severity"]))
            changed[query.kind].append(max(float(query.row["changed_px"]), 1.0))
        if (found := box_of(query)) is not None and found[2] > 0 and found[3] > 0:
            box[query.kind].append((found[2] * found[3]) ** 0.5)

    def series(table: dict[str, list[float]]) -> list[Series]:
        return [Series(kind, kind, table[kind]) for kind in in_order(table) if table[kind]]

    return [
        ("Severity", plots.histogram(series(severity), "surface moved over D, or share removed", "", 20)),
        ("Changed pixels", plots.histogram(series(changed), "changed pixels", "px", 20, logarithmic=True)),
        ("Box size", plots.histogram(series(box), "edge of the box, geometric mean", "px of 512", 20)),
    ]


def _balance(queries: Sequence[QueryFacts]) -> list[Figure]:
    """What should not tell the label: lights and material classes."""
    lights: dict[str, Counter[int]] = defaultdict(Counter)
    classes: dict[str, Counter[int]] = defaultdict(Counter)
    for query in queries:
        lights[f"light {query.name.light}"][query.name.label] += 1
        for material in query.row["material_ids"] if query.row is not None else ():
            classes[str(material).split("_")[0]][query.name.label] += 1
    return [
        ("Lights", _shares(lights, "share of pictures")),
        ("Materials", _shares(classes, "share of worn materials")),
    ]


def _shares(table: dict[str, Counter[int]], label: str) -> str:
    totals = {k: max(sum(c[k] for c in table.values()), 1) for k in (0, 1)}
    groups = {
        name: {"normal": counts[0] / totals[0], "anomalous": counts[1] / totals[1]}
        for name, counts in sorted(table.items())[:12]
    }
    return plots.bars(groups, {"normal": "normal", "anomalous": "anomaly"}, label)


def funnel_figures(evidence: ChairEvidence) -> list[tuple[str, str, str]]:
    """(kind, SVG, reasons in words) of every kind that was proposed."""
    figures = []
    for kind in in_order(evidence.funnels):
        funnel = evidence.funnels.get(kind)
        if funnel is None or funnel.proposals == 0:
            continue
        stages = [("proposals", funnel.proposals), ("accepted", funnel.accepted), ("images", funnel.images)]
        svg = plots.funnel(stages, kind, f"{kind}: {funnel.proposals} proposals, {funnel.accepted} accepted")
        figures.append((kind, svg, funnel.reasons(6)))
    return figures


def audit_figure(evidence: ChairEvidence) -> str:
    """Probes and groups with their intervals."""
    named = [(f"{probe.name} → {probe.target}", probe, "normal") for probe in evidence.audit.probes]
    named += [(f"{probe.name} alone", probe, "quiet") for probe in evidence.audit.groups]
    rows = [
        (name, probe.auc, probe.low, probe.high, "anomaly" if probe.verdict == "leak" else style)
        for name, probe, style in named
    ]
    return plots.intervals(rows, [(0.5, "chance"), (PAPER_QUERY_ONLY, "paper's query-only model")])
