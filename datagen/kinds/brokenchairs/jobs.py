"""The job types of chairs that end in pictures, normal and anomaly: job + context -> what is to be rendered."""

from collections.abc import Sequence

import numpy as np

from datagen.annotate.visibility import check_anomaly, check_object
from datagen.anomalies.common import with_inside
from datagen.anomalies.registry import apply, operators, propose
from datagen.anomalies.several import add_anomalies
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.camera import Camera
from datagen.core.ids import canonical_json
from datagen.core.rng import stream
from datagen.core.row import Job, Row
from datagen.core.scene import GeometryFrame
from datagen.core.shape import Shape
from datagen.geometry.rays import RayScene
from datagen.kinds.brokenchairs import queries
from datagen.kinds.brokenchairs.at_query import QueryViews, shown_at_query
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.counterfactual import cut_in_references, paired
from datagen.kinds.brokenchairs.looks import draw_looks, dress, looks_columns, skins_on
from datagen.kinds.brokenchairs.measured import measure
from datagen.kinds.brokenchairs.plan import draw_count
from datagen.kinds.brokenchairs.policy import chair_setting
from datagen.kinds.brokenchairs.queries import Candidate, QueryShot
from datagen.kinds.brokenchairs.references import repair_control, source_transform
from datagen.kinds.brokenchairs.state import State, draw_state, normal_columns
from datagen.kinds.brokenchairs.stress import draw_stress, light_turn
from datagen.pipeline.prepared import Prepared, Shot, rejection
from datagen.recipe import Recipe
from datagen.render.raycast import cast_view
from datagen.scenes.cameras import cameras_about, query_transform


def normal_job(job: Job, context: ChairContext, shape: Shape, before: Prepared) -> Prepared:
    """Normal views, in groups that share a dress; half of the groups pass one part through repair.

    Group sizes are drawn as those of anomaly slots are, so that the number of pictures of one dress
    tells nothing of the label.
    """
    recipe = context.recipe
    rng = stream(recipe.seed, "normal", job.shape_id, job.slot)
    cameras = cameras_about(shape, recipe.query, rng)[: job.views]
    rows: list[Row] = []
    shots: list[QueryShot] = []
    start = 0
    while start < len(cameras):
        end = start + draw_count(recipe.anomaly.views, rng)
        shot, rejected = _normal_shot(job, context, shape, start, cameras[start:end])
        rows += rejected
        shots += [shot] if shot.candidates else []
        start = end
    return Prepared(job, tuple(rows), shots=tuple(shots))


def _normal_shot(
    job: Job, context: ChairContext, shape: Shape, start: int, cameras: list[Camera]
) -> tuple[QueryShot, list[Row]]:
    recipe = context.recipe
    rng = stream(recipe.seed, "dress", "normal", job.shape_id, job.slot, start)
    assignment = dress(shape, context, rng)
    state = draw_state(shape, recipe, "normal", job.shape_id, job.slot, start)
    looks = draw_looks(shape, recipe, "normal", job.shape_id, job.slot, start)
    stands = state.placed(shape)
    T = query_transform(shape, recipe.query)
    placed = stands.transformed(T)
    with context.phase("repair"):
        meshes, repaired = repair_control(placed, recipe.normal.repair_share, rng)
    scene = RayScene(meshes)
    views = None
    if recipe.reference.at_query:
        views = QueryViews([(part.part_id, part.mesh) for part in state.nominal(shape).transformed(T).parts])
    candidates, rejected = [], []
    for camera in cameras:
        light = queries.draw_light(context, rng)
        with context.phase("raycast"):
            frame = cast_view(scene, camera)
        why = check_object(frame, recipe)
        if why is None:
            with context.phase("reference"):
                shown = views.files(camera, "old") if views else {}
            keys = ("normal", job.shape_id, job.slot, start)
            behind, turn = queries.draw_behind(context, camera, *keys), light_turn(recipe, camera, *keys)
            candidates.append(Candidate(camera, light, frame, behind, turn, at_query=shown))
        else:
            view = {"azimuth_deg": camera.azimuth_deg, "elevation_deg": camera.elevation_deg}
            rejected.append(rejection(job, context, "view", why, radius=camera.radius, **view))
    common = {
        "T_shape_source": source_transform(stands),
        "repaired_part_id": repaired,
        **normal_columns(shape, state, recipe),
        **looks_columns(looks),
    }
    shot = QueryShot(
        folder=f"{job.public_id}-n{job.slot}",
        meshes=tuple(meshes),
        assignment=assignment,
        candidates=tuple(candidates),
        ground_z=float(placed.bounds[0, 2]),
        common=common,
        skins=skins_on(placed, meshes),
        palette=shape.palette,
        looks=looks,
        stress=draw_stress(shape, recipe, "normal", job.shape_id, job.slot, start),
        mm=shape.mm * recipe.query.scale,
    )
    return shot, rejected


def anomaly_job(job: Job, context: ChairContext, shape: Shape, before: Prepared) -> Prepared:
    """Proposals until one is accepted and seen."""
    rows = list(before.rows)
    attempts = context.recipe.anomaly.attempts
    state = draw_state(shape, context.recipe, "anomaly", job.shape_id, job.slot)
    for attempt in range(before.next_attempt or 0, attempts):
        found = attempted(job, context, (shape, state), attempt, rows)
        if found is not None:
            more = attempt + 1 if attempt + 1 < attempts else None
            made, seen = found
            single = anomaly_shot(job, context, made, [candidate for candidate, _ in seen], (shape, state))
            shot: Shot = single
            if context.recipe.reference.counterfactual:
                shot = paired(job, context, made, single, [before for _, before in seen])
            return Prepared(job, tuple(rows), shots=(shot,), next_attempt=more)
    return Prepared(job, tuple(rows))


def attempted(
    job: Job, context: ChairContext, stands: tuple[Shape, State], attempt: int, rows: list[Row]
) -> tuple[AnomalousShape, list[tuple[Candidate, GeometryFrame]]] | None:
    """One proposal, from spec to visible views, on a shape in a state; appends the row of its rejection."""
    recipe, shape = context.recipe, stands[1].placed(stands[0])
    rng = stream(recipe.seed, "anomaly", job.shape_id, job.slot, job.kind, attempt)
    setting = chair_setting(recipe, context.donors(job.split), stands[1].nominal(stands[0]))
    with context.phase("operator"):
        part_class, spec = propose(shape, job.kind, rng, setting)
        result = spec if isinstance(spec, Rejected) else apply(shape, spec, setting)
        if isinstance(result, AnomalousShape) and operators()[job.kind].on_part:
            count = _count(job, context)
            result = add_anomalies(result, count - 1, recipe.anomaly.slots, rng, setting) if count > 1 else result
        if isinstance(result, AnomalousShape) and recipe.reference.counterfactual:
            result = cut_in_references(result, recipe.reference) or result
    columns: dict[str, object] = {"label": 1, "part_class": part_class}
    if not isinstance(spec, Rejected):
        spec = result.spec if isinstance(result, AnomalousShape) else spec
        columns |= {"part_id": spec.part_id, "spec": canonical_json(spec.to_json())}
    if isinstance(result, Rejected):
        rows.append(rejection(job, context, "proposal", result, **columns))
        return None
    cameras = cameras_about(stands[0], recipe.query, rng)
    candidates = _visible_views(job, context, result, cameras, rng)
    if isinstance(candidates, Rejected):
        rows.append(rejection(job, context, "proposal", candidates, **columns))
        return None
    return result, candidates


def _count(job: Job, context: ChairContext) -> int:
    """How many anomalies a job's object gets."""
    weights = context.recipe.anomaly.per_image
    if set(weights) == {1}:
        return 1
    return draw_count(weights, stream(context.recipe.seed, "per-image", job.shape_id, job.slot))


def _visible_views(
    job: Job, context: ChairContext, anomaly: AnomalousShape, cameras: Sequence[Camera], rng: np.random.Generator
) -> list[tuple[Candidate, GeometryFrame]] | Rejected:
    """Up to the wanted number of views that show the anomaly, each with the normal frame, or why none does."""
    recipe, shape = context.recipe, anomaly.normal
    T = query_transform(shape, recipe.query)
    with context.phase("raycast"):
        normal = RayScene([(part.part_id, part.mesh.transformed(T)) for part in shape.parts])
        changed = RayScene([(part_id, mesh.transformed(T)) for part_id, mesh in anomaly.meshes()])
        found: list[tuple[Candidate, GeometryFrame]] = []
        reasons: dict[str, int] = {}
        for camera in cameras:
            light = queries.draw_light(context, rng)
            before, after = cast_view(normal, camera), cast_view(changed, camera)
            note = check_anomaly(anomaly, T, camera, before, after, recipe)
            if isinstance(note, Rejected):
                reasons[note.reason] = reasons.get(note.reason, 0) + 1
            else:
                keys = ("anomaly", job.shape_id, job.slot)
                behind, turn = queries.draw_behind(context, camera, *keys), light_turn(recipe, camera, *keys)
                found.append((Candidate(camera, light, after, behind, turn, note), before))
            if len(found) == job.views:
                break
    if not found:
        return Rejected("not_visible", canonical_json(reasons))
    return found


def anomaly_shot(
    job: Job,
    context: ChairContext,
    anomaly: AnomalousShape,
    candidates: list[Candidate],
    stands: tuple[Shape, State],
) -> QueryShot:
    """An anomaly's views, dressed and ready to render.

    `stands`: the shape at rest, which is dressed, and the state in which it got the anomaly.
    """
    shape, recipe = anomaly.normal, context.recipe
    rest, state = stands
    nominal = state.nominal(rest)
    looks = draw_looks(rest, recipe, "anomaly", job.shape_id, job.slot)
    T = query_transform(shape, recipe.query)
    rng = stream(recipe.seed, "dress", "anomaly", job.shape_id, job.slot)
    described = {**_part_named(anomaly), "severity": anomaly.severity, **_sizes(anomaly, nominal, recipe)}
    columns = {name: value for name, value in described.items() if name != "part_ids"}
    if recipe.reference.at_query:
        with context.phase("reference"):
            candidates = shown_at_query(nominal, anomaly, T, candidates)
    common = {
        "label": 1,
        **columns,
        "method": anomaly.method,
        "spec": canonical_json(anomaly.spec.to_json()),
        "T_shape_source": source_transform(shape),
        **state.columns(),
        **looks_columns(looks),
    }
    return QueryShot(
        folder=f"{job.public_id}-a{job.slot}-{job.kind}",
        meshes=tuple((part_id, mesh.transformed(T)) for part_id, mesh in anomaly.meshes()),
        assignment=dress(rest, context, rng),
        candidates=tuple(candidates),
        ground_z=float(shape.transformed(T).bounds[0, 2]),
        common=common,
        skins={part.part_id: part.skin for part in anomaly.shape.parts if part.skin is not None},
        palette=with_inside(anomaly.shape).palette,
        config={**described, "spec": anomaly.spec.to_json()},
        each=tuple(
            {
                "kind": one.spec.kind,
                **_part_named(one),
                "severity": one.severity,
                "spec": one.spec.to_json(),
                **_sizes(one, nominal, recipe),
            }
            for one in anomaly.each
        ),
        looks=looks,
        stress=draw_stress(rest, recipe, "anomaly", job.shape_id, job.slot),
        mm=rest.mm * recipe.query.scale,
    )


def _sizes(anomaly: AnomalousShape, nominal: Shape, recipe: Recipe) -> dict[str, object]:
    """What the meshes measure; {} where nothing is measured."""
    if not recipe.units or not nominal.mm:
        return {}
    return measure(anomaly, nominal, recipe.tolerance).columns()


def _part_named(anomaly: AnomalousShape) -> dict[str, object]:
    """The part that an anomaly is of; for one of the whole object all parts that it touches."""
    if anomaly.spec.part_id == 0:
        return {"part": "", "part_class": "", "part_id": 0, "part_ids": list(anomaly.part_ids)}
    part = anomaly.normal.part(anomaly.spec.part_id)
    return {"part": part.path, "part_class": part.part_class, "part_id": part.part_id}
