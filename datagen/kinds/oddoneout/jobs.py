"""The job type of odd-one-out scenes: shapes, layout, what every camera sees, pictures, one folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.annotate.scenes import SceneViews, SeenObject, see
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.camera import Camera
from datagen.core.errors import RenderError
from datagen.core.ids import canonical_json, content_hash
from datagen.core.rng import stream
from datagen.core.row import Job, Row
from datagen.core.scene import Floor, Scene, SceneObject, Sky, View
from datagen.core.shape import Shape
from datagen.formats import oddoneout as layout
from datagen.kinds.oddoneout.context import SceneContext
from datagen.kinds.oddoneout.plan import PlannedScene, five_views
from datagen.pipeline.prepared import Prepared
from datagen.pipeline.rows import job_row, rejection
from datagen.scenes.layout import RestingBody, lay_out, metric_scale, orbit
from datagen.scenes.poses import drop_together
from datagen.scenes.skies import listed_worlds, world_file


@dataclass(frozen=True, eq=False)
class Member:
    """One object of a scene before it has a place: `odd` is None for a normal one."""

    body: RestingBody
    slot: int = -1
    odd: AnomalousShape | None = None

    @property
    def kind(self) -> str:
        """normal, or the anomaly's kind."""
        return self.odd.spec.kind if self.odd else "normal"


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Members, how each stands (rigid, from its baked frame to the world, (4, 4)), and the cameras."""

    members: tuple[Member, ...]
    poses: tuple[np.ndarray, ...]
    scale: float
    standing: tuple[SceneObject, ...]
    cameras: tuple[Camera, ...]


@dataclass(frozen=True, eq=False)
class SceneShot:
    """A scene ready to render: all but its pictures is in the prepared files."""

    folder: str
    arrangement: Arrangement
    floor: Floor
    sky: Sky
    boxes: tuple[tuple[tuple[int, ...], ...], ...]
    """Boxes of anomalous objects by view."""

    def take(self, job: Job, context: SceneContext) -> tuple[list[Row], dict[str, bytes]]:
        """Pictures of every view and the strip. Raises RenderError for a black or blown-out one."""
        pictures = _render(context, self)
        files = {}
        for k, picture in enumerate(pictures):
            if picture.max() < 24 or picture.min() > 250:
                raise RenderError(f"view {k} of {self.folder} is all black or white; look at the environment")
            files[f"{self.folder}/RGB/{layout.view_name(k)}"] = layout.rgba_bytes(picture)
        files[f"{self.folder}/scene.jpg"] = layout.strip_bytes(pictures, self.boxes)
        return [], files


def _render(context: SceneContext, shot: SceneShot) -> list[np.ndarray]:
    assert context.renderer is not None, "this process renders nothing"
    recipe = context.plan.recipe
    with context.phase("materials"):
        materials = {}
        for member in shot.arrangement.members:
            shape = member.body.shape
            for name in {name for part in shape.parts if part.skin for name in part.skin.materials}:
                materials[name] = context.prepared_material(shape.palette[name])
        materials[shot.floor.material_id] = context.floor(shot.floor.material_id)
    sky = shot.sky if context.flat else replace(shot.sky, world=world_file(shot.sky.world, context.sky_cache))
    scene = Scene(
        objects=shot.arrangement.standing,
        materials=dict(sorted(materials.items())),
        ground=shot.floor,
        views=tuple(View(camera, sky) for camera in shot.arrangement.cameras),
        seed=recipe.seed,
        settings=recipe.render.model_dump(mode="json"),
    )
    with context.phase("render"):
        return context.renderer.render(scene)


def scene_job(job: Job, context: SceneContext, shape: Shape, before: Prepared) -> Prepared:
    """Everything of a scene but its pictures."""
    plan = context.plan
    scene = plan.scene_of[job.job_id]
    rows: list[Row] = []
    with context.phase("operator"):
        members = _members(job, context, scene, rows)
    arrangement, views = _arranged(job, context, scene, members, rows)
    rng = stream(plan.recipe.seed, "look", scene.entry.shape_id, scene.number)
    floor, sky = _floor(context, rng), _sky(context, rng)
    folder = f"{layout.FOLDER}/{scene.name}"
    with context.phase("annotate"):
        boxes = _boxes(arrangement, views)
        files = _view_files(folder, plan.recipe.naming, arrangement, views)
        files |= _metadata(folder, job, context, scene, arrangement, views, floor, sky, boxes)
    rows += _rows(job, context, scene, folder, arrangement, views, floor, sky, files)
    shot = SceneShot(folder, arrangement, floor, sky, boxes)
    return Prepared(job, tuple(rows), files, (shot,))


def _members(job: Job, context: SceneContext, scene: PlannedScene, rows: list[Row]) -> list[Member]:
    """The objects in the order of the list: anomalous ones anywhere in it."""
    plan = context.plan
    draw = plan.draw(scene)
    shape_id = scene.entry.shape_id
    normal = context.scene_shapes.normal(shape_id)
    body = context.scene_shapes.body(normal, normal.centre)
    odd: list[Member] = []
    for slot in draw.slots:
        made = context.scene_shapes.odd(shape_id, slot)
        for attempt in made.refused:
            rows.append(_refusal(job, context, attempt.kind, attempt.why, attempt.spec and attempt.spec.to_json()))
        if made.shape is not None:
            lying = context.scene_shapes.body(made.shape.shape, normal.centre, start=body.rotation)
            odd.append(Member(lying, slot, made.shape))
    members = [*odd, *(Member(body) for _ in range(draw.objects - len(odd)))]
    order = stream(plan.recipe.seed, "order", shape_id, scene.number).permutation(len(members))
    return [members[k] for k in order]


def _refusal(job: Job, context: SceneContext, kind: str, why: Rejected, spec: object) -> Row:
    text = canonical_json(spec) if spec else ""
    return replace(rejection(job, context, "proposal", why, label=1, spec=text), kind=kind)


def _arranged(
    job: Job, context: SceneContext, scene: PlannedScene, members: list[Member], rows: list[Row]
) -> tuple[Arrangement, SceneViews]:
    """A layout in which every anomaly shows in some view; after the last try, what does not show is normal."""
    recipe = context.plan.recipe
    least = recipe.anomaly.min_changed_px * (recipe.camera.size_px / 256) ** 2
    for attempt in range(recipe.layout.attempts):
        rng = stream(recipe.seed, "layout", scene.entry.shape_id, scene.number, attempt)
        with context.phase("layout"):
            arrangement = _placed(context, members, recipe.naming, rng)
        with context.phase("raycast"):
            views = see([_seen(m, s) for m, s in zip(members, arrangement.standing, strict=True)], arrangement.cameras)
        hidden = [k for k, m in enumerate(members) if m.odd and views.most_changed(k) < least]
        if not hidden:
            return arrangement, views
        for k in hidden:
            odd = members[k].odd
            assert odd is not None
            why = Rejected("hidden", f"at most {views.most_changed(k)} changed pixels in a view, {least:g} wanted")
            rows.append(_refusal(job, context, members[k].kind, why, odd.spec.to_json()))
        if attempt == recipe.layout.attempts - 2:
            # One more draw, without what no layout showed: a label that no view supports would be a lie.
            whole = next(m.body for m in members if m.odd is None)
            members = [Member(whole) if k in hidden else m for k, m in enumerate(members)]
    whole = next(m.body for m in members if m.odd is None)
    members = [m if m.odd is None or k not in hidden else Member(whole) for k, m in enumerate(members)]
    arrangement = _placed(context, members, recipe.naming, rng)
    pairs = zip(members, arrangement.standing, strict=True)
    return arrangement, see([_seen(m, s) for m, s in pairs], arrangement.cameras)


def _placed(context: SceneContext, members: Sequence[Member], naming: str, rng: np.random.Generator) -> Arrangement:
    recipe = context.plan.recipe
    first = [m.body for m in members if m.odd is None] + [m.body for m in members if m.odd]
    scale = metric_scale(first, recipe.layout, rng)
    bodies = [m.body for m in members]
    if recipe.layout.joint_drop:
        poses = drop_together(context.open_physics(), bodies, scale, recipe.layout, rng)
    else:
        poses = [place.matrix for place in lay_out(bodies, scale, recipe.layout, rng)]
    things = tuple(
        SceneObject.of(layout.object_name(naming, k), body.shape.parts, T @ body.baked(scale))
        for k, (body, T) in enumerate(zip(bodies, poses, strict=True))
    )
    bounds = np.array([world_bounds(thing) for thing in things])
    whole = np.stack([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)])
    centres = bounds.mean(axis=1)
    aim = np.array([*np.mean([T[:2, 3] for T in poses], axis=0), float(centres[:, 2].mean())])
    cameras = orbit(whole, len(things), aim, recipe.camera, rng)
    return Arrangement(tuple(members), tuple(poses), scale, things, tuple(cameras))


def world_bounds(thing: SceneObject) -> np.ndarray:
    """True axis-aligned bounds (2, 3) of an object in the world."""
    bounds = np.array([mesh.bounds for _, mesh in thing.meshes()])
    return np.stack([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)])


def _seen(member: Member, thing: SceneObject) -> SeenObject:
    if member.odd is None:
        return SeenObject(thing, None)
    return SeenObject(thing, SceneObject.of(thing.name, member.odd.normal.parts, thing.T_world_object), member.odd)


def _floor(context: SceneContext, rng: np.random.Generator) -> Floor:
    floors = context.floors.materials
    chosen = floors[int(rng.integers(len(floors)))]
    offset = (round(float(rng.random()), 6), round(float(rng.random()), 6))
    return Floor(chosen.material_id, round(float(rng.uniform(0, 360)), 4), offset)


def _sky(context: SceneContext, rng: np.random.Generator) -> Sky:
    recipe = context.plan.recipe.light
    worlds = listed_worlds(recipe.worlds)
    world = worlds[int(rng.integers(len(worlds)))]
    return Sky(world, round(float(rng.uniform(0, 360)), 4), round(float(rng.uniform(*recipe.strength)), 4))


def _boxes(arrangement: Arrangement, views: SceneViews) -> tuple[tuple[tuple[int, ...], ...], ...]:
    odd = [k for k, m in enumerate(arrangement.members) if m.odd]
    return tuple(
        tuple(tuple(b) for k in odd if (b := layout.bbox_2d(frame.object_index == k + 1)) is not None)
        for frame in views.frames
    )


def _view_files(folder: str, naming: str, arrangement: Arrangement, views: SceneViews) -> dict[str, bytes]:
    files = {}
    labels = part_labels(arrangement)
    odd = [k + 1 for k, m in enumerate(arrangement.members) if m.odd]
    for v, frame in enumerate(views.frames):
        name = layout.view_name(v)
        files[f"{folder}/masks/{name}"] = layout.mask_bytes(frame.object_index > 0)
        files[f"{folder}/binary_labels/{name}"] = layout.mask_bytes(np.isin(frame.object_index, odd))
        files[f"{folder}/anomaly_masks/{name}"] = layout.mask_bytes(views.changed[v])
        files[f"{folder}/depth_exr/{layout.view_name(v, 'exr')}"] = layout.depth_exr_bytes(frame.depth)
        files[f"{folder}/depth_png/{name}"] = layout.depth_png_bytes(frame.depth)
        parts = np.zeros(frame.part_id.shape, np.uint16)
        for k, numbers in enumerate(labels):
            own = frame.object_index == k + 1
            ids = np.array(sorted(numbers))
            table = np.array([numbers[i] for i in ids.tolist()], dtype=np.uint16)
            parts[own] = table[np.searchsorted(ids, frame.part_id[own])]
        files[f"{folder}/part_labels/{name}"] = layout.grey16_bytes(parts)
        for k, thing in enumerate(arrangement.standing):
            path = f"{folder}/segmentations/{thing.name}/{thing.name}_{name}"
            files[path] = layout.segmentation_bytes(frame.object_index == k + 1)
        path = f"{folder}/segmentations/{layout.FLOOR}/{layout.FLOOR}_{name}"
        files[path] = layout.segmentation_bytes(frame.floor)
    return files


def part_labels(arrangement: Arrangement) -> list[dict[int, int]]:
    """What each object's parts are called in part_labels/. Raises ShapeError where 16 bits cannot number them."""
    return layout.part_labels([[part.part_id for part in thing.parts] for thing in arrangement.standing])


def _object_json(
    context: SceneContext,
    scene: PlannedScene,
    arrangement: Arrangement,
    views: SceneViews,
    k: int,
    labels: Mapping[int, int],
) -> dict[str, object]:
    """One entry of `objects`: the published keys, then ours."""
    member, pose, thing = arrangement.members[k], arrangement.poses[k], arrangement.standing[k]
    mode = layout.MODE_OF_KIND.get(member.kind, member.kind) if member.odd else None
    world = world_bounds(thing)
    local = np.stack([(p := arrangement.scale * member.body.points()).min(axis=0), p.max(axis=0)])
    forms = {
        "world": layout.box(world[0], world[1]),
        "published": layout.published_box(pose[:3, 3], local),
    }
    return {
        "name": thing.name,
        "path": layout.asset_path(scene.name, mode, member.slot, context.plan.recipe.naming),
        "rotation_matrix": pose.tolist(),
        "rotation_euler": Rotation.from_matrix(pose[:3, :3]).as_euler("xyz").tolist(),
        "location": pose[:3, 3].tolist(),
        "scale": [1.0, 1.0, 1.0],
        "bbox": forms[context.plan.recipe.bbox],
        "bbox_world": forms["world"],
        "bbox_published": forms["published"],
        "T_world_shape": thing.T_world_object.tolist(),
        "shape_id": scene.entry.shape_id,
        "label": int(member.odd is not None),
        "kind": member.kind,
        "severity": member.odd.severity if member.odd else 0.0,
        "parts": {str(part.part_id): part.name for part in member.body.shape.parts},
        "part_labels": {str(part_id): label for part_id, label in labels.items()},
        "anomaly": _anomaly_json(member.odd, views, k) if member.odd else None,
    }


def _anomaly_json(odd: AnomalousShape, views: SceneViews, k: int) -> dict[str, object]:
    return {
        "kind": odd.spec.kind,
        "severity": odd.severity,
        "method": odd.method,
        "part_ids": list(odd.part_ids),
        "gone_part_ids": list(odd.gone),
        "spec": odd.spec.to_json(),
        "measures": dict(odd.measures),
        "changed_px": [int(count) for count in views.changed_px[:, k]],
    }


def _metadata(
    folder: str,
    job: Job,
    context: SceneContext,
    scene: PlannedScene,
    arrangement: Arrangement,
    views: SceneViews,
    floor: Floor,
    sky: Sky,
    boxes: Sequence[Sequence[Sequence[int]]],
) -> dict[str, bytes]:
    plan = context.plan
    labels = part_labels(arrangement)
    objects = [_object_json(context, scene, arrangement, views, k, own) for k, own in enumerate(labels)]
    extra = {
        "scene": scene.name,
        "split": scene.split,
        "category": scene.entry.category,
        "source": plan.source.name,
        "job_id": job.job_id,
        "bbox": plan.recipe.bbox,
        "metres_per_unit": arrangement.scale,
        "background_strength": sky.strength,
        "background_rotation_deg": sky.rotation_deg,
        "five_views": five_views(len(arrangement.cameras)),
    }
    K = arrangement.cameras[0].K
    extrinsics = [camera.extrinsic for camera in arrangement.cameras]
    named = {layout.view_name(v): found for v, found in enumerate(boxes)}
    return {
        f"{folder}/scene3d.metadata.json": layout.scene3d_json(
            objects, K, extrinsics, floor.material_id, sky.world, extra
        ),
        f"{folder}/scene2d.metadata.json": layout.scene2d_json([str(o["path"]) for o in objects], named),
    }


def _rows(
    job: Job,
    context: SceneContext,
    scene: PlannedScene,
    folder: str,
    arrangement: Arrangement,
    views: SceneViews,
    floor: Floor,
    sky: Sky,
    files: Mapping[str, bytes],
) -> list[Row]:
    """One row for the scene (its tables), one an object, one a view with the view's files."""
    label = int(any(m.odd for m in arrangement.members))
    shared = {"light_id": -1, "query_scale": arrangement.scale}
    whole = [f"{folder}/scene3d.metadata.json", f"{folder}/scene2d.metadata.json", f"{folder}/scene.jpg"]
    rows = [
        job_row(job, context, row_type="scene", kind="scene", label=label, query_path=folder, detail=sky.world,
                material_ids=(floor.material_id,), sha256=dict.fromkeys(whole, ""),
                warnings=context.scene_shapes.normal(scene.entry.shape_id).warnings, **shared)
    ]  # fmt: skip
    for k, (member, thing) in enumerate(zip(arrangement.members, arrangement.standing, strict=True)):
        rows.append(_object_row(job, context, scene, folder, member, thing, views, k))
    for v, camera in enumerate(arrangement.cameras):
        paths = [path for path in files if path.endswith((f"/{v:04d}.png", f"/{v:04d}.exr", f"_{v:04d}.png"))]
        rgb = f"{folder}/RGB/{layout.view_name(v)}"
        frame = views.frames[v]
        rows.append(
            job_row(job, context, kind="scene", label=int(views.changed[v].any()), query_path=rgb,
                    sample_id=content_hash([job.job_id, v]), azimuth_deg=camera.azimuth_deg,
                    elevation_deg=camera.elevation_deg, radius=camera.radius, K=tuple(camera.K.ravel().tolist()),
                    T_world_camera=tuple(np.linalg.inv(camera.extrinsic).ravel().tolist()),
                    material_ids=(floor.material_id,), visible_px=int((frame.object_index > 0).sum()),
                    changed_px=int(views.changed[v].sum()), sha256=dict.fromkeys([rgb, *paths], ""), **shared)
        )  # fmt: skip
    return rows


def _object_row(
    job: Job,
    context: SceneContext,
    scene: PlannedScene,
    folder: str,
    member: Member,
    thing: SceneObject,
    views: SceneViews,
    k: int,
) -> Row:
    shape = member.body.shape
    seen = [int((frame.object_index == k + 1).sum()) for frame in views.frames]
    columns: dict[str, object] = {
        "row_type": "object",
        "kind": member.kind,
        "label": int(member.odd is not None),
        "query_path": f"{folder}#{thing.name}",
        "T_shape_source": tuple((thing.T_world_object @ np.array(shape.T_shape_source)).ravel().tolist()),
        "visible_px": max(seen),
        "material_ids": tuple(sorted(shape.palette)),
    }
    if member.odd:
        part = next((p.name for p in member.odd.normal.parts if p.part_id == member.odd.spec.part_id), "")
        columns |= {
            "part": part,
            "part_id": member.odd.spec.part_id,
            "severity": member.odd.severity,
            "method": member.odd.method,
            "spec": canonical_json(member.odd.spec.to_json()),
            "changed_px": views.most_changed(k),
        }
    return job_row(job, context, **columns)
