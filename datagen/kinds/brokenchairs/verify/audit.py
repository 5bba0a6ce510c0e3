"""The shortcut audit: can label or kind be told without the reference?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from datagen.core.statistics import auc
from datagen.formats.brokenchairs import in_order
from datagen.kinds.brokenchairs.verify.queries import QueryFacts
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.verify.logistic import auc_interval, held_out_scores, mean_auc
from datagen.verify.pictures import open_picture, probe_features

PAPER_QUERY_ONLY = 0.746
"""AUC of the paper's query-only baseline: what of it is no shortcut is the broken object itself."""
MIN_SHAPES, MIN_EACH = 10, 20
MAX_SAMPLES = 3000
CLOSE = 0.58
"""An interval that holds 0.5 and ends below this is called clean; one that ends above it is called wide."""
MATERIALS = 150
"""Commonest materials that get a column of their own."""


@dataclass(frozen=True)
class Probe:
    """One probe: what it looked at, what it tried to tell, how well it could."""

    name: str
    target: str
    samples: int
    shapes: int
    auc: float
    low: float
    high: float
    verdict: str

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Audit:
    """Every probe; `groups` are the metadata columns one group at a time, to name a leak."""

    probes: tuple[Probe, ...]
    groups: tuple[Probe, ...]
    note: str = ""

    @property
    def leaks(self) -> tuple[Probe, ...]:
        """Metadata probes whose interval lies above 0.5."""
        return tuple(p for p in (*self.probes, *self.groups) if p.verdict == "leak")

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        return {
            "probes": [probe.to_json() for probe in self.probes],
            "groups": [probe.to_json() for probe in self.groups],
            "paper_query_only_auc": PAPER_QUERY_ONLY,
            "note": self.note,
        }


def audit(tree: ChairTree, queries: Sequence[QueryFacts]) -> Audit:
    """Probe label and kind, twins aside. The note says why nothing was probed, if so."""
    queries = [q for q in queries if q.picture is not None and not q.name.problem and not q.is_twin]
    step = max(1, -(-len(queries) // MAX_SAMPLES))
    queries = queries[::step]
    shapes = {query.name.shape for query in queries}
    labels = np.array([query.name.label for query in queries])
    if len(shapes) < MIN_SHAPES or min(labels.sum(), (1 - labels).sum()) < MIN_EACH:
        return Audit(
            (), (), f"{len(queries)} pictures of {len(shapes)} shapes are too few (10 shapes, 20 of each label)"
        )
    columns = metadata(queries)
    everything = np.concatenate(list(columns.values()), axis=1)
    pixels = np.stack([_features(tree, query.path) for query in queries])
    probes = [
        _label_probe("metadata", everything, queries, labels, 0.95),
        _kind_probe("metadata", everything, queries),
        _label_probe("picture alone", pixels, queries, labels, 0.95),
        _kind_probe("picture alone", pixels, queries),
    ]
    probes += _category_probes(everything, queries, labels)
    # Some eight groups are looked at: each has to be surer before it is called a leak.
    groups = [_label_probe(name, X, queries, labels, 0.99) for name, X in columns.items()]
    return Audit(tuple(p for p in probes if p), tuple(g for g in groups if g))


def _category_probes(X: np.ndarray, queries: Sequence[QueryFacts], labels: np.ndarray) -> list[Probe]:
    """The metadata of every category by itself, of those that have enough pictures; none where there is only one."""
    names = np.array([query.category for query in queries])
    found: list[Probe] = []
    for name in sorted(set(names.tolist())) if len(set(names.tolist())) > 1 else ():
        rows = np.flatnonzero(names == name)
        part, own = [queries[k] for k in rows], labels[rows]
        if len({query.name.shape for query in part}) >= MIN_SHAPES and min(own.sum(), (1 - own).sum()) >= MIN_EACH:
            found.append(_label_probe(f"metadata of {name}", X[rows], part, own, 0.99))
    return found


def _features(tree: ChairTree, path: str) -> np.ndarray:
    return probe_features(open_picture(tree.files.read(path))).astype(np.float64)


def _dresses(queries: Sequence[QueryFacts]) -> list[str]:
    """What has one label as a whole: the views of one shape in one dress."""
    return [f"{query.name.shape} {query.name.texture}" for query in queries]


def _label_probe(name: str, X: np.ndarray, queries: Sequence[QueryFacts], labels: np.ndarray, level: float) -> Probe:
    groups = [query.name.shape for query in queries]
    scores = held_out_scores(X, labels, groups)
    value = auc(labels, scores)
    low, high = auc_interval(X, labels[:, None], scores[:, None], groups, _dresses(queries), level)
    return _probe(name, "label", queries, value, low, high)


def _kind_probe(name: str, X: np.ndarray, queries: Sequence[QueryFacts]) -> Probe | None:
    """Macro average over kinds of one kind against the other anomalies."""
    chosen = [k for k, query in enumerate(queries) if query.name.label]
    counts = Counter(queries[k].kind for k in chosen)
    usable = [kind for kind in in_order(counts) if MIN_EACH <= counts[kind] <= len(chosen) - MIN_EACH]
    if len(usable) < 2:
        return None
    part = [queries[k] for k in chosen]
    groups = [query.name.shape for query in part]
    Y = np.array([[int(query.kind == kind) for kind in usable] for query in part])
    scores = np.stack([held_out_scores(X[chosen], y, groups) for y in Y.T], axis=1)
    low, high = auc_interval(X[chosen], Y, scores, groups, _dresses(part))
    return _probe(name, "kind", part, mean_auc(Y, scores), low, high)


def _probe(name: str, target: str, queries: Sequence[QueryFacts], value: float, low: float, high: float) -> Probe:
    if name == "picture alone":
        limit = PAPER_QUERY_ONLY if target == "label" else 1.0
        verdict = "above the paper's query-only baseline" if low > limit else "no more than the object shows"
    elif low > 0.5:
        verdict = "leak"
    else:
        verdict = "clean" if high < CLOSE else "undecided: the interval is wide"
    shapes = len({query.name.shape for query in queries})
    return Probe(name, target, len(queries), shapes, value, low, high, verdict)


def metadata(queries: Sequence[QueryFacts]) -> dict[str, np.ndarray]:
    """Columns (N, D) by group: file size, material, light, azimuth, elevation, view count, sample index."""
    lights = sorted({query.name.light or "" for query in queries})
    dresses = Counter((query.name.shape, query.name.texture) for query in queries)
    azimuth = np.radians([query.name.azimuth_deg or 0.0 for query in queries])
    columns = {
        "file size": np.log([[max(query.size, 1)] for query in queries]),
        "light": np.array([[query.name.light == light for light in lights] for query in queries], dtype=float),
        "azimuth": np.stack([f(k * azimuth) for k in (1, 2, 3) for f in (np.sin, np.cos)], axis=1),
        "elevation": np.array([[query.name.elevation_deg or 0.0] for query in queries]),
        "view count": _counts([dresses[(query.name.shape, query.name.texture)] for query in queries]),
        "sample index": _index(queries),
    }
    categories = sorted({query.category for query in queries})
    if len(categories) > 1:
        columns["category"] = np.array([[query.category == name for name in categories] for query in queries])
    if all(query.row is not None for query in queries):
        columns["material"] = _materials(queries)
    return {name: np.asarray(value, dtype=np.float64) for name, value in columns.items()}


def _counts(values: Sequence[int]) -> np.ndarray:
    """A column for each count up to 9 and more: a leak need not grow with the count."""
    return np.array([[min(value, 9) == k for k in range(1, 10)] for value in values], dtype=float)


def _index(queries: Sequence[QueryFacts]) -> np.ndarray:
    """Rank of a view within its dress by file name, and the texture number."""
    seen: Counter[tuple[str, str | None]] = Counter()
    columns = []
    for query in queries:
        key = (query.name.shape, query.name.texture)
        texture = query.name.texture or ""
        columns.append([seen[key], int(texture) % 100_000 if texture.isdigit() else 0])
        seen[key] += 1
    return np.array(columns, dtype=float)


def _materials(queries: Sequence[QueryFacts]) -> np.ndarray:
    worn = [tuple(query.row["material_ids"]) if query.row else () for query in queries]
    common = [name for name, _ in Counter(m for ids in worn for m in ids).most_common(MATERIALS)]
    classes = sorted({m.split("_")[0] for ids in worn for m in ids})
    own = [[name in ids for name in common] for ids in worn]
    kinds = [[sum(m.split("_")[0] == c for m in ids) for c in classes] + [len(ids)] for ids in worn]
    return np.concatenate([np.array(own, dtype=float).reshape(len(worn), -1), np.array(kinds, dtype=float)], axis=1)
