"""What rendering is measured on: anomalous chairs as the pipeline makes them, each in several views and lights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from datagen.core.errors import ShapeError
from datagen.core.rng import stream
from datagen.core.scene import Scene, View
from datagen.formats.brokenchairs import KINDS
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.kind import plan_chairs
from datagen.kinds.brokenchairs.queries import Candidate, QueryShot, scene_of
from datagen.kinds.registry import load_recipe
from datagen.materials.open import open_libraries
from datagen.pipeline.jobs import prepare
from datagen.shapes.collections import open_collection

VIEWS, LIGHTS = 4, 3
"""Cameras and light set-ups of a chair: twelve pictures in three render jobs of four."""


@dataclass(frozen=True)
class Protocol:
    """How much is rendered: `chairs`, dealt over the collections, and of each the first `pictures`."""

    chairs: int = 12
    pictures: int = VIEWS * LIGHTS
    collections: tuple[str, ...] = ("partnet/chair",)


@dataclass(frozen=True, eq=False)
class Target:
    """One picture to make: silhouette and defect (H, W) bool are the masks it is judged in."""

    view: View
    silhouette: np.ndarray
    defect: np.ndarray


@dataclass(frozen=True, eq=False)
class MeasuredScene:
    """One dressed anomalous chair, and the pictures of it; `job` is the render job without views."""

    name: str
    kind: str
    faces: int
    job: Scene
    targets: tuple[Target, ...]

    def first_shot(self) -> "MeasuredScene":
        """The same chair in its first light alone."""
        return replace(self, targets=self.targets[:VIEWS])

    def shots(self) -> Iterator[tuple[Scene, tuple[Target, ...]]]:
        """Render jobs of up to four pictures, the light changing from one to the next as in a build."""
        for start in range(0, len(self.targets), VIEWS):
            targets = self.targets[start : start + VIEWS]
            yield replace(self.job, views=tuple(target.view for target in targets)), targets


def make_scenes(protocol: Protocol) -> Iterator[MeasuredScene]:
    """Scenes one by one; every second one is `broken`, the others take the other kinds in turn.

    A chair that the anomaly cannot be made on or seen in enough views gives way to the next one of its
    collection. Raises ShapeError when the collections have too few chairs, UsageError for an unknown one.
    """
    sources = [_Collection(name) for name in protocol.collections]
    others = [kind for kind in KINDS if kind != "broken"]
    for k in range(protocol.chairs):
        kind = "broken" if k % 2 == 0 else others[k // 2 % len(others)]
        yield sources[k % len(sources)].scene(kind, k, protocol.pictures)


class _Collection:
    """A collection's chairs, used up in plan order."""

    def __init__(self, name: str) -> None:
        recipe = load_recipe(None, [f"anomaly.views={{{VIEWS}: 1}}"])
        self.plan = plan_chairs(recipe, open_collection(name))
        library = open_libraries(recipe.materials.libraries, recipe.seed)
        self.context = ChairContext(self.plan, library, "cycles")
        self._left = list(enumerate(self.plan.shapes))

    def scene(self, kind: str, number: int, pictures: int) -> MeasuredScene:
        """The next chair on which this kind shows. Raises ShapeError when none is left."""
        for place in list(self._left):
            job = next((job for job in self.plan.jobs_of(*place) if job.kind == kind), None)
            if job is None:
                continue
            prepared = prepare(replace(job, views=VIEWS), self.context)
            shot = prepared.shots[0] if prepared.shots else None
            if isinstance(shot, QueryShot) and len(shot.candidates) == VIEWS:
                self._left.remove(place)
                return self._dressed(shot, kind, number, place[1].shape_id, pictures)
        raise ShapeError(f"{self.plan.source.name} has no chair left for a {kind} anomaly; name a larger collection")

    def _dressed(self, shot: QueryShot, kind: str, number: int, shape_id: str, pictures: int) -> MeasuredScene:
        lights = self.context.lights
        first = int(stream(self.plan.recipe.seed, "bench-lights", number).integers(len(lights)))
        targets = []
        for k in range(pictures):
            view, turn = k % VIEWS, (k + k // VIEWS) % LIGHTS
            light = lights[(first + 3 * ((turn + view) % LIGHTS)) % len(lights)]
            targets.append(_target(shot.candidates[view], View(shot.candidates[view].camera, light)))
        job = scene_of(self.context, shot)
        faces = sum(len(part.mesh.faces) for thing in job.objects for part in thing.parts)
        return MeasuredScene(f"{self.plan.source.name}/{shape_id}", kind, faces, replace(job, views=()), tuple(targets))


def _target(candidate: Candidate, view: View) -> Target:
    note = candidate.annotation
    assert note is not None, "an anomalous view has an annotation"
    return Target(view, candidate.frame.silhouette, note.mask_old if note.mask_new is None else note.mask_new)
