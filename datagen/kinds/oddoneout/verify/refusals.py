"""Checks of a scene's job against the shapes made again: its id, what it refused, what reading its shape left out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from datagen.kinds.oddoneout.arrange import spec_text
from datagen.kinds.oddoneout.jobs import PICTURE
from datagen.kinds.oddoneout.verify.alike import differing
from datagen.kinds.oddoneout.verify.checks import REPLAYED, replays_there
from datagen.kinds.oddoneout.verify.evidence import Replayed, SceneEvidence
from datagen.kinds.oddoneout.verify.replayed import CHECKS
from datagen.verify.check import ERROR, Finding

UNSEEN = {"hidden": "proposal", "no_contrast": PICTURE}
"""Reasons for which an anomalous shape that was made is not shown -> the stage of its row."""


@CHECKS.check(ERROR, "What is refused, and how often, tells how good the rest is.", REPLAYED, (replays_there,))
def scene_jobs_replayed(e: SceneEvidence) -> Iterator[Finding]:
    """The job's id is the plan's; its rejections are the proposals that are refused again, for the same reasons."""
    by_name = {scene.name: scene for scene in e.scenes}
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in e.tree.rows:
        rows.setdefault(str(row["job_id"]), []).append(row)
    for replay in e.replays:
        if replay.problem or replay.job is None:
            continue
        own = rows.get(replay.job.job_id, [])
        told = by_name[replay.scene].extra.get("job_id")
        if told != replay.job.job_id:
            yield Finding(replay.scene, f"is of the job {str(told)[:12]}, its recipe and shape give another")
        elif own:
            for text in _job_faults(replay, own):
                yield Finding(replay.scene, text)


def _job_faults(replay: Replayed, rows: list[Mapping[str, Any]]) -> Iterator[str]:
    """What the rows of a job say otherwise than its shapes."""
    assert replay.job is not None and replay.normal is not None
    shared = {key: getattr(replay.job, key) for key in ("shape_id", "split", "public_id")}
    for row in rows:
        wanted = {**shared, "warnings": list(replay.normal.warnings)} if row["row_type"] == "scene" else shared
        for key, said, meant in differing(row, wanted):
            yield f"a {row['row_type']} row says {key} {said}, its job {meant}"
    refused = Counter((a.kind, a.why.reason) for oddity in replay.offered for a in oddity.refused)
    made = {(o.shape.spec.kind, spec_text(o.shape)) for o in replay.offered if o.shape is not None}
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["row_type"] != "rejection":
            continue
        kind, reason, stage = str(row["kind"]), str(row["reason"]), str(row["stage"])
        if reason not in UNSEEN:
            found[kind, reason] += 1
        elif (kind, str(row["spec"])) not in made:
            yield f"a rejection ({reason}) is of a {kind} that was not made"
        if stage != UNSEEN.get(reason, "proposal"):
            yield f"a rejection ({reason}) is of the stage {stage}"
    for kind, reason in sorted((found - refused) + (refused - found)):
        yield f"{found[kind, reason]} rows refuse a {kind} ({reason}), its shapes {refused[kind, reason]}"
