"""How the dataset compares with the published one: Table 1, splits, parts by kind (paper, section 3.2)."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from datagen.formats.brokenchairs import KINDS, in_order
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.funnel import Funnel, funnels
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.recipe.categories import DEFAULT, built_in
from datagen.verify.conformance import Line
from datagen.verify.tree import Record

SHAPES_PUBLISHED = 8143
TABLE_1: Mapping[str, tuple[int, int, tuple[int, int, int]]] = {
    "position": (5646, 20023, (1, 7, 4)),
    "rotation": (5551, 20017, (1, 7, 4)),
    "broken": (6113, 20008, (1, 5, 4)),
    "swapped": (6427, 20010, (1, 7, 4)),
    "missing": (5182, 20023, (1, 8, 4)),
    "normal": (8143, 80000, (1, 12, 8)),
}
"""kind -> shapes, images, views a shape as (min, max, median)."""
Asked = Mapping[str, tuple[int, int]]
SPLIT_SHARES = {"train": 138 / 177, "val": 13 / 177, "test": 26 / 177}


def conformance(evidence: ChairEvidence) -> tuple[Line, ...]:
    """Every line of every table, of chairs alone: no other category has published counts."""
    chairs = [query for query in evidence.queries if query.category == DEFAULT]
    shapes = len({query.name.shape for query in chairs})
    if shapes == 0:
        return ()
    rows = [row for row in evidence.tree.rows if (row.get("category") or DEFAULT) == DEFAULT]
    kinds, classes = funnels(rows)
    by_kind: dict[str, list[QueryFacts]] = defaultdict(list)
    for query in chairs:
        if not query.is_twin:
            by_kind[query.kind].append(query)
    table = _table_1(by_kind, shapes, _planned(evidence, rows), kinds, _asked(evidence), _dealt(evidence))
    others = {str(row["public_id"]) for row in evidence.tree.rows} - {str(row["public_id"]) for row in rows}
    lines = [*table, *_splits(evidence, others)]
    return (*lines, *_parts(by_kind, classes))


def _table_1(
    by_kind: Mapping[str, Sequence[QueryFacts]],
    shapes: int,
    planned: Mapping[str, int],
    kinds: Mapping[str, Funnel],
    asked: Asked,
    dealt: str,
) -> list[Line]:
    scale = shapes / SHAPES_PUBLISHED
    lines = []
    for kind, (shape_count, image_count, (low, high, median)) in TABLE_1.items():
        found = by_kind.get(kind, [])
        views = Counter(query.name.shape for query in found)
        target = image_count * scale
        # The tolerance holds for one draw of a build this size: shapes come and go whole, with all their views.
        tolerance = max(0.05 * target, 3 * (target * image_count / shape_count) ** 0.5)
        why = _why(len(found), target, tolerance, planned.get(kind), kinds.get(kind))
        lines.append(Line("images", kind, target, len(found), tolerance, planned.get(kind), why))
        want = shape_count * scale
        share = min(shape_count / SHAPES_PUBLISHED, 1)
        spread = max(0.05 * want, 3 * (shapes * share * (1 - share)) ** 0.5, 0.5)
        line = Line("shapes", kind, want, len(views), spread)
        lines.append(line if line.holds or not dealt else replace(line, why=dealt))
        if views:
            values = list(views.values())
            lines.append(_views("min", kind, low, min(values), 1, asked))
            lines.append(_views("max", kind, high, max(values), 3, asked))
            lines.append(_views("median", kind, median, statistics.median(values), 2, asked))
    return lines


def _views(which: str, kind: str, target: float, actual: float, tolerance: float, asked: Asked) -> Line:
    """A line on views a shape; a deviation is explained by what the recipe draws from."""
    line = Line(f"views a shape, {which}", kind, target, actual, tolerance)
    if line.holds or kind not in asked:
        return line
    low, high = asked[kind]
    return replace(line, why=f"the recipe draws {low} to {high} views a slot")


def _asked(evidence: ChairEvidence) -> Asked:
    """kind -> fewest and most views that the recipe draws for a slot; {} without a recipe."""
    recipe = evidence.recipe
    if recipe is None:
        return {}
    anomaly = recipe.anomaly
    drawn = {kind: anomaly.views_by_kind.get(kind) or anomaly.views for kind in in_order(anomaly.slots)}
    drawn["normal"] = recipe.normal.views
    return {kind: (min(weights), max(weights)) for kind, weights in drawn.items()}


def _dealt(evidence: ChairEvidence) -> str:
    """How the recipe deals kinds to shapes, in words; '' without a recipe."""
    recipe = evidence.recipe
    if recipe is None:
        return ""
    if recipe.anomaly.slots_per_shape is not None:
        return f"the recipe deals {recipe.anomaly.slots_per_shape} kinds to a shape, in turn"
    expected = ", ".join(f"{kind} {count:g}" for kind, count in recipe.anomaly.slots.items())
    return f"the recipe's slots a shape: {expected}"


def _why(actual: int, target: float, tolerance: float, planned: int | None, funnel: Funnel | None) -> str:
    if abs(actual - target) <= tolerance:
        return ""
    words = []
    if planned is not None and abs(planned - target) > tolerance:
        words.append(f"the recipe asks for {planned}")
    if planned is not None and planned > actual and funnel is not None:
        lost = f"{planned - actual} of {planned} asked for were not made"
        words.append(lost + (f" ({reasons})" if (reasons := funnel.reasons()) else ""))
    elif planned is None and funnel is not None and (reasons := funnel.reasons()):
        words.append(f"rejected: {reasons}")
    return "; ".join(words)


def _planned(evidence: ChairEvidence, rows: Sequence[Record]) -> dict[str, int]:
    """Images that the plan asks for by kind, over the shapes that are there; {} without the source."""
    source = evidence.source
    if source is None:
        return {}
    asked: Counter[str] = Counter()
    for shape in {row["shape_id"] for row in rows} & set(source.place):
        for job in source.jobs_of(shape):
            asked[job.kind] += job.views
    return dict(asked)


def _splits(evidence: ChairEvidence, others: Collection[str]) -> list[Line]:
    """Shapes of each split, without the `others`, which are no chairs."""
    split_of = {shape: split for shape, split in evidence.tree.split_of.items() if shape not in others}
    if not split_of:
        return []
    counts, total = Counter(split_of.values()), len(split_of)
    lines = []
    for name, share in SPLIT_SHARES.items():
        tolerance = max(1.0, 3 * (total * share * (1 - share)) ** 0.5)
        why = "" if total >= 100 else "fewer than 100 shapes: ranked and cut, with at least 1 val and 2 test"
        target = total * share
        line = Line("splits, shapes", name, target, counts[name], tolerance)
        lines.append(line if line.holds else replace(line, why=why))
    return lines


def _parts(by_kind: Mapping[str, Sequence[QueryFacts]], classes: Mapping[tuple[str, str], Funnel]) -> list[Line]:
    """Images by kind and part class: the kind's own images, shared out as the published ones are."""
    lines = []
    for kind in KINDS:
        found = by_kind.get(kind, [])
        counts = Counter(part for query in found if (part := _part_class(query)))
        total = sum(counts.values())
        if total == 0:
            continue
        weights, jobs = built_in(DEFAULT).weights[kind], len({query.name.folder for query in found})
        views = total / max(jobs, 1)
        for part, weight in weights.items():
            target = total * weight / sum(weights.values())
            # Views of one job show one part: the draw is of jobs, views times as noisy. A chair lacks most classes.
            tolerance = max(0.25 * target, 3 * (views * target) ** 0.5, views)
            funnel = classes.get((kind, part))
            why = ""
            if abs(counts[part] - target) > tolerance:
                tried = funnel.proposals if funnel else 0
                why = f"{tried} proposals, {funnel.accepted if funnel else 0} accepted"
                why += f" ({reasons})" if funnel and (reasons := funnel.reasons(2)) else ""
                why += "; the shapes that are there hardly have this part" if tried < jobs * weight / 40_000 else ""
            lines.append(Line(f"part classes, {kind}", part, target, counts[part], tolerance, None, why))
    return lines


def _part_class(query: QueryFacts) -> str:
    if query.row is not None:
        return str(query.row["part_class"])
    config = (query.info or {}).get("config")
    return str(config.get("part_class", "")) if isinstance(config, dict) else ""
