"""The page of a dataset of scenes."""

import io
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.anomalies.registry import operators
from datagen.formats.oddoneout import in_order
from datagen.formats.pictures import data_url
from datagen.kinds.oddoneout.verify.conformance import SETS
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.facts import SceneFacts
from datagen.shapes.procedural.things.source import NOTE
from datagen.verify.conformance import Line
from datagen.verify.damage import DAMAGE
from datagen.verify.document import Document
from datagen.verify.report.plots import Series, histogram
from datagen.verify.report.render import draw
from datagen.verify.tree import Record, Tree

STRIPS, PLOTTED = 24, 8
"""Scenes shown; objects of a kind from which on its severity is drawn."""


@dataclass(frozen=True)
class Strip:
    """A scene's strip of views, as a data URL."""

    name: str
    kinds: str
    data: str


@dataclass(frozen=True)
class KindFigures:
    """One kind of anomaly over the dataset: objects that show it, shapes made for it, proposals refused."""

    kind: str
    objects: int
    shapes: int
    severity: float | None
    refused: int
    reasons: str
    svg: str


def scene_page(document: Document[SceneEvidence]) -> str:
    """The whole page as text."""
    evidence = document.evidence
    wrong = {subject for result in document.results for subject in result.subjects}
    scenes = sorted(evidence.scenes, key=lambda s: (not any(s.name in subject for subject in wrong), s.name))
    recipe = evidence.recipe
    tables: dict[str, list[Line]] = defaultdict(list)
    for line in document.lines:
        tables[line.table].append(line)
    return draw(
        document,
        Path(__file__).parent / "page",
        "scenes.html.j2",
        [("scenes", "Scenes"), ("anomalies", "Anomalies"), ("conformance", "Conformance"), ("audit", "Shortcuts")],
        stand_in_note=NOTE,
        replayed=len(evidence.replays),
        strips=[strip for scene in scenes[:STRIPS] if (strip := _strip(evidence.tree, scene)) is not None],
        kinds=_kinds(evidence.tree.rows),
        tables=list(tables.items()),
        small=recipe is None or len(scenes) < SETS[recipe.naming].scenes / 10,
    )


def _kinds(rows: tuple[Record, ...]) -> list[KindFigures]:
    objects: dict[str, list[Record]] = defaultdict(list)
    proposals = set()
    for row in rows:
        if row["row_type"] == "object" and row["label"]:
            objects[row["kind"]].append(row)
        elif row["row_type"] == "rejection" and row["kind"] in operators():
            # Scenes of one shape share its anomalies: what was refused on the way to one is told by each.
            proposals.add((row["shape_id"], row["kind"], row["spec"] or row["detail"], row["reason"]))
    refused: dict[str, Counter[str]] = defaultdict(Counter)
    for _, kind, _, reason in proposals:
        refused[kind][reason] += 1
    found = []
    for kind in in_order([*objects, *refused]):
        if not objects[kind] and not refused[kind]:
            continue
        # A shape's anomaly stands in several scenes: one value each.
        severities = list({(row["shape_id"], row["spec"]): row["severity"] for row in objects[kind]}.values())
        reasons = ", ".join(f"{reason.replace('_', ' ')} {n}" for reason, n in refused[kind].most_common(3))
        svg = histogram([Series(kind, "anomaly", severities)], "severity", bins=12)
        median = float(np.median(severities)) if severities else None
        svg = svg if len(severities) >= PLOTTED else ""
        total = refused[kind].total()
        found.append(KindFigures(kind, len(objects[kind]), len(severities), median, total, reasons, svg))
    return found


def _strip(tree: Tree, scene: SceneFacts) -> Strip | None:
    name = f"scenes/{scene.name}/scene.jpg"
    if name not in tree.files.sizes:
        return None
    try:
        with Image.open(io.BytesIO(tree.files.read(name))) as image:
            data = data_url(image, "JPEG", quality=80)
    except DAMAGE:
        return None
    kinds = ", ".join(str(o.record.get("kind")) for o in scene.objects if o.anomalous) or "no anomaly"
    return Strip(scene.name, kinds, data)
