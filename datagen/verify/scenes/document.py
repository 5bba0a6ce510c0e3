"""What `datagen verify` says of a dataset of scenes, as one value."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from datagen.core.ids import content_hash
from datagen.shapes.procedural.things.source import GeneratedThings
from datagen.verify.check import ERROR, SKIPPED, WARNING, Result
from datagen.verify.conformance import Line
from datagen.verify.rebuild import Rebuild, rebuild
from datagen.verify.runner import failed
from datagen.verify.scenes.audit import SceneAudit
from datagen.verify.scenes.checks import run_scene_checks
from datagen.verify.scenes.conformance import scene_conformance
from datagen.verify.scenes.evidence import SceneEvidence

SCHEMA = 1
STAND_INS = tuple(GeneratedThings(which).name for which in ("toys", "abc"))
"""Sources that this project makes."""


@dataclass(frozen=True, eq=False)
class SceneDocument:
    """Everything that was found out about a dataset of scenes."""

    evidence: SceneEvidence
    results: tuple[Result, ...]
    lines: tuple[Line, ...]
    audit: SceneAudit
    content_digest: str
    byte_digest: str
    cpu_s: float
    rebuild: Rebuild | None

    @property
    def ok(self) -> bool:
        """No check of level error failed."""
        return failed(self.results, ERROR) == 0

    @property
    def counts(self) -> dict[str, Any]:
        """Scenes, views, objects by kind, splits."""
        scenes = self.evidence.scenes
        kinds = Counter(
            str(o.record.get("kind", "anomaly" if o.anomalous else "normal")) for s in scenes for o in s.objects
        )
        splits = Counter(self.evidence.split_of.get(scene.name, "none") for scene in scenes)
        return {
            "scenes": len(scenes),
            "images": sum(len(scene.views) for scene in scenes),
            "objects": sum(len(scene.objects) for scene in scenes),
            "anomalous": sum(scene.anomalous for scene in scenes),
            "without_anomaly": sum(scene.anomalous == 0 for scene in scenes),
            "by_kind": dict(sorted(kinds.items())),
            "by_split": dict(sorted(splits.items())),
            "rows": len(self.evidence.tree.rows),
        }

    def to_json(self) -> dict[str, Any]:
        """The document of `--json` (docs/verify.md)."""
        tree, run = self.evidence.tree, self.evidence.tree.run or {}
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "errors": failed(self.results, ERROR),
            "warnings": failed(self.results, WARNING),
            "skipped": sum(r.status == SKIPPED for r in self.results),
            "dataset": {
                "name": tree.name,
                "source": run.get("source"),
                "stand_in": str(run.get("source")) in STAND_INS,
                "renderer": tree.renderer,
                "seed": run.get("seed"),
                "recipe_hash": run.get("recipe_hash"),
            },
            "counts": self.counts,
            "checks": [
                {
                    "name": r.name, "level": r.level, "status": r.status, "count": r.count, "checked": r.checked,
                    "population": r.population, "of": r.of, "protects": r.protects, "why": r.why,
                    "examples": [{"subject": f.subject, "message": f.message} for f in r.examples],
                }
                for r in self.results
            ],
            "digest": {"content": self.content_digest, "bytes": self.byte_digest},
            "conformance": [line.to_json() for line in self.lines],
            "audit": self.audit.to_json(),
            "cost_cpu_s": tree.cost,
            "versions": tree.versions,
            "rebuild": self.rebuild.to_json() if self.rebuild else None,
            "verify_cpu_s": round(self.cpu_s, 2),
        }  # fmt: skip


def examine_scenes(evidence: SceneEvidence, fraction: float | None = None) -> SceneDocument:
    """Run everything. `fraction` of the jobs is rebuilt and compared when it is given."""
    start = time.process_time()
    results = run_scene_checks(evidence)
    again = rebuild(evidence, fraction, evidence.note) if fraction else None
    if again is not None:
        results = (*results, again.result())
    lines = scene_conformance(evidence)
    return SceneDocument(
        evidence, results, lines, evidence.audit, _content_digest(evidence),
        content_hash({**evidence.file_hashes, **evidence.tree.root_hashes}), time.process_time() - start, again,
    )  # fmt: skip


def _content_digest(evidence: SceneEvidence) -> str:
    """Of splits, labels, kinds and boxes to a centimetre: equal across machines."""
    rows = []
    for scene in evidence.scenes:
        things = []
        for thing in scene.objects:
            box = thing.record.get("bbox") or []
            things.append(
                [thing.anomalous, str(thing.record.get("kind", "")), [[round(float(x), 2) for x in r] for r in box]]
            )
        rows.append([scene.name, evidence.split_of.get(scene.name, ""), things])
    return content_hash({"recipe": (evidence.tree.run or {}).get("recipe_hash", ""), "scenes": rows})
