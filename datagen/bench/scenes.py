"""What rendering is measured on: anomalous chairs as the pipeline makes them, each in several views and lights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from datagen.core.anomaly import KINDS
from datagen.core.errors import ShapeError
from datagen.core.rng import stream
from datagen.core.scene import Light, RenderJob, View
from datagen.materials.library import open_libraries
from datagen.pipeline import queries, stages
from datagen.pipeline.context import Context
from datagen.pipeline.plan import Plan
from datagen.pipeline.queries import Shot
from datagen.recipe import Recipe, load_recipe
from datagen.shapes.source import open_collection


@dataclass(frozen=True)
class Protocol:
    """How much is rendered: `chairs` shapes, dealt over the collections, `views` cameras times `lights` set-ups."""

    chairs: int = 12
    views: int = 4
    lights: int = 3
    collections: tuple[str, ...] = ("partnet/chair",)

    @property
    def images(self) -> int:
        """Pictures a preset makes."""
        return self.chairs * self.views * self.lights


@dataclass(frozen=True, eq=False)
class Scene:
    """One dressed anomalous chair; `shots` are render jobs of `views` pictures each, each in another light."""

    name: str
    kind: str
    faces: int
    shot: Shot
    shots: tuple[RenderJob, ...]

    @cached_property
    def objects(self) -> tuple[np.ndarray, ...]:
        """Silhouette (H, W) bool of each view."""
        return tuple(candidate.frame.silhouette for candidate in self.shot.candidates)

    @cached_property
    def defects(self) -> tuple[np.ndarray, ...]:
        """Mask (H, W) bool of the anomaly in each view: the new mask, or the old one of a missing part."""
        notes = [candidate.annotation for candidate in self.shot.candidates]
        return tuple(note.mask_old if note.mask_new is None else note.mask_new for note in notes if note is not None)


def make_scenes(protocol: Protocol, recipe: Recipe | None = None) -> Iterator[Scene]:
    """Scenes one by one; every second one is `broken`, the others take the other kinds in turn.

    A chair that the anomaly cannot be made on or seen in enough views gives way to the next one of its
    collection. Raises ShapeError when the collections have too few chairs, UsageError for an unknown one.
    """
    chosen = recipe or load_recipe(None, [f"anomaly.views={{{protocol.views}: 1}}"])
    assert isinstance(chosen, Recipe), "the protocol renders chairs"
    sources = [_Collection(name, chosen) for name in protocol.collections]
    others = [kind for kind in KINDS if kind != "broken"]
    for k in range(protocol.chairs):
        kind = "broken" if k % 2 == 0 else others[k // 2 % len(others)]
        yield sources[k % len(sources)].scene(kind, k, protocol)


class _Collection:
    """A collection's chairs, used up in plan order."""

    def __init__(self, name: str, recipe: Recipe) -> None:
        self.plan = Plan(recipe, open_collection(name))
        library = open_libraries(recipe.materials.libraries, recipe.seed)
        self.context = Context(self.plan, library, "cycles")
        self._left = list(enumerate(self.plan.shapes))

    def scene(self, kind: str, number: int, protocol: Protocol) -> Scene:
        """The next chair on which this kind shows. Raises ShapeError when none is left."""
        for place in list(self._left):
            job = next((job for job in self.plan.jobs_of(*place) if job.kind == kind), None)
            if job is None:
                continue
            prepared = stages.prepare(replace(job, views=protocol.views), self.context)
            shot = prepared.shots[0] if prepared.shots else None
            if isinstance(shot, queries.Shot) and len(shot.candidates) == protocol.views:
                self._left.remove(place)
                return self._dressed(shot, kind, number, place[1].shape_id, protocol)
        raise ShapeError(f"{self.plan.source.name} has no chair left for a {kind} anomaly; name a larger collection")

    def _dressed(self, shot: Shot, kind: str, number: int, shape_id: str, protocol: Protocol) -> Scene:
        lights = self.context.lights
        start = int(stream(self.plan.recipe.seed, "bench-lights", number).integers(len(lights)))
        chosen = [lights[(start + 3 * j) % len(lights)] for j in range(protocol.lights)]
        job = queries.render_job(self.context, shot)
        jobs = tuple(replace(job, views=_lit(job.views, chosen[s:] + chosen[:s])) for s in range(protocol.lights))
        faces = sum(len(part.mesh.faces) for part in job.parts)
        return Scene(f"{self.plan.source.name}/{shape_id}", kind, faces, shot, jobs)


def _lit(views: Sequence[View], lights: Sequence[Light]) -> tuple[View, ...]:
    """The views, each in the next of the lights: a build changes the light from view to view too."""
    return tuple(replace(view, light=lights[k % len(lights)]) for k, view in enumerate(views))
