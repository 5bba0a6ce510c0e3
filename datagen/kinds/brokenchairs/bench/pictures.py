"""Anomalous chairs as the pipeline makes them, each in several views and lights: what rendering is measured on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from datagen.bench.targets import LIGHTS, VIEWS, MeasuredObject, Target
from datagen.core.errors import ShapeError
from datagen.core.rng import stream
from datagen.core.scene import View
from datagen.formats.brokenchairs import KINDS
from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.queries import Candidate, QueryShot, scene_of
from datagen.materials.open import open_libraries
from datagen.pipeline.jobs import prepare


def make_chairs(count: int, pictures: int, collections: Sequence[str]) -> Iterator[MeasuredObject]:
    """So many chairs, dealt over the collections, and of each the first `pictures`.

    Every second one is `broken`, the others take the other kinds in turn.

    A chair that the anomaly cannot be made on or seen in enough views gives way to the next one of its
    collection. Raises ShapeError when the collections have too few chairs, UsageError for an unknown one.
    """
    sources = [_Collection(name) for name in collections]
    others = [kind for kind in KINDS if kind != "broken"]
    for k in range(count):
        kind = "broken" if k % 2 == 0 else others[k // 2 % len(others)]
        yield sources[k % len(sources)].chair(kind, k, pictures)


class _Collection:
    """A collection's chairs, used up in plan order."""

    def __init__(self, name: str) -> None:
        recipe = recipe_of(None, [f"anomaly.views={{{VIEWS}: 1}}"])
        self.plan = plan_of(recipe, name)
        library = open_libraries(recipe.materials.libraries, recipe.seed)
        self.context = ChairContext(self.plan, library, "cycles")
        self._left = list(enumerate(self.plan.shapes))

    def chair(self, kind: str, number: int, pictures: int) -> MeasuredObject:
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

    def _dressed(self, shot: QueryShot, kind: str, number: int, shape_id: str, pictures: int) -> MeasuredObject:
        lights = self.context.lights
        first = int(stream(self.plan.recipe.seed, "bench-lights", number).integers(len(lights)))
        targets = []
        for k in range(pictures):
            view, turn = k % VIEWS, (k + k // VIEWS) % LIGHTS
            light = lights[(first + 3 * ((turn + view) % LIGHTS)) % len(lights)]
            targets.append(_target(shot.candidates[view], View(shot.candidates[view].camera, light)))
        job = scene_of(self.context, shot)
        faces = sum(len(part.mesh.faces) for thing in job.objects for part in thing.parts)
        name = f"{self.plan.source.name}/{shape_id}"
        return MeasuredObject(name, kind, faces, replace(job, views=()), tuple(targets))


def _target(candidate: Candidate, view: View) -> Target:
    note = candidate.annotation
    assert note is not None, "an anomalous view has an annotation"
    return Target(view, candidate.frame.silhouette, note.mask_old if note.mask_new is None else note.mask_new)
