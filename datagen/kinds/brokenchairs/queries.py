"""What normal and anomalous queries share: render, check, write. One code path, so that
nothing but the anomaly itself can tell them apart."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from datagen.annotate.masks import Annotation
from datagen.annotate.quality import check_contrast, check_picture
from datagen.core.backdrop import Backdrop, Tiled
from datagen.core.camera import Camera
from datagen.core.errors import MissingDependency
from datagen.core.ids import canonical_json, content_hash
from datagen.core.material import Material, MaterialAssignment
from datagen.core.rng import stream
from datagen.core.row import Job, Row
from datagen.core.scene import GeometryFrame, Light, Scene, SceneObject, ScenePart, Studio, View
from datagen.core.shape import Mesh, Skin
from datagen.formats import brokenchairs as layout
from datagen.formats.cameras import published_pose
from datagen.formats.encode import png_bytes
from datagen.kinds.brokenchairs.behind import background_columns, expected_behind
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.looks import OWN, Look, Looks, lens_columns, looks_columns
from datagen.kinds.brokenchairs.stress import Gleam, Stress
from datagen.pipeline.prepared import job_row, rejection
from datagen.scenes.backdrops import draw_backdrop
from datagen.scenes.lamps import lamps_of, room_of

FURNITURE_MM = 550.0
"""What a unit of a shape that says none is taken to be."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A view that passed the ray-cast checks: what is left is to render it."""

    camera: Camera
    light: Light
    frame: GeometryFrame
    backdrop: Backdrop | None = None
    turn_deg: float = 0.0
    """By which the light is turned."""
    annotation: Annotation | None = None
    at_query: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    """(side, suffix) -> bytes of the textureless views at this camera."""


def draw_behind(context: ChairContext, camera: Camera, *keys: str | int) -> Backdrop | None:
    """What lies behind the object in a camera's picture, told from others by `keys`; floors differ by `keys` alone."""
    asked, photos = context.recipe.query.background, tuple(map(Path, context.plan.photos))
    if asked.photos is not None and not photos:
        raise MissingDependency(f"query.background.photos: {asked.photos} holds no photo any more")
    seen = (camera.azimuth_deg, camera.elevation_deg) if asked.floor is None else ()
    rng = stream(context.recipe.seed, "background", *keys, *(f"{angle:.2f}" for angle in seen))
    return draw_backdrop(asked, photos, context.floors[1], rng)


def draw_light(context: ChairContext, rng: np.random.Generator) -> Light:
    """One of the recipe's set-ups."""
    return context.lights[int(rng.integers(len(context.lights)))]


@dataclass(frozen=True, eq=False)
class QueryShot:
    """One scene ready to render: dressed meshes in the query frame, its views, and what its rows will say."""

    folder: str
    meshes: tuple[tuple[int, Mesh], ...]
    assignment: MaterialAssignment
    candidates: tuple[Candidate, ...]
    ground_z: float
    common: Mapping[str, object]
    config: Mapping[str, object] | None = None
    """`config` of the annotation JSON; None for a normal chair."""
    each: tuple[Mapping[str, object], ...] = ()
    """Of an object with several anomalies: kind, part, severity and spec of each."""
    skins: Mapping[int, Skin] = field(default_factory=dict)
    """Part id -> the looks of its own that it keeps, in place of the assignment's."""
    palette: Mapping[str, Material] = field(default_factory=dict)
    """Materials that skins name."""
    looks: Looks = field(default_factory=dict)
    """How parts differ from their materials."""
    stress: Stress = Stress()
    """How reflections are moved."""
    mm: float = 0.0
    """A millimetre of the part in units of the query scene; 0 where nothing says."""

    @property
    def dress(self) -> str:
        """Canonical text of what parts wear, and how they differ from it."""
        return assignment_json(self.assignment) + looks_columns(self.looks)["looks"] + self.stress.text(0.0)

    def take(self, job: Job, context: ChairContext) -> tuple[list[Row], dict[str, bytes]]:
        """Render the views and check each picture: rows, and the files of those that pass."""
        return take(job, context, self)


def take(job: Job, context: ChairContext, shot: QueryShot) -> tuple[list[Row], dict[str, bytes]]:
    """Render a shot's views and check each picture: rows, and the files of those that pass."""
    rows: list[Row] = []
    files: dict[str, bytes] = {}
    for row, written in taken(job, context, shot):
        rows.append(row)
        files |= written
    return rows, files


def taken(job: Job, context: ChairContext, shot: QueryShot) -> Iterator[tuple[Row, dict[str, bytes]]]:
    """The row and files of each candidate, or its rejection and no file."""
    for candidate, picture in zip(shot.candidates, render_shot(context, shot), strict=True):
        with context.phase("encoding"):
            written = _write_query(job, context, shot, candidate, picture)
        yield written


def render_shot(context: ChairContext, shot: QueryShot) -> list[np.ndarray]:
    """A picture (H, W, 3) uint8 of every candidate. Raises MaterialError, RenderError."""
    assert context.renderer is not None, "this process renders nothing"
    scene = scene_of(context, shot)
    with context.phase("render"):
        return context.renderer.render(scene)


def scene_of(context: ChairContext, shot: QueryShot) -> Scene:
    """What the renderer is given for a shot; bakes its materials. Raises MaterialError."""
    worn = {part.part_id: part for part in shot.assignment.parts}
    with context.phase("materials"):
        drawn = sorted({part.material_id for part in shot.assignment.parts if part.projection != OWN})
        materials = {**context.materials(tuple(drawn)), **shot.palette}
    named = _part_tiles(context, shot, materials)
    materials |= named
    bare = {part_id for part_id, part in worn.items() if part.material_id in named}
    changes: list[tuple[int, Look | Gleam]] = [*shot.looks.items(), *shot.stress.parts.items()]
    for part_id, change in changes:
        if part_id in worn and (part_id not in shot.skins or part_id in bare):
            varied = change.on(materials[worn[part_id].material_id], part_id)
            materials[varied.material_id] = varied
            worn[part_id] = replace(worn[part_id], material_id=varied.material_id)
    parts = tuple(ScenePart(i, mesh, (None if i in bare else shot.skins.get(i)) or worn[i]) for i, mesh in shot.meshes)
    lights = context.recipe.query.lights
    materials |= _floors(context, shot)
    return Scene(
        objects=(SceneObject(shot.folder, parts),),
        materials=materials,
        ground=Studio(shot.ground_z, lamps_of(lights, shot.mm), room_of(lights)),
        views=tuple(View(c.camera, c.light, c.turn_deg, c.backdrop) for c in shot.candidates),
        seed=context.recipe.seed,
        settings=context.recipe.render.model_dump(mode="json"),
    )


def _part_tiles(context: ChairContext, shot: QueryShot, materials: Mapping[str, Material]) -> dict[str, Material]:
    """Those of the materials that the recipe gives to parts by name, their tiles as large as it says."""
    found = {}
    for library in context.by_part:
        for name in {m.material_id for m in library.materials} & materials.keys():
            tile = library.told.tile_mm
            found[name] = replace(materials[name], tile_size=tile * shot.mm) if tile else materials[name]
    return found


def _floors(context: ChairContext, shot: QueryShot) -> dict[str, Material]:
    """Floors of a shot's pictures, their tiles in units of its scene. Raises MaterialError."""
    asked, found = context.recipe.query.background, {}
    for name in sorted({c.backdrop.material_id for c in shot.candidates if isinstance(c.backdrop, Tiled)}):
        material = context.prepared(context.floors[0], name)
        # A library of floors says metres; without a unit an object is one of furniture.
        tile = asked.tile_mm or 1000 * material.tile_size
        mm = shot.mm or context.recipe.query.scale / FURNITURE_MM
        found[name] = replace(material, tile_size=tile * mm)
    return found


def _write_query(
    job: Job, context: ChairContext, shot: QueryShot, candidate: Candidate, picture: np.ndarray
) -> tuple[Row, dict[str, bytes]]:
    """The row and files of one picture, or its rejection and no file."""
    quality, note = context.recipe.quality, candidate.annotation
    behind = expected_behind(candidate.backdrop, context.recipe.query)
    why = check_picture(picture, candidate.frame, quality, behind)
    if why is None and note is not None:
        why = check_contrast(picture, note.changed, quality)
    texture = texture_number(shot.dress)
    columns = {**shot.common, **_columns(context, candidate, shot.assignment), "texture_id": texture}
    columns["stress"] = shot.stress.text(candidate.turn_deg)
    if why is not None:
        return rejection(job, context, "picture", why, **columns), {}
    label = "normal" if note is None else "anomaly"
    tail = layout.query_tail(job.public_id, texture, candidate.camera, candidate.light.index, label)
    paths = layout.query_paths(shot.folder, tail)
    files = {paths["query"]: png_bytes(picture)}
    columns["query_path"] = paths["query"]
    if note is not None:
        files |= _annotation_files(job, shot, paths, note, candidate, texture)
        columns |= _annotation_columns(paths, note)
        if shot.each:
            columns["anomalies"] = canonical_json(_listed(shot, paths, note)[0])
    for (side, suffix), data in candidate.at_query.items():
        files[layout.at_query_path(shot.folder, side, tail, suffix)] = data
    columns["sha256"] = dict.fromkeys(files, "")
    columns["sample_id"] = content_hash(
        [job.job_id, columns.get("spec", ""), shot.dress, candidate_json(context, candidate)]
    )
    return job_row(job, context, **columns), files


def assignment_json(assignment: MaterialAssignment) -> str:
    """Canonical text of a dress."""
    return canonical_json([[p.part_id, p.material_id, p.projection, p.offset] for p in assignment.parts])


def candidate_json(context: ChairContext, candidate: Candidate) -> list[object]:
    """Camera, light and engine settings of a picture."""
    camera = candidate.camera
    return [
        [camera.azimuth_deg, camera.elevation_deg, camera.radius, camera.size_px],
        candidate.light.index,
        context.recipe.render.model_dump(mode="json"),
    ]


def _columns(context: ChairContext, candidate: Candidate, assignment: MaterialAssignment) -> dict[str, object]:
    camera = candidate.camera
    pose = published_pose(camera)
    return {
        "azimuth_deg": camera.azimuth_deg,
        "elevation_deg": camera.elevation_deg,
        "radius": camera.radius,
        "K": tuple(camera.K.ravel().tolist()),
        "T_world_camera": tuple(pose.ravel().tolist()),
        "query_scale": context.recipe.query.scale,
        "light_id": candidate.light.index,
        "material_ids": assignment.material_ids,
        "visible_px": int(candidate.frame.silhouette.sum()),
        **lens_columns(camera.lens),
        **background_columns(candidate.backdrop, context.plan.photos),
    }


def _annotation_files(
    job: Job, shot: QueryShot, paths: Mapping[str, str], note: Annotation, candidate: Candidate, texture: int
) -> dict[str, bytes]:
    config = dict(shot.config or {})
    files: dict[str, bytes] = {}
    if shot.each:
        listed, files = _listed(shot, paths, note)
        config["anomalies"] = listed
    info = layout.annotation_json(job.kind, note.bbox_xywh_512, note.iou, candidate.camera, texture, config)
    files |= {paths["annotation"]: info, paths["mask_old"]: png_bytes(note.mask_old)}
    if note.mask_new is not None:
        files[paths["mask_new"]] = png_bytes(note.mask_new)
    return files


def _listed(
    shot: QueryShot, paths: Mapping[str, str], note: Annotation
) -> tuple[list[dict[str, object]], dict[str, bytes]]:
    """Each of several anomalies as `config.anomalies` has it, and the files of its masks."""
    listed, files = [], {}
    for number, (said, one) in enumerate(zip(shot.each, note.each, strict=True)):
        entry = {"type": layout.TYPE_OF_KIND.get(str(said["kind"]), said["kind"]), **said}
        entry |= {"2d_bbox": list(one.bbox_xywh_512), "IoU": one.iou}
        for side, mask in (("new", one.mask_new), ("old", one.mask_old)):
            entry[f"mask_{side}"] = ""
            if mask is not None:
                path = layout.mask_of_one(paths[f"mask_{side}"], number)
                files[path] = png_bytes(mask)
                entry[f"mask_{side}"] = path
        listed.append(entry)
    return listed, files


def _annotation_columns(paths: Mapping[str, str], note: Annotation) -> dict[str, object]:
    return {
        "annotation_path": paths["annotation"],
        "mask_old_path": paths["mask_old"],
        "mask_new_path": "" if note.mask_new is None else paths["mask_new"],
        "bbox_xywh_512": note.bbox_xywh_512,
        "iou": note.iou,
        "changed_px": int(note.changed.sum()),
    }


def texture_number(canonical: str) -> int:
    """A stable number below 100,000 for a dress: the texture field of a query's file name."""
    return int(hashlib.sha256(canonical.encode()).hexdigest()[:8], 16) % 100_000
