"""The shapes of a scene: the normal one dressed, its anomalous ones, and how each lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from datagen.anomalies.operator import Setting
from datagen.anomalies.registry import apply, propose
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.errors import MissingDependency, ShapeError
from datagen.core.ids import fraction_of_hash
from datagen.core.material import Material
from datagen.core.rng import stream
from datagen.core.shape import Shape
from datagen.formats.oddoneout import is_anomalous
from datagen.kinds.oddoneout.policy import ScenePolicy
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.materials.objects import choose_materials, with_materials
from datagen.scenes.layout import RestingBody, start_rotations
from datagen.scenes.pieces import Pieces
from datagen.scenes.poses import Rest
from datagen.scenes.rest import laid_like, nearest_rest, tilt_between

T = TypeVar("T")
CRUMBS = 1e-3
"""Share of the surface that may hang over the floor more than of the normal object."""
KEEP = 24
"""Values kept of each kind: scenes of one shape come together under no executor, so this is small."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """A proposal that was not taken."""

    kind: str
    spec: AnomalySpec | None
    why: Rejected


@dataclass(frozen=True, eq=False)
class Oddity:
    """An anomalous shape of a shape's pool, or None, with every proposal refused on the way."""

    shape: AnomalousShape | None
    refused: tuple[Attempt, ...]


@dataclass
class SceneShapes:
    """Makes and remembers them. Every result depends on the recipe, the seed and the names alone."""

    context: SceneTools
    _dressed: dict[str, Shape] = field(default_factory=dict)
    _odd: dict[tuple[str, int], Oddity] = field(default_factory=dict)
    _lying: dict[str, np.ndarray] = field(default_factory=dict)
    _pieces: dict[str, Pieces] = field(default_factory=dict)
    _described: dict[str, np.ndarray | None] = field(default_factory=dict)
    _nearest: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def choices(self) -> tuple[Material, ...]:
        """Materials that parts may wear."""
        return choose_materials(self.context.library.materials, self.context.plan.recipe.materials)

    @cached_property
    def setting(self) -> Setting:
        """All that operators may draw on."""
        recipe = self.context.plan.recipe.anomaly
        return Setting(ScenePolicy(recipe), neighbours=self, materials=self.choices, plugin=recipe.plugin)

    def normal(self, shape_id: str) -> Shape:
        """A shape in the clothes that it wears in every scene. Raises what the source raises."""
        if shape_id not in self._dressed:
            shape = self.context.shapes.load(shape_id)
            faces = sum(len(part.mesh.faces) for part in shape.parts)
            most = self.context.plan.recipe.split.max_faces
            if faces > most:
                raise ShapeError(f"{shape_id} has {faces} triangles, more than split.max_faces {most}; simplify it")
            recipe = self.context.plan.recipe
            rng = stream(recipe.seed, "dress", shape_id)
            _remember(self._dressed, shape_id, with_materials(shape, self.choices, recipe.materials, rng))
        return self._dressed[shape_id]

    def odd(self, shape_id: str, slot: int) -> Oddity:
        """The anomalous shape of a slot: its first kind that gives one."""
        key = (shape_id, slot)
        if key not in self._odd:
            _remember(self._odd, key, self._made(shape_id, slot))
        return self._odd[key]

    def _made(self, shape_id: str, slot: int) -> Oddity:
        plan, shape = self.context.plan, self.normal(shape_id)
        recipe = plan.recipe.anomaly
        refused: list[Attempt] = []
        for kind in plan.kinds(shape_id, slot):
            for attempt in range(recipe.attempts):
                rng = stream(plan.recipe.seed, "oddity", shape_id, slot, kind, attempt)
                _, spec = propose(shape, kind, rng, self.setting)
                made = spec if isinstance(spec, Rejected) else apply(shape, spec, self.setting)
                if not isinstance(made, Rejected):
                    why = self._lies_badly(made)
                    if why is None:
                        return Oddity(made, tuple(refused))
                    made = why
                refused.append(Attempt(kind, None if isinstance(spec, Rejected) else spec, made))
                if made.reason in ("no_part", "no_neighbour"):
                    break
        return Oddity(None, tuple(refused))

    def shown(self, shape_id: str, record: Mapping[str, Any]) -> Shape | None:
        """The shape of an object of a scene by its record in scene3d.metadata.json, normal or odd.

        None where its anomaly is not made again. Raises DatagenError, KeyError, ValueError, IndexError.
        """
        found = self.shown_and_made(shape_id, record)
        return None if found is None else found[0]

    def shown_and_made(self, shape_id: str, record: Mapping[str, Any]) -> tuple[Shape, AnomalousShape | None] | None:
        """The same, with what was done to an odd one."""
        if "shows" in record:
            return self._of_swap(shape_id, record)
        if not is_anomalous(str(record["path"])):
            return self.normal(shape_id), None
        slot = int(str(record["path"]).rsplit("-", 1)[1].split(".")[0]) - 1
        made = self.odd(shape_id, slot).shape
        return None if made is None else (made.shape, made)

    def _of_swap(self, shape_id: str, record: Mapping[str, Any]) -> tuple[Shape, AnomalousShape | None] | None:
        """Of scenes with swapped majorities, where a path does not tell which of the two shapes an object is."""
        slot, odd = int(record["slot"]), is_anomalous(str(record["path"]))
        made = self.odd(shape_id, slot).shape if slot >= 0 else None
        if made is None:
            return None if odd or record["shows"] == "anomalous" else (self.normal(shape_id), None)
        shape = made.shape if record["shows"] == "anomalous" else made.normal
        if not odd:
            return shape, None
        return shape, made if record["shows"] == "anomalous" else made.exchanged()

    def nearest(self, shape: Shape) -> tuple[str, ...]:
        """Shapes of the split, and of the category where there are any, whose descriptors are nearest."""
        if shape.shape_id not in self._nearest:
            recipe = self.context.plan.recipe.anomaly.similar
            others = [i for i in self._pool(shape.shape_id)[: recipe.pool] if self._vector(i) is not None]
            own = self._vector(shape.shape_id)
            if own is None:
                return ()
            # Rounded: the last digits of image features are those of a CPU.
            ranked = sorted(others, key=lambda i: (-round(float(own @ self._described[i]), 5), i))
            _remember(self._nearest, shape.shape_id, tuple(ranked[: recipe.nearest]))
        return self._nearest[shape.shape_id]

    def _pool(self, shape_id: str) -> Sequence[str]:
        plan = self.context.plan
        members = [e for e in plan.members[plan.splits[shape_id]] if e.shape_id != shape_id]
        category = next(e.category for e in plan.chosen if e.shape_id == shape_id)
        own = [e.shape_id for e in members if e.category == category]
        rest = [e.shape_id for e in members if e.category != category]
        rank = {i: fraction_of_hash(["pool", shape_id, i]) for i in (*own, *rest)}
        return [*sorted(own, key=lambda i: (rank[i], i)), *sorted(rest, key=lambda i: (rank[i], i))]

    def _vector(self, shape_id: str) -> np.ndarray | None:
        if shape_id not in self._described:
            descriptor, source = self.context.descriptor, self.context.plan.source
            try:
                self._described[shape_id] = descriptor(
                    source.digest(shape_id), lambda: [part.mesh for part in source.load(shape_id).parts]
                )
            except (ShapeError, MissingDependency):
                self._described[shape_id] = None
        return self._described[shape_id]

    def load(self, shape_id: str) -> Shape:
        """A neighbour."""
        return self.context.shapes.load(shape_id)

    def body(self, shape: Shape) -> RestingBody:
        """A normal shape as it comes to lie most often."""
        recipe = self.context.plan.recipe
        if shape.digest not in self._lying:
            starts = start_rotations(recipe.layout, stream(recipe.seed, "tilt", shape.shape_id))
            _remember(self._lying, shape.digest, self._rest.most_reached(shape, starts, recipe.layout.poses))
        return RestingBody(shape, self._lying[shape.digest], shape.centre)

    def odd_body(self, made: AnomalousShape) -> RestingBody:
        """An anomalous shape as it lies, let go from how the normal one lies."""
        normal = self.body(made.normal)
        poses = self.context.plan.recipe.layout.poses
        return RestingBody(made.shape, self._rest.from_pose(made.shape, normal.rotation, poses), normal.origin)

    def like(self, body: RestingBody, odd: RestingBody) -> RestingBody:
        """A normal shape laid with the side down on which an odd one lies."""
        return replace(body, rotation=laid_like(odd.rotation, body.rotation))

    def _lies_badly(self, made: AnomalousShape) -> Rejected | None:
        """Rejection of what lifts a piece off the floor, or, with shared poses, no normal one could lie like."""
        floats = self._floats(made)
        layout = self.context.plan.recipe.layout
        if floats is not None or layout.poses != "shared":
            return floats
        like = self.like(self.body(made.normal), self.odd_body(made)).rotation
        lean = tilt_between(like, nearest_rest(made.normal, like))
        if lean <= layout.lean_deg:
            return None
        return Rejected("lies_otherwise", f"a normal one would lean by {lean:.1f} degrees in the pose of this one")

    def _floats(self, made: AnomalousShape) -> Rejected | None:
        """Rejection where more of the surface hangs over the floor than of the normal object as it lies."""
        reach = self.context.plan.recipe.anomaly.move.loose
        key = made.normal.digest
        if key not in self._pieces:
            _remember(self._pieces, key, Pieces.of(made.normal, reach))
        normal = self._pieces[key]
        if len(normal.points) == 1:
            return None  # what comes off such a one is refused by its operator
        before = normal.floating(self.body(made.normal).rotation)
        after = Pieces.of(made.shape, reach).floating(self.odd_body(made).rotation)
        if after <= before + CRUMBS:
            return None
        return Rejected("floats", f"{after:.3f} of the surface hangs over the floor, {before:.3f} before")

    @cached_property
    def _rest(self) -> Rest:
        return Rest(self.context.pose_cache, self.context.open_physics)


def _remember(table: dict, key: object, value: object) -> None:
    table[key] = value
    while len(table) > KEEP:
        table.pop(next(iter(table)))


@dataclass
class SceneContext(SceneTools):
    """Tools of scenes, and the shapes that scenes show."""

    @cached_property
    def scene_shapes(self) -> SceneShapes:
        """Shapes of scenes, normal and odd, and how they lie."""
        return SceneShapes(self)
