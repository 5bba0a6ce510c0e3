"""The mesh pair that the page lets turn: a reference chair and its anomalous twin."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datagen.core.anomaly import Rejected
from datagen.core.errors import DatagenError
from datagen.core.shape import Mesh
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.verify.report.meshes import packed

MOST_FACES = 40_000
TRIED = 12


@dataclass(frozen=True)
class MeshPair:
    """Two meshes as base64 arrays for the page's viewer, and words about them."""

    caption: str
    normal: str
    anomalous: str
    kind: str


def choose_pair(evidence: ChairEvidence) -> MeshPair | None:
    """The most visible anomaly whose meshes are small enough; None without the source's parts."""
    source, recipe = evidence.source, evidence.recipe
    if source is None or recipe is None:
        return None
    rows = [r for r in evidence.tree.samples if r["label"] and r["kind"] != "missing" and r["spec"]]
    by_job = {row["job_id"]: row for row in sorted(rows, key=lambda r: r["changed_px"])}
    best = sorted(by_job.values(), key=lambda r: (r["kind"] not in ("swapped", "broken", "rotation"), -r["changed_px"]))
    for row in best[:TRIED]:
        try:
            result = source.remade(row, recipe)
        except (DatagenError, KeyError, TypeError, ValueError):
            continue
        if isinstance(result, Rejected) or sum(len(mesh.faces) for _, mesh in result.meshes()) > MOST_FACES:
            continue
        shape, changed = result.normal, result.part_ids
        words = ", ".join(w for w in (f"shape {row['public_id']}", row["kind"], _last_word(row["part"])) if w)
        normal = [(part.part_id, part.mesh) for part in shape.parts]
        before, after = (_packed(meshes, changed, shape.centre) for meshes in (normal, result.meshes()))
        return MeshPair(words, before, after, row["kind"])
    return None


def _last_word(path: str) -> str:
    return path.rsplit("/", 1)[-1].replace("_", " ")


def _packed(meshes: Sequence[tuple[int, Mesh]], changed: Sequence[int], centre: np.ndarray) -> str:
    """What the viewer draws: meshes about `centre`, parts of `changed` in colour."""
    triangles = np.concatenate([mesh.triangles for _, mesh in meshes]) - centre
    flags = np.concatenate([np.full(len(mesh.faces), part in changed) for part, mesh in meshes])
    return packed(triangles, flags)
