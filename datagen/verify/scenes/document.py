"""What `datagen verify` says of a dataset of scenes: the JSON document and its page."""

import base64
import html
import io
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from datagen.core.ids import content_hash
from datagen.verify.check import ERROR, SKIPPED, WARNING, Result
from datagen.verify.conformance import Line
from datagen.verify.damage import DAMAGE
from datagen.verify.rebuild import Rebuild, rebuild
from datagen.verify.runner import failed, verdict
from datagen.verify.scenes.audit import SceneAudit
from datagen.verify.scenes.checks import run_scene_checks
from datagen.verify.scenes.conformance import scene_conformance
from datagen.verify.scenes.evidence import SceneEvidence

SCHEMA = 1
STRIPS = 24


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
        run = self.evidence.tree.run or {}
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "errors": failed(self.results, ERROR),
            "warnings": failed(self.results, WARNING),
            "skipped": sum(r.status == SKIPPED for r in self.results),
            "dataset": {
                "name": self.evidence.tree.name,
                "source": run.get("source"),
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


STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{border-bottom:1px solid #ddd;padding:.25rem .7rem;text-align:left;vertical-align:top}
img{width:100%;display:block;margin:.2rem 0 .8rem}
.fail{color:#b3261e}.pass{color:#2a7d3f}.skipped{color:#777}
"""


def scene_report(document: SceneDocument) -> str:
    """A page: verdict, counts, checks, conformance, audit, strips of scenes with the anomalies boxed."""
    lines = [
        [line.table, line.name, f"{line.target:g}", f"{line.actual:g}", "" if line.holds else line.why]
        for line in document.lines
    ]
    probes = [[p.name, f"{p.auc:.3f}", f"{p.low:.3f} to {p.high:.3f}", p.verdict] for p in document.audit.probes] or [
        [document.audit.note, "", "", ""]
    ]
    head = "pass" if document.ok else "fail"
    return "".join(
        [
            f"<!doctype html><html lang='en'><meta charset='utf-8'><title>datagen verify</title><style>{STYLE}</style>",
            f"<h1>{html.escape(document.evidence.tree.name)}</h1>",
            f"<p class='{head}'><b>{html.escape(verdict(document.results))}</b></p>",
            _table(["figure", "value"], [[k, str(v)] for k, v in document.counts.items()]),
            "<h2>Checks</h2>",
            _table(["check", "level", "status", "found", "what it protects, or why it is skipped"],
                   [_check_row(r) for r in document.results], raw=True),
            "<h2>Conformance</h2>",
            _table(["table", "line", "published", "here", "why"], lines),
            "<h2>Shortcuts</h2>",
            _table(["probe", "AUC", "interval", "verdict"], probes),
            "<h2>Scenes</h2>",
            *_strips(document.evidence),
            f"<p><small>content digest {document.content_digest}<br>",
            f"byte digest {document.byte_digest}</small></p></html>",
        ]
    )  # fmt: skip


def _check_row(result: Result) -> list[str]:
    """Cells of a check, ready for the page."""
    told = [html.escape(result.why or result.protects)]
    told += [f"<small>{html.escape(f'{f.subject}: {f.message}')}</small>" for f in result.examples[:3]]
    status = f"<span class='{result.status}'>{result.status}</span>"
    found = f"{result.count} of {result.checked}"
    return [result.name.replace("_", " "), result.level, status, found, "<br>".join(told)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], raw: bool = False) -> str:
    cells = "".join(f"<th>{html.escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{c if raw else html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def _strips(evidence: SceneEvidence) -> list[str]:
    found = []
    for scene in evidence.scenes[:STRIPS]:
        name = f"scenes/{scene.name}/scene.jpg"
        if name not in evidence.tree.files.names:
            continue
        try:
            with Image.open(io.BytesIO(evidence.tree.files.read(name))) as image:
                buffer = io.BytesIO()
                image.save(buffer, "JPEG", quality=80)
        except DAMAGE:
            continue
        kinds = ", ".join(str(o.record.get("kind")) for o in scene.objects if o.anomalous) or "no anomaly"
        data = base64.b64encode(buffer.getvalue()).decode()
        label = html.escape(f"{scene.name}: {kinds}")
        found.append(f"<div>{label}</div><img alt='{label}' src='data:image/jpeg;base64,{data}'>")
    return found
