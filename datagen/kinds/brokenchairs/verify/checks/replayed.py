"""Geometry replayed: did the operator do what the row says, and do picture and masks show it?"""

from collections.abc import Iterator

import numpy as np

from datagen.annotate.quality import OUTLINE
from datagen.core.errors import DatagenError
from datagen.core.row import Job
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED
from datagen.formats.brokenchairs import TWIN
from datagen.formats.published import SOURCE
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.checks.references import mesh_bundles
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.meshes import read_obj
from datagen.kinds.brokenchairs.verify.needs import DEEP_BUNDLES, REPLAYED, ROWS
from datagen.kinds.brokenchairs.verify.reprojection import depth_from_mesh
from datagen.scenes.cameras import reference_transform
from datagen.verify.check import ERROR, WARNING, CheckList, Finding

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


MASK_IOU = 0.98
MASK_SLACK_PX = 4
INSIDE = 0.98
MESH_TOLERANCE = 2e-3


@check(ERROR, "A sample that cannot be replayed proves nothing.", of=REPLAYED, needs=(needs.replays,))
def samples_replay(evidence: ChairEvidence) -> Iterator[Finding]:
    """Shape, part, spec and donor of every sample in the replay can be loaded again."""
    for replay in evidence.replays:
        if replay.problem:
            yield Finding(replay.query.path, replay.problem)


@check(
    ERROR,
    "An anomaly that changes nothing is a normal chair with the wrong label.",
    of=REPLAYED,
    needs=(needs.source, needs.replays),
)
def anomalies_real(evidence: ChairEvidence) -> Iterator[Finding]:
    """The operator, replayed, accepts its spec, moves what the row's severity says, and it shows."""
    limit = (evidence.recipe.anomaly.min_changed_px if evidence.recipe else 60) * 0.9
    for replay in evidence.replays:
        row, picture = replay.query.row, replay.query.picture
        if replay.how != "parts" or not replay.query.name.label or row is None or picture is None:
            continue
        pixel = (picture.width / 256) ** 2
        if replay.refused:
            yield Finding(replay.query.path, f"replayed: {replay.refused}")
        elif replay.changed_px is not None and replay.changed_px < limit * pixel:
            yield Finding(replay.query.path, f"changes {replay.changed_px} pixels")
        elif replay.severity is not None and abs(replay.severity - row["severity"]) > 0.02 * max(replay.severity, 0.05):
            yield Finding(replay.query.path, f"severity is {row['severity']:.4f}, replayed {replay.severity:.4f}")
        elif (
            replay.changed_px is not None and abs(replay.changed_px - row["changed_px"]) > 8 + 0.02 * replay.changed_px
        ):
            yield Finding(
                replay.query.path, f"the row says {row['changed_px']} changed pixels, it is {replay.changed_px}"
            )


@check(
    ERROR,
    "What changed has to be the part that is named, and nothing else.",
    of=REPLAYED,
    needs=(needs.source, needs.replays),
)
def changes_in_masks(evidence: ChairEvidence) -> Iterator[Finding]:
    """Changed pixels lie within the union of the two masks."""
    for replay in evidence.replays:
        if replay.changed_outside is not None and replay.changed_outside > 0.1:
            yield Finding(replay.query.path, f"{replay.changed_outside:.0%} of the change lies beyond both masks")


@check(ERROR, "A mask of another view, part or sample.", of=REPLAYED, needs=(needs.source, needs.replays))
def masks_replay(evidence: ChairEvidence) -> Iterator[Finding]:
    """Masks are those of the replayed geometry."""
    for replay in evidence.replays:
        for key, iou, mask in (
            ("mask_new", replay.mask_new_iou, replay.query.mask_new),
            ("mask_old", replay.mask_old_iou, replay.query.mask_old),
        ):
            if iou is None or mask is None or iou >= MASK_IOU:
                continue
            # A few pixels on an edge are rounding, and many of a tiny mask.
            if (1 - iou) * mask.area > MASK_SLACK_PX or iou < 0.5:
                yield Finding(replay.query.path, f"{key} overlaps the replayed one by {iou:.3f}")


@check(ERROR, "mask_new is of the anomalous shape, mask_old of the normal one.", of=REPLAYED, needs=(needs.replays,))
def masks_in_silhouettes(evidence: ChairEvidence) -> Iterator[Finding]:
    """mask_new lies inside the anomalous silhouette, mask_old inside the normal one."""
    for replay in evidence.replays:
        for key, share in (("mask_new", replay.mask_new_inside), ("mask_old", replay.mask_old_inside)):
            if share is not None and share < INSIDE:
                yield Finding(replay.query.path, f"{1 - share:.1%} of {key} lies outside its chair")


@check(
    ERROR,
    "The box is of what changed, not of what the files agree on.",
    of=REPLAYED,
    needs=(needs.source, needs.replays),
)
def boxes_replay(evidence: ChairEvidence) -> Iterator[Finding]:
    """2d_bbox is the box of the replayed mask."""
    from datagen.kinds.brokenchairs.verify.checks.boxes import BOX_TOLERANCE, box_of

    for replay in evidence.replays:
        box = box_of(replay.query)
        if box is None or replay.box is None:
            continue
        gap = np.abs(_edges(box) - _edges(replay.box)).max()
        if gap > BOX_TOLERANCE + 2:
            yield Finding(replay.query.path, f"box {list(box)} is {gap:.0f} px from the replayed {list(replay.box)}")


def _edges(box: tuple[float, float, float, float]) -> np.ndarray:
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])


@check(
    ERROR,
    "A picture that does not show its geometry has the wrong label, camera or light.",
    of=REPLAYED,
    needs=(needs.replays,),
)
def pictures_show_geometry(evidence: ChairEvidence) -> Iterator[Finding]:
    """The recipe's ground outside the replayed silhouette, object inside, an edge along the outline, the change."""
    for replay in evidence.replays:
        if replay.picture_fault:
            yield Finding(replay.query.path, f"against the replayed silhouette: {replay.picture_fault}")
        elif replay.outline is not None and replay.outline < OUTLINE:
            yield Finding(replay.query.path, f"only {replay.outline:.0%} of the replayed outline shows as an edge")


@check(
    ERROR, "visible_px is what crops and curricula are chosen by.", of=REPLAYED, needs=(needs.manifest, needs.replays)
)
def visible_px_agree(evidence: ChairEvidence) -> Iterator[Finding]:
    """The row's visible pixels are those of the replayed silhouette."""
    for replay in evidence.replays:
        row, seen = replay.query.row, replay.visible_px
        if row is None or seen is None or row["source"] == SOURCE:
            continue
        # A repaired part (leak control) may lose a sliver of silhouette.
        slack = 0.03 if row["repaired_part_id"] else 0.01
        if abs(seen - row["visible_px"]) > 20 + slack * seen:
            yield Finding(replay.query.path, f"the row says {row['visible_px']} visible pixels, it is {seen}")


@check(
    ERROR,
    "The plan decides split, kind and views; a row that is not of it was altered.",
    of=ROWS,
    needs=(needs.manifest, needs.source, needs.photos),
)
def rows_of_plan(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every row's job is one that recipe and shapes plan, with its kind, shape, id and split."""
    source = evidence.source
    assert source is not None
    shapes = evidence.sampled(sorted({row["shape_id"] for row in evidence.tree.rows}), str)
    planned: dict[str, Job] = {}
    for shape in shapes:
        if shape not in source.place:
            yield Finding(f"shape {shape}", "is not in the collection")
            continue
        planned |= {job.job_id: job for job in source.jobs_of(shape)}
    told: set[tuple[str, str]] = set()
    for row in evidence.tree.rows:
        if row["shape_id"] not in shapes or row["shape_id"] not in source.place:
            continue
        job = planned.get(row["job_id"])
        subject = row["query_path"] or row["job_id"]
        if job is None:
            yield Finding(subject, "belongs to no job of the plan")
            continue
        twin = row["reason"] == TWIN and job.job_type == "anomaly"
        for key in ("shape_id", "split", "public_id") if twin else ("shape_id", "kind", "split", "public_id"):
            if getattr(job, key) != row[key] and (job.job_id, key) not in told:
                told.add((job.job_id, key))
                yield Finding(subject, f"{key} is {row[key]}, the plan says {getattr(job, key)}")
        if row["row_type"] == "quarantine":
            continue
        if row["label"] != int(job.job_type == "anomaly" and not twin) and (job.job_id, "label") not in told:
            told.add((job.job_id, "label"))
            yield Finding(subject, f"label is {row['label']} in a job of type {job.job_type}")
    yield from _ids_of_plan(evidence)


def _ids_of_plan(evidence: ChairEvidence) -> Iterator[Finding]:
    source = evidence.source
    assert source is not None
    by_id = {str(i): shape for shape, i in source.plan.ids.items()}
    for shape, split in evidence.tree.split_of.items():
        if shape in by_id and source.plan.splits[by_id[shape]] != split:
            yield Finding(
                f"shape {shape}", f"is {split} by split.json, the plan says {source.plan.splits[by_id[shape]]}"
            )
    for shape, model in evidence.model_of.items():
        if shape in by_id and source.plan.model_of(by_id[shape]) != model:
            yield Finding(f"shape {shape}", f"is model {model}, its source says {source.plan.model_of(by_id[shape])}")


@check(WARNING, "A partial build is no build.", of=ROWS, needs=(needs.manifest, needs.source, needs.photos))
def plan_complete(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every job planned for the shapes that are there has been done."""
    source = evidence.source
    assert source is not None
    done = set(evidence.rows_by_job)
    for shape in evidence.sampled(sorted({row["shape_id"] for row in evidence.tree.rows}), str):
        if shape not in source.place:
            continue
        for job in source.jobs_of(shape):
            # A normal job whose every view was refused still leaves its rejections.
            if job.job_id not in done:
                yield Finding(f"shape {shape}", f"its {job.job_type} job {job.slot} ({job.kind}) is not done")


@check(
    ERROR,
    "model.obj, references and queries have to be one chair.",
    of=DEEP_BUNDLES,
    needs=(needs.meshes, needs.source),
)
def meshes_of_source(evidence: ChairEvidence) -> Iterator[Finding]:
    """model.obj is the source's shape: centred, bounding sphere 1, y up."""
    source = evidence.source
    assert source is not None
    names = {str(i): shape for shape, i in source.plan.ids.items()}
    repaired = {
        str(row["public_id"])
        for row in evidence.tree.rows
        if row["row_type"] == "reference" and row["repaired_part_id"]
    }
    for bundle in mesh_bundles(evidence):
        if bundle.shape not in names:
            continue
        try:
            shape = source.load(names[bundle.shape])
            mesh = read_obj(evidence.tree, f"shapes/shape_{bundle.shape}/model.obj")
        except DatagenError as error:
            yield Finding(f"shape {bundle.shape}", str(error))
            continue
        placed = shape.transformed(reference_transform(shape))
        inside = mesh.transformed(T_INSIDE_FROM_PUBLISHED)
        gap = np.abs(inside.bounds - placed.bounds).max()
        # Repair (leak control) drops what lies inside a part: its surface is smaller, its bounds are the same.
        other = abs(inside.area - placed.area) > 0.01 * placed.area and bundle.shape not in repaired
        if gap > MESH_TOLERANCE or other:
            yield Finding(f"shape {bundle.shape}", f"model.obj is not the source's shape (bounds off by {gap:.3f})")


@check(
    ERROR, "Depth and picture of a reference have to show its mesh.", of=DEEP_BUNDLES, needs=(needs.meshes, needs.depth)
)
def depth_of_mesh(evidence: ChairEvidence) -> Iterator[Finding]:
    """Depth equals the z of model.obj's first surface, by ray casting, in a few views a bundle."""
    for bundle in mesh_bundles(evidence):
        for stem, fault in depth_from_mesh(evidence.tree, bundle):
            yield Finding(stem, fault)


@check(
    ERROR, "Scale and centre are the published ones, or cameras cut the object.", of=DEEP_BUNDLES, needs=(needs.meshes,)
)
def meshes_scaled(evidence: ChairEvidence) -> Iterator[Finding]:
    """model.obj is centred on its bounding box and has a bounding sphere of radius 1."""
    if evidence.recipe is None:
        return
    for bundle in mesh_bundles(evidence):
        if bundle.is_counterfactual:  # in the frame of its normal shape
            continue
        try:
            mesh = read_obj(evidence.tree, f"shapes/shape_{bundle.shape}/model.obj")
        except (DatagenError, OSError) as error:
            yield Finding(f"shape {bundle.shape}", str(error))
            continue
        radius = float(np.linalg.norm(mesh.vertices - mesh.centre, axis=1).max())
        offset = float(np.linalg.norm(mesh.centre))
        if abs(radius - 1) > 5e-3 or offset > 5e-3:
            yield Finding(f"shape {bundle.shape}", f"bounding sphere {radius:.3f} about a centre off by {offset:.3f}")
