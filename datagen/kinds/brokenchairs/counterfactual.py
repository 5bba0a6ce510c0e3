"""What makes an anomaly's pictures pairs: the bundle of the anomalous shape, and a normal twin of every picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from datagen.annotate.masks import tight_box
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.ids import canonical_json
from datagen.core.rng import stream
from datagen.core.row import Job, Row
from datagen.core.scene import GeometryFrame
from datagen.formats import brokenchairs as layout
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.queries import Candidate, QueryShot, taken
from datagen.kinds.brokenchairs.references import PartMeshes, bundle_files, view_depths
from datagen.kinds.brokenchairs.state import normal_columns, state_of
from datagen.pipeline.prepared import job_row
from datagen.recipe.models import ReferenceRecipe
from datagen.scenes.cameras import query_transform, reference_cameras, reference_transform

DEPTH_TOLERANCE = 0.01
"""Depth differences below this in reference views are repair noise: that of queries, at the references' scale."""
EDGE_PX = 1.0
"""What of a reference picture has to stay white all around."""


@dataclass(frozen=True, eq=False)
class PairedShot:
    """An anomaly's pictures and their twins, taken or refused together, and the bundle that goes with them."""

    shot: QueryShot
    twin: QueryShot
    bundle: Row
    files: Mapping[str, bytes]

    def take(self, job: Job, context: ChairContext) -> tuple[list[Row], dict[str, bytes]]:
        """Render both: rows and files of the pictures that pass together with their twins, and of the bundle."""
        rows: list[Row] = []
        files: dict[str, bytes] = {}
        both = zip(taken(job, context, self.shot), taken(job, context, self.twin), self.shot.candidates, strict=True)
        for (row, written), (twin, twin_written), candidate in both:
            if not written:
                rows.append(row)
            elif not twin_written:
                rows.append(_refused(row, twin))
            elif written[row.query_path] == twin_written[twin.query_path]:
                rows.append(_refused(row, replace(twin, reason="same_as_twin", detail="it is the very same picture")))
            else:
                rows += [row, _twin_row(twin, row, candidate)]
                files |= written | twin_written
        if files:
            rows.append(self.bundle)
            files |= self.files
        return rows, files


def paired(
    job: Job, context: ChairContext, made: AnomalousShape, shot: QueryShot, before: Sequence[GeometryFrame]
) -> PairedShot:
    """A shot with all that makes pairs of its pictures; `before` are the normal shape's frames at its cameras."""
    twin = twin_of(job, context, made, shot, before)
    with context.phase("reference"):
        row, files = _bundle(job, context, made, shot)
    return PairedShot(shot, twin, row, files)


def twin_of(
    job: Job, context: ChairContext, made: AnomalousShape, shot: QueryShot, before: Sequence[GeometryFrame]
) -> QueryShot:
    """The normal shape under an anomalous shot's cameras, lights and dress."""
    T = query_transform(made.normal, context.recipe.query)
    twins = [
        Candidate(c.camera, c.light, frame, c.backdrop, c.turn_deg)
        for c, frame in zip(shot.candidates, before, strict=True)
    ]
    return QueryShot(
        folder=f"{job.public_id}-t{job.slot}",
        meshes=tuple((part.part_id, part.mesh.transformed(T)) for part in made.normal.parts),
        assignment=shot.assignment,
        candidates=tuple(twins),
        ground_z=shot.ground_z,
        common={
            **{name: shot.common[name] for name in ("T_shape_source", "looks")},
            "kind": "normal",
            **normal_columns(context.shapes.load(job.shape_id), state_of(shot.common), context.recipe),
        },
        looks=shot.looks,
        skins={part.part_id: part.skin for part in made.normal.parts if part.skin is not None},
        palette=made.normal.palette,
        stress=shot.stress,
        mm=shot.mm,
    )


def _bundle(job: Job, context: ChairContext, made: AnomalousShape, shot: QueryShot) -> tuple[Row, dict[str, bytes]]:
    """The row and files of the anomalous shape's bundle, in the normal shape's frame."""
    recipe, seed = context.recipe.reference, context.recipe.seed
    normal, anomalous = reference_parts(made)
    name = layout.counterfactual_id(job.public_id, job.slot)
    model = f"{context.plan.model_of(job.shape_id)}\ncounterfactual of {job.public_id}: {shot.common['spec']}\n"
    rng = stream(seed, "points", job.shape_id, "anomaly", job.slot)
    files, after = bundle_files(name, model, anomalous, recipe, rng)
    before = view_depths(normal, recipe)
    # A view that is written twice, at 0 and 360 degrees, counts once.
    changed = [changed_depth(a, b) for a, b in zip(before, after, strict=True)][: recipe.views]
    row = job_row(
        job,
        context,
        **{
            **shot.common,
            "row_type": "reference",
            "reason": layout.COUNTERFACTUAL,
            "detail": canonical_json(changed),
            "radius": recipe.radius,
            "elevation_deg": recipe.elevation_deg,
            "changed_px": max(changed),
            "sha256": dict.fromkeys(files, ""),
        },
    )
    return row, files


def reference_parts(made: AnomalousShape) -> tuple[PartMeshes, PartMeshes]:
    """(part id, mesh) of the normal and of the anomalous shape in the reference scene of the normal one."""
    T = reference_transform(made.normal)
    normal = [(part.part_id, part.mesh.transformed(T)) for part in made.normal.parts]
    return normal, [(part_id, mesh.transformed(T)) for part_id, mesh in made.meshes()]


def changed_depth(before: np.ndarray, after: np.ndarray) -> int:
    """Pixels in which two reference depths (H, W) differ: what a textureless view can show of a change."""
    return int((np.abs(before.astype(np.float64) - after) > DEPTH_TOLERANCE).sum())


def cut_in_references(made: AnomalousShape, recipe: ReferenceRecipe) -> Rejected | None:
    """Why an anomalous shape cannot be a reference: in the normal one's frame a view would cut it."""
    points = np.concatenate([mesh.vertices for _, mesh in reference_parts(made)[1]])
    for azimuth, camera in reference_cameras(recipe):
        pixels, _ = camera.project(points)
        if pixels.min() < EDGE_PX or pixels.max() > camera.size_px - EDGE_PX:
            return Rejected("cut_by_frame", f"the reference view at azimuth {azimuth:g}")
    return None


def _twin_row(twin: Row, row: Row, candidate: Candidate) -> Row:
    """A twin's row: which picture it is the twin of, and where that one's part was."""
    assert candidate.annotation is not None
    return replace(
        twin,
        reason=layout.TWIN,
        detail=row.sample_id,
        mask_old_path=row.mask_old_path,
        bbox_xywh_512=tight_box(candidate.annotation.mask_old),
        changed_px=row.changed_px,
    )


def _refused(row: Row, twin: Row) -> Row:
    """A picture whose twin did not pass is none of a pair, and is refused with it."""
    return replace(
        row,
        row_type="rejection",
        status="rejected",
        stage="picture",
        reason=twin.reason,
        detail=f"its twin: {twin.detail}",
        sample_id="",
        query_path="",
        annotation_path="",
        mask_new_path="",
        mask_old_path="",
        bbox_xywh_512=(),
        iou=0.0,
        changed_px=0,
        sha256={},
    )
