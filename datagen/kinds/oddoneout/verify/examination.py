"""Scenes as the engine of `datagen verify` examines them."""

from collections import Counter
from typing import Any

from datagen.kinds.oddoneout.verify.conformance import scene_conformance
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.report import scene_page
from datagen.kinds.oddoneout.verify.swaps import CHECKS
from datagen.shapes.procedural.things.source import GeneratedThings
from datagen.verify.document import Examination

STAND_INS = tuple(GeneratedThings(which).name for which in ("toys", "abc"))
"""Sources that this project makes."""


def _counts(evidence: SceneEvidence) -> dict[str, Any]:
    """Scenes, views, objects by kind, splits."""
    scenes = evidence.scenes
    kinds = Counter(
        str(o.record.get("kind", "anomaly" if o.anomalous else "normal")) for s in scenes for o in s.objects
    )
    splits = Counter(evidence.split_of.get(scene.name, "none") for scene in scenes)
    return {
        "scenes": len(scenes),
        "images": sum(len(scene.views) for scene in scenes),
        "objects": sum(len(scene.objects) for scene in scenes),
        "anomalous": sum(scene.anomalous for scene in scenes),
        "without_anomaly": sum(scene.anomalous == 0 for scene in scenes),
        "by_kind": dict(sorted(kinds.items())),
        "by_split": dict(sorted(splits.items())),
        "rows": len(evidence.tree.rows),
        "rows_from": evidence.tree.rows_from,
    }


def _content(evidence: SceneEvidence) -> dict[str, Any]:
    """Splits, labels, kinds and boxes to a centimetre: equal across machines."""
    rows = []
    for scene in evidence.scenes:
        things = []
        for thing in scene.objects:
            box = thing.record.get("bbox") or []
            things.append(
                [thing.anomalous, str(thing.record.get("kind", "")), [[round(float(x), 2) for x in r] for r in box]]
            )
        rows.append([scene.name, evidence.split_of.get(scene.name, ""), things])
    return {"recipe": (evidence.tree.run or {}).get("recipe_hash", ""), "scenes": rows}


SCENES = Examination(
    evidence=SceneEvidence,
    checks=CHECKS,
    counts=_counts,
    stand_in=lambda evidence: str((evidence.tree.run or {}).get("source")) in STAND_INS,
    content=_content,
    conformance=scene_conformance,
    more=lambda evidence: {"sampled": {"full": evidence.full, "replayed": len(evidence.replays)}},
    page=scene_page,
)
