"""Groups of pairs made in memory: an accepted anomaly, its normal twin, and both as references; the fake renderer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from datagen.annotate.masks import BOX_GRID, tight_box
from datagen.annotate.quality import check_contrast, check_picture
from datagen.core.anomaly import AnomalousShape
from datagen.core.errors import ShapeError, UsageError
from datagen.core.rng import stream
from datagen.core.row import Job
from datagen.core.scene import GeometryFrame
from datagen.core.shape import Shape
from datagen.datasets.online import Camera, Group, of_all
from datagen.datasets.views import resized
from datagen.geometry.rays import RayScene
from datagen.kinds.brokenchairs.at_query import QueryViews
from datagen.kinds.brokenchairs.behind import expected_behind
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.counterfactual import reference_parts, twin_of
from datagen.kinds.brokenchairs.jobs import anomaly_shot, attempted
from datagen.kinds.brokenchairs.joints import draw_pose
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.kinds.brokenchairs.queries import Candidate, QueryShot, render_shot
from datagen.kinds.brokenchairs.references import PartMeshes
from datagen.kinds.brokenchairs.state import State, draw_state
from datagen.pipeline.assets import open_library
from datagen.render.fake import FakeRenderer
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import query_transform, reference_cameras
from datagen.shapes.source import ShapeEntry

TRIES = 200
"""Proposals, of any kind and shape, before a group is given up: the collection then has nothing to break."""
KEPT = 512
"""Normal bundles that a process keeps: 80 KB each at 64 px and 20 views."""


@dataclass
class ChairGroups:
    """Groups of the training shapes of a plan, pictures `size` px a side. Group n is a function of the seed and n.

    `seed` is the training's; the plan's own seed decides splits and lights.
    """

    plan: ChairPlan
    seed: int
    size: int
    cameras: int = 2
    _context: ChairContext | None = field(default=None, repr=False)
    _normal: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    """Bundles of normal shapes that this process made last."""

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_context": None, "_normal": {}}

    @property
    def context(self) -> ChairContext:
        """This process's caches and renderer."""
        if self._context is None:
            self._context = ChairContext(self.plan, open_library(self.plan), "fake", FakeRenderer())
        return self._context

    @property
    def entries(self) -> list[ShapeEntry]:
        """Shapes of the training split, in plan order."""
        return [entry for entry in self.plan.shapes if self.plan.splits[entry.shape_id] == "train"]

    @property
    def kinds(self) -> list[str]:
        """Kinds of anomaly that the recipe asks for."""
        return [kind for kind, count in sorted(self.plan.recipe.anomaly.slots.items()) if count > 0]

    def require_possible(self) -> None:
        """Raises UsageError where nothing can be made, or the recipe is not checked for pairs."""
        if not self.plan.recipe.reference.counterfactual:
            raise UsageError(
                f"recipe {self.plan.recipe.name} makes no pairs; set reference.counterfactual: true in it, or give "
                "another as brokenchairs_paired"
            )
        if not self.entries or not self.kinds:
            raise UsageError("no shape of the collection is in split train, or the recipe asks for no anomaly")

    def __call__(self, number: int) -> Group:
        """Group `number`. Raises ShapeError where no proposal is accepted."""
        entries, kinds, recipe = self.entries, self.kinds, self.plan.recipe
        rng = stream(self.seed, "online", number)
        for _ in range(TRIES):
            entry, kind = entries[int(rng.integers(len(entries)))], kinds[int(rng.integers(len(kinds)))]
            slot = int(rng.integers(2**31))
            job = Job(
                "", "anomaly", entry.shape_id, slot, kind, 2 * self.cameras, "train", self.plan.ids[entry.shape_id]
            )
            shape = self.context.shapes.load(entry.shape_id)
            stands = (
                shape,
                replace(draw_state(shape, recipe, "online", slot), pose=draw_pose(shape, recipe.joints, rng)),
            )
            found = attempted(job, self.context, stands, 0, [])
            group = None if found is None else self._made(job, *found, stands)
            if group is not None:
                return group
        raise ShapeError(f"group {number}: none of {TRIES} proposals was accepted; widen the recipe's anomalies")

    def _made(
        self,
        job: Job,
        made: AnomalousShape,
        seen: Sequence[tuple[Candidate, GeometryFrame]],
        stands: tuple[Shape, State],
    ) -> Group | None:
        shot = anomaly_shot(job, self.context, made, [candidate for candidate, _ in seen], stands)
        twin = twin_of(job, self.context, made, shot, [before for _, before in seen])
        pictures = [render_shot(self.context, one) for one in (twin, shot)]
        good = [k for k in range(len(shot.candidates)) if self._passes(shot, twin, k, [p[k] for p in pictures])]
        if not good:
            return None
        T = query_transform(made.normal, self.plan.recipe.query)
        normal = QueryViews([(part.part_id, part.mesh.transformed(T)) for part in made.normal.parts])
        changed = QueryViews([(part_id, mesh.transformed(T)) for part_id, mesh in made.meshes()])
        cameras = [
            self._camera(shot.candidates[k], [p[k] for p in pictures], (normal, changed))
            for k in (good[place] for place in of_all(len(good), self.cameras))
        ]
        bundles, eyes = self._bundles(made)
        return Group(job.shape_id, cameras, bundles, eyes)

    def _passes(self, shot: QueryShot, twin: QueryShot, k: int, pictures: Sequence[np.ndarray]) -> bool:
        quality, note = self.plan.recipe.quality, shot.candidates[k].annotation
        assert note is not None
        if check_contrast(pictures[1], note.changed, quality) is not None:
            return False
        both = zip((twin, shot), pictures, strict=True)
        behind = expected_behind(shot.candidates[k].backdrop, self.plan.recipe.query)
        return all(check_picture(picture, one.candidates[k].frame, quality, behind) is None for one, picture in both)

    def _camera(
        self, candidate: Candidate, pictures: Sequence[np.ndarray], views: tuple[QueryViews, QueryViews]
    ) -> Camera:
        note = candidate.annotation
        assert note is not None
        masks = [note.mask_old, np.zeros_like(note.mask_old) if note.mask_new is None else note.mask_new]
        boxes = np.array([_centre_form(mask) for mask in masks])
        own = [view.shader.shaded(candidate.camera)[0][..., 0] for view in views]
        return Camera(
            queries=np.stack([resized(picture, self.size) for picture in pictures]),
            own=np.stack([resized(picture, self.size) for picture in own]),
            masks=np.stack([resized(np.where(mask, 255, 0).astype(np.uint8), self.size) >= 128 for mask in masks]),
            boxes=boxes,
            eye=candidate.camera.position,
        )

    def _bundles(self, made: AnomalousShape) -> tuple[np.ndarray, np.ndarray]:
        recipe = self.plan.recipe.reference
        # As large as stored ones are, then read like these: a network compares what is alike.
        cameras = [camera for _, camera in reference_cameras(recipe)[: recipe.views]]

        def seen(parts: PartMeshes) -> np.ndarray:
            shader = ReferenceShader(RayScene(parts), [mesh for _, mesh in parts])
            return np.stack([resized(shader.shaded(c)[0][..., 0], self.size) for c in cameras])

        normal, anomalous = reference_parts(made)
        name = made.normal.shape_id
        if name not in self._normal:
            while len(self._normal) >= KEPT:
                self._normal.pop(next(iter(self._normal)))
            self._normal[name] = seen(normal)
        return np.stack([self._normal[name], seen(anomalous)]), np.stack([camera.position for camera in cameras])


def _centre_form(mask: np.ndarray) -> tuple[float, float, float, float]:
    """The box of a mask as cx, cy, w, h in 0..1; zeros for an empty one."""
    if not mask.any():
        return 0.0, 0.0, 0.0, 0.0
    x, y, w, h = tight_box(mask)
    return (x + w / 2) / BOX_GRID, (y + h / 2) / BOX_GRID, w / BOX_GRID, h / BOX_GRID


def online_groups(plan: ChairPlan, seed: int, size: int, cameras: int) -> ChairGroups:
    """What `Kind.groups` is of chairs. Raises UsageError for a plan that leaves no shape to train on."""
    made = ChairGroups(plan, seed, size, cameras)
    made.require_possible()
    return made
