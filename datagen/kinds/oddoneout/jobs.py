"""The job type of odd-one-out scenes: shapes, layout, what every camera sees, pictures, one folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from datagen.annotate.quality import contrast_about
from datagen.annotate.scenes import SceneViews
from datagen.core.anomaly import Rejected
from datagen.core.errors import RenderError
from datagen.core.rng import stream
from datagen.core.row import Job, Row
from datagen.core.scene import Floor, Scene, Sky, View
from datagen.core.shape import Shape
from datagen.formats import oddoneout as layout
from datagen.kinds.oddoneout.arrange import (
    Arrangement,
    Member,
    arrange,
    draw_members,
    is_shown,
    least_changed,
    spec_text,
)
from datagen.kinds.oddoneout.plan import PlannedScene
from datagen.kinds.oddoneout.record import SceneRecord
from datagen.kinds.oddoneout.shapes import SceneContext
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.pipeline.prepared import Prepared, rejection
from datagen.scenes.skies import listed_worlds, world_file

PICTURE = "picture"
"""Stage of rejections after rendering."""


@dataclass(frozen=True, eq=False)
class OddShown:
    """An odd object by its spec, and the pixels that it changes in each view (V, H, W) as bits."""

    kind: str
    spec: str
    bits: tuple[bytes, ...]

    @classmethod
    def of(cls, member: Member, k: int, views: SceneViews) -> "OddShown":
        """Of the object at place k."""
        assert member.odd is not None
        return cls(member.kind, spec_text(member.odd), tuple(np.packbits(own[k]).tobytes() for own in views.each))

    def showing(self, pictures: Sequence[np.ndarray], least: float) -> np.ndarray:
        """Changed pixels (V,) of each view; 0 where the picture varies by less than `least` about them."""
        counts = []
        for bits, picture in zip(self.bits, pictures, strict=True):
            size = picture.shape[0] * picture.shape[1]
            changed = np.unpackbits(np.frombuffer(bits, np.uint8), count=size).reshape(picture.shape[:2]).astype(bool)
            shows = changed.any() and contrast_about(picture, changed) >= least
            counts.append(int(changed.sum()) if shows else 0)
        return np.array(counts)


@dataclass(frozen=True, eq=False)
class SceneShot:
    """A scene ready to render, with the rows and files of all but its pictures."""

    folder: str
    rows: tuple[Row, ...]
    files: Mapping[str, bytes]
    odd: tuple[OddShown, ...]
    arrangement: Arrangement
    floor: Floor
    sky: Sky
    boxes: tuple[tuple[tuple[int, ...], ...], ...]
    """Boxes of anomalous objects by view."""

    def take(self, job: Job, context: SceneContext) -> tuple[list[Row], dict[str, bytes]]:
        """Pictures of every view, the strip and what was prepared; rejections alone where an anomaly does not show.

        Raises RenderError for a black or blown-out picture.
        """
        pictures = _render(context, self)
        files = dict(self.files)
        for k, picture in enumerate(pictures):
            if picture.max() < 24 or picture.min() > 250:
                raise RenderError(f"view {k} of {self.folder} is all black or white; look at the environment")
            files[f"{self.folder}/RGB/{layout.view_name(k)}"] = layout.rgba_bytes(picture)
        refused = self._unseen(job, context, pictures)
        if refused:
            return refused, {}
        shown = [(pictures[k], self.boxes[k]) for k in layout.STRIP_VIEWS if k < len(pictures)]
        files[f"{self.folder}/scene.jpg"] = layout.strip_bytes(shown)
        return list(self.rows), files

    def _unseen(self, job: Job, context: SceneContext, pictures: Sequence[np.ndarray]) -> list[Row]:
        """A rejection of every anomaly that too few of the pictures show."""
        recipe = context.plan.recipe
        if context.plan.swaps:
            return []  # Its twin's pictures are made elsewhere: the two have to decide alike, by what is cast.
        rows = []
        for odd in self.odd:
            showing = odd.showing(pictures, recipe.anomaly.min_contrast)
            if not is_shown(showing, recipe):
                shows = int((showing >= least_changed(recipe)).sum())
                why = Rejected("no_contrast", f"the pictures of {shows} of {len(pictures)} views show it")
                row = rejection(job, context, PICTURE, why, label=1, spec=odd.spec)
                rows.append(replace(row, kind=odd.kind))
        return rows


def _render(context: SceneContext, shot: SceneShot) -> list[np.ndarray]:
    assert context.renderer is not None, "this process renders nothing"
    scene = scene_of(context, shot.arrangement, shot.floor, shot.sky)
    with context.phase("render"):
        return context.renderer.render(scene)


def scene_of(context: SceneContext, arrangement: Arrangement, floor: Floor, sky: Sky) -> Scene:
    """The render job of a scene, every view of it, with the maps that it wears on disk."""
    recipe = context.plan.recipe
    with context.phase("materials"):
        materials = {}
        for member in arrangement.members:
            shape = member.body.shape
            for name in {name for part in shape.parts if part.skin for name in part.skin.materials}:
                materials[name] = context.prepared_material(shape.palette[name])
        materials[floor.material_id] = context.floor(floor.material_id)
    seen = sky if context.flat else replace(sky, world=world_file(sky.world, context.sky_cache))
    return Scene(
        objects=arrangement.standing,
        materials=dict(sorted(materials.items())),
        ground=floor,
        views=tuple(View(camera, seen) for camera in arrangement.cameras),
        seed=recipe.seed,
        settings=recipe.render.model_dump(mode="json"),
    )


def scene_job(job: Job, context: SceneContext, shape: Shape, before: Prepared) -> Prepared:
    """Everything of a scene but its pictures.

    `before` is an earlier half in whose pictures an anomaly did not show: another layout is drawn, and what two have
    not shown is a normal object.
    """
    plan = context.plan
    scene = plan.scene_of[job.job_id]
    first = before.next_attempt or 0
    refused = Counter(row.spec for row in before.rows if row.stage == PICTURE)
    rows: list[Row] = []
    with context.phase("operator"):
        members = draw_members(job, context, scene, rows, {spec for spec, times in refused.items() if times > 1})
    if first:
        rows = list(before.rows)
    arrangement, views = arrange(job, context, scene, members, rows, first)
    record = SceneRecord(job, context, scene, arrangement, views, *drawn_look(context, scene))
    with context.phase("annotate"):
        files = record.files()
    odd = tuple(OddShown.of(member, k, views) for k, member in enumerate(arrangement.members) if member.odd)
    own = tuple(record.rows(files))
    shot = SceneShot(record.folder, own, files, odd, arrangement, record.floor, record.sky, record.boxes)
    return Prepared(job, tuple(rows), shots=(shot,), next_attempt=first + plan.recipe.layout.attempts)


def drawn_look(context: SceneTools, scene: PlannedScene) -> tuple[Floor, Sky]:
    """The floor and the environment of a scene. Raises MissingDependency where its floors are not here."""
    plan = context.plan
    rng = stream(plan.recipe.seed, "look", scene.entry.shape_id, plan.drawn_as(scene.number))
    return _floor(context, rng), _sky(context, rng)


def _floor(context: SceneTools, rng: np.random.Generator) -> Floor:
    floors = context.floors.materials
    chosen = floors[int(rng.integers(len(floors)))]
    offset = (round(float(rng.random()), 6), round(float(rng.random()), 6))
    return Floor(chosen.material_id, round(float(rng.uniform(0, 360)), 4), offset)


def _sky(context: SceneTools, rng: np.random.Generator) -> Sky:
    recipe = context.plan.recipe.light
    worlds = listed_worlds(recipe.worlds)
    world = worlds[int(rng.integers(len(worlds)))]
    return Sky(world, round(float(rng.uniform(0, 360)), 4), round(float(rng.uniform(*recipe.strength)), 4))
