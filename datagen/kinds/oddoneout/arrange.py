"""What a scene holds and where it stands: members, layout, cameras, and what every camera sees."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Literal

import numpy as np

from datagen.annotate.scenes import SceneViews, SeenObject, cast_views
from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.camera import Camera
from datagen.core.ids import canonical_json
from datagen.core.rng import stream
from datagen.core.row import Job, Row
from datagen.core.scene import SceneObject
from datagen.formats import oddoneout as layout
from datagen.kinds.oddoneout.deal import Draw
from datagen.kinds.oddoneout.plan import PlannedScene, five_views
from datagen.kinds.oddoneout.shapes import SceneContext
from datagen.pipeline.prepared import rejection
from datagen.recipe import SceneRecipe
from datagen.scenes.framing import step_back
from datagen.scenes.layout import RestingBody, lay_out, metric_scale, orbit
from datagen.scenes.poses import drop_together


@dataclass(frozen=True, eq=False)
class Member:
    """One object of a scene before it has a place: `odd` is None for a normal one."""

    body: RestingBody
    slot: int = -1
    odd: AnomalousShape | None = None
    shows: Literal["normal", "anomalous"] = "normal"
    """Which of the two shapes it is: with swapped majorities the anomalous one may be what most are."""

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


def draw_members(
    job: Job, context: SceneContext, scene: PlannedScene, rows: list[Row], unseen: Container[str] = ()
) -> list[Member]:
    """The objects in the order of the list: anomalous ones anywhere in it. Those with an `unseen` spec are normal."""
    plan = context.plan
    draw = plan.draw(scene)
    shape_id = scene.entry.shape_id
    if plan.swaps:
        return _swapped_members(job, context, scene, draw, rows)
    normal = context.scene_shapes.normal(shape_id)
    body = context.scene_shapes.body(normal)
    odd: list[Member] = []
    for slot in draw.slots:
        made = context.scene_shapes.odd(shape_id, slot)
        for attempt in made.refused:
            rows.append(_refusal(job, context, attempt.kind, attempt.why, attempt.spec and attempt.spec.to_json()))
        if made.shape is not None and spec_text(made.shape) not in unseen:
            odd.append(Member(context.scene_shapes.odd_body(made.shape), slot, made.shape, "anomalous"))
    count = draw.objects - len(odd)
    members = [*odd, *(Member(whole) for whole in _normal_bodies(context, scene, body, odd, count))]
    order = stream(plan.recipe.seed, "order", shape_id, scene.number).permutation(len(members))
    return [members[k] for k in order]


def _swapped_members(job: Job, context: SceneContext, scene: PlannedScene, draw: Draw, rows: list[Row]) -> list[Member]:
    """Two shapes, one in the majority, in an order that the scene's twin has too; all normal where none was made."""
    shapes, shape_id = context.scene_shapes, scene.entry.shape_id
    whole = Member(shapes.body(shapes.normal(shape_id)))
    if not draw.slots:
        return [whole] * draw.objects
    slot, count = draw.slots[0], len(draw.slots)
    made = shapes.odd(shape_id, slot)
    for attempt in made.refused:
        rows.append(_refusal(job, context, attempt.kind, attempt.why, attempt.spec and attempt.spec.to_json()))
    if made.shape is None:
        return [whole] * draw.objects
    other = Member(shapes.odd_body(made.shape), slot, made.shape, "anomalous")
    members = [other] * count + [whole] * (draw.objects - count)
    order = stream(context.plan.recipe.seed, "order", shape_id, context.plan.drawn_as(scene.number))
    members = [members[k] for k in order.permutation(len(members))]
    return exchanged(members) if draw.swapped else members


def exchanged(members: Sequence[Member]) -> list[Member]:
    """The same places with the majority odd: each shape stands where the other stood, as the other's odd one."""
    odd = next((member for member in members if member.odd), None)
    if odd is None or odd.odd is None:
        return list(members)
    most = next(member for member in members if member.odd is None)
    # What was normal is odd now, and differs from what was odd.
    few = Member(most.body, odd.slot, odd.odd.exchanged(), most.shows)
    many = Member(odd.body, odd.slot, None, odd.shows)
    return [few if member.odd else many for member in members]


def spec_text(odd: AnomalousShape) -> str:
    """An anomaly's spec as rows hold it."""
    return canonical_json(odd.spec.to_json())


def _normal_bodies(
    context: SceneContext, scene: PlannedScene, body: RestingBody, odd: Sequence[Member], count: int
) -> list[RestingBody]:
    """The normal objects as they lie: all alike, or where poses are shared, each like an odd one of the scene.

    A scene without an odd one takes the poses of what another scene of the shape could show.
    """
    plan, shape_id = context.plan, scene.entry.shape_id
    if plan.recipe.layout.poses != "shared":
        return [body] * count
    rng = stream(plan.recipe.seed, "shared", shape_id, scene.number)
    lying = [member.body for member in odd]
    if not lying and (pool := plan.pool(shape_id)):
        made = context.scene_shapes.odd(shape_id, int(rng.integers(pool))).shape
        lying = [context.scene_shapes.odd_body(made)] if made is not None else []
    if not lying:
        return [body] * count
    return [context.scene_shapes.like(body, lying[int(rng.integers(len(lying)))]) for _ in range(count)]


def _refusal(job: Job, context: SceneContext, kind: str, why: Rejected, spec: object) -> Row:
    text = canonical_json(spec) if spec else ""
    return replace(rejection(job, context, "proposal", why, label=1, spec=text), kind=kind)


def arrange(
    job: Job, context: SceneContext, scene: PlannedScene, members: list[Member], rows: list[Row], first: int = 0
) -> tuple[Arrangement, SceneViews]:
    """A layout in which every anomaly shows in enough views; after the last try, what does not show is normal.

    `first` is the number of the first layout that is tried.
    """
    recipe = context.plan.recipe
    least = least_changed(recipe)
    number = context.plan.drawn_as(scene.number)
    for attempt in range(recipe.layout.attempts):
        rng = stream(recipe.seed, "layout", scene.entry.shape_id, number, first + attempt)
        with context.phase("layout"):
            arrangement = _placed(context, members, recipe.naming, rng)
        with context.phase("raycast"):
            views = _cast(arrangement)
        hidden = _hidden(members, views, recipe)
        if context.plan.swaps:
            hidden = sorted({*hidden, *_hidden_in_twin(context, members, recipe, scene, attempt)})
        if not hidden:
            return arrangement, views
        for k in hidden:
            odd = members[k].odd
            assert odd is not None
            shows = int((views.changed_px[:, k] >= least).sum())
            told = f"{shows} of {len(views.changed_px)} views show {least:g} changed pixels or more"
            why = Rejected("hidden", f"{told}, at most {views.most_changed(k)}")
            rows.append(_refusal(job, context, members[k].kind, why, odd.spec.to_json()))
        if attempt == recipe.layout.attempts - 2:
            # One more draw, without what no layout showed: a label that no view supports would be a lie.
            members = _without(members, hidden, context.plan.swaps)
    while True:
        members = _without(members, hidden, context.plan.swaps)
        arrangement = _placed(context, members, recipe.naming, rng)
        views = _cast(arrangement)
        hidden = _hidden(members, views, recipe)
        if not hidden:
            return arrangement, views


def _without(members: Sequence[Member], hidden: Sequence[int], all_of_them: bool) -> list[Member]:
    """Normal ones in the place of odd ones that no layout showed; of a swapped pair in the place of all odd ones."""
    if not hidden:
        return list(members)
    whole = next(m for m in members if m.odd is None)
    return [whole if m.odd and (all_of_them or k in hidden) else m for k, m in enumerate(members)]


def _hidden_in_twin(
    context: SceneContext, members: Sequence[Member], recipe: SceneRecipe, scene: PlannedScene, attempt: int
) -> list[int]:
    """Odd objects that the same layout with exchanged majorities would not show: the two scenes decide alike."""
    number = context.plan.drawn_as(scene.number)
    rng = stream(recipe.seed, "layout", scene.entry.shape_id, number, attempt)
    twins = exchanged(members)
    return _hidden(twins, _cast(_placed(context, twins, recipe.naming, rng)), recipe)


def _cast(arrangement: Arrangement) -> SceneViews:
    """What every camera sees."""
    pairs = zip(arrangement.members, arrangement.standing, strict=True)
    return cast_views([_seen(member, thing) for member, thing in pairs], arrangement.cameras)


def _hidden(members: Sequence[Member], views: SceneViews, recipe: SceneRecipe) -> list[int]:
    """Places of the odd objects that too few views show."""
    return [k for k, m in enumerate(members) if m.odd and not is_shown(views.changed_px[:, k], recipe)]


def least_changed(recipe: SceneRecipe) -> float:
    """Changed pixels from which a view of the recipe's size shows an anomaly."""
    return recipe.anomaly.min_changed_px * (recipe.camera.size_px / 256) ** 2


def is_shown(changed_px: Sequence[int] | np.ndarray, recipe: SceneRecipe) -> bool:
    """Whether an anomaly shows in as many of its scene's views (V,) as the recipe wants, and in both sets of five."""
    shown = np.asarray(changed_px) >= least_changed(recipe)
    wanted = max(1, int(np.ceil(recipe.anomaly.min_views * len(shown) - 1e-9)))
    return bool(shown.sum() >= wanted and all(shown[views].any() for views in five_views(len(shown))))


def shown_in_five(shows: int, views: int) -> float:
    """Probability that five views drawn of a scene's hold one of the `shows` that show an anomaly."""
    drawn = min(5, views)
    return 1 - comb(views - shows, drawn) / comb(views, drawn)


def _placed(context: SceneContext, members: Sequence[Member], naming: str, rng: np.random.Generator) -> Arrangement:
    recipe = context.plan.recipe
    # The scale is the normal shape's, whichever of the two is in the majority.
    first = [m.body for m in sorted(members, key=lambda member: member.shows == "anomalous")]
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
    points = np.concatenate([mesh.vertices for thing in things for _, mesh in thing.meshes()])
    cameras = step_back(orbit(whole, len(things), aim, recipe.camera, rng), points, recipe.camera.whole, rng)
    return Arrangement(tuple(members), tuple(poses), scale, things, tuple(cameras))


def world_bounds(thing: SceneObject) -> np.ndarray:
    """True axis-aligned bounds (2, 3) of an object in the world."""
    bounds = np.array([mesh.bounds for _, mesh in thing.meshes()])
    return np.stack([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)])


def _seen(member: Member, thing: SceneObject) -> SeenObject:
    if member.odd is None:
        return SeenObject(thing, None)
    return SeenObject(thing, SceneObject.of(thing.name, member.odd.normal.parts, thing.T_world_object), member.odd)
