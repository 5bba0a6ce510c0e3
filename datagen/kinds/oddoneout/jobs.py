"""The job type of odd-one-out scenes: shapes, layout, what every camera sees, pictures, one folder."""

from dataclasses import dataclass, replace

import numpy as np

from datagen.core.errors import RenderError
from datagen.core.rng import stream
from datagen.core.row import Job, Row
from datagen.core.scene import Floor, Scene, Sky, View
from datagen.core.shape import Shape
from datagen.formats import oddoneout as layout
from datagen.kinds.oddoneout.arrange import Arrangement, arrange, draw_members
from datagen.kinds.oddoneout.record import SceneRecord
from datagen.kinds.oddoneout.shapes import SceneContext
from datagen.pipeline.prepared import Prepared
from datagen.scenes.skies import listed_worlds, world_file


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
        members = draw_members(job, context, scene, rows)
    arrangement, views = arrange(job, context, scene, members, rows)
    rng = stream(plan.recipe.seed, "look", scene.entry.shape_id, plan.drawn_as(scene.number))
    record = SceneRecord(job, context, scene, arrangement, views, _floor(context, rng), _sky(context, rng))
    with context.phase("annotate"):
        files = record.files()
    rows += record.rows(files)
    shot = SceneShot(record.folder, arrangement, record.floor, record.sky, record.boxes)
    return Prepared(job, tuple(rows), files, (shot,))


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
