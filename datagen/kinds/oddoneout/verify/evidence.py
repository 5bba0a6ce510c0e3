"""Everything the checks of scenes look at, gathered on first use."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from datagen.core.anomaly import AnomalousShape
from datagen.core.errors import DatagenError
from datagen.core.ids import fraction_of_hash
from datagen.core.material import Material
from datagen.core.row import Job
from datagen.core.shape import Mesh, Shape, concatenate
from datagen.formats.published import SOURCE
from datagen.geometry.pieces import separation
from datagen.kinds.oddoneout.descriptors import open_descriptor
from datagen.kinds.oddoneout.kind import plan_scenes
from datagen.kinds.oddoneout.plan import PlannedScene, ScenePlan
from datagen.kinds.oddoneout.shapes import Oddity, SceneShapes
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.kinds.oddoneout.verify.audit import SceneAudit, audit_scenes
from datagen.kinds.oddoneout.verify.facts import SceneFacts, read_scene
from datagen.kinds.oddoneout.verify.scene_files import scene_folders
from datagen.pipeline.assets import open_library
from datagen.recipe import SceneRecipe
from datagen.shapes.source import Source
from datagen.verify.damage import DAMAGE
from datagen.verify.evidence import NO_RECIPE, BaseEvidence, hash_the_rest

REPLAYED = 24
"""Scenes whose meshes are put in their places again, unless everything is asked for."""
UNUSABLE: tuple[type[Exception], ...] = (*DAMAGE, AssertionError)
"""What a record that was edited makes of its shapes."""
SAMPLE_M = 0.002
"""Spacing of surface samples for distances between objects."""


@dataclass(frozen=True, eq=False)
class Replayed:
    """A scene's meshes in the world: lowest point of each object, and the least gap between any two (metres).

    `shapes` are the objects in the shapes' own frame, with what was done to the anomalous ones; `bounds` (2, 3) those
    of each in the world, `local_bounds` in the frame of its rotation_matrix. `normal` is the shape that nothing was
    done to. `job` is the scene's by the plan, None where it plans no such scene; `offered` are the
    anomalous shapes that the job asks for, with the proposals that were refused before each.
    """

    scene: str
    low_m: tuple[float, ...]
    gap_m: float
    problem: str = ""
    shapes: tuple[tuple[Shape, AnomalousShape | None], ...] = ()
    offered: tuple[Oddity, ...] = ()
    job: Job | None = None
    bounds: tuple[np.ndarray, ...] = ()
    local_bounds: tuple[np.ndarray, ...] = ()
    normal: Shape | None = None


@dataclass(eq=False)
class SceneEvidence(BaseEvidence):
    """Facts of a dataset of scenes."""

    @cached_property
    def scenes(self) -> tuple[SceneFacts, ...]:
        """Every scene, sorted by folder."""
        folders = scene_folders(self.tree.files)
        self.note(f"reading {len(folders)} scenes")
        names = self._chosen([folder.rsplit("/", 1)[-1] for folder in folders])
        return tuple(read_scene(self.tree.files, folder, folder.rsplit("/", 1)[-1] in names) for folder in folders)

    @cached_property
    def made_here(self) -> bool:
        """Whether datagen built the scenes: they name jobs, and were not imported from published ones."""
        return any("job_id" in scene.extra and scene.extra.get("source") != SOURCE for scene in self.scenes)

    def _chosen(self, names: Sequence[str]) -> frozenset[str]:
        """The scenes of those named that are replayed."""
        ranked = sorted(names, key=lambda name: fraction_of_hash([self.seed, "verify", name]))
        return frozenset(ranked if self.full else ranked[:REPLAYED])

    @cached_property
    def split(self) -> Mapping[str, Sequence[str]]:
        """split.json, or {} where it cannot be read."""
        split = self.tree.split
        return {str(k): [str(n) for n in v] for k, v in split.items()} if _is_split(split) else {}

    @cached_property
    def split_of(self) -> Mapping[str, str]:
        """Scene folder -> split."""
        return {name: key for key, names in self.split.items() for name in names}

    @cached_property
    def protocol(self) -> Any:
        """protocol.json as it is; {} where it cannot be read."""
        return self._json("protocol.json")

    @cached_property
    def split_count(self) -> Any:
        """split-count.json as it is; {} where it cannot be read."""
        return self._json("split-count.json")

    def _json(self, path: str) -> Any:
        try:
            return json.loads(self.tree.files.read(path))
        except DAMAGE:
            return {}

    def shape_of(self, scene: SceneFacts) -> str:
        """The shape that a scene shows: by its record, else by its folder's name."""
        told = next((str(o.record["shape_id"]) for o in scene.objects if "shape_id" in o.record), "")
        return told or scene.name.split("-")[0]

    @cached_property
    def recipe(self) -> SceneRecipe | None:
        """The recipe of scenes in run.json, or None."""
        return self._stated(SceneRecipe)

    @cached_property
    def _opened(self) -> tuple[ScenePlan | None, str]:
        if (recipe := self.recipe) is None:
            return None, NO_RECIPE

        def over(source: Source) -> ScenePlan:
            open_descriptor(recipe.anomaly.similar, Path())  # raises where similar shapes cannot be found again
            return plan_scenes(recipe, source)

        return self._open(over, True, ("toys", "abc"))

    @property
    def plan(self) -> ScenePlan | None:
        """The plan of the build, where its shapes are here."""
        return self._opened[0]

    @property
    def source_note(self) -> str:
        """Why there is no plan, or ''."""
        return self._opened[1]

    def planned(self) -> Iterator[Job]:
        """Every job of the plan."""
        return self.plan.jobs() if self.plan else iter(())

    @cached_property
    def tools(self) -> SceneTools | None:
        """What jobs of the plan may use, without a renderer; None without the source."""
        return SceneTools(self.plan, open_library(self.plan), "fake") if self.plan else None

    @cached_property
    def floors(self) -> Mapping[str, Material]:
        """The floors that scenes may lie on, by id, as they are listed; {} where they are not here."""
        try:
            return {floor.material_id: floor for floor in self.tools.floors.materials} if self.tools else {}
        except DatagenError:
            return {}

    @cached_property
    def replays(self) -> tuple[Replayed, ...]:
        """A sample of scenes with their meshes in place; () without the source."""
        plan = self.plan
        if plan is None:
            return ()
        names = self._chosen([scene.name for scene in self.scenes])
        chosen = [scene for scene in self.scenes if scene.name in names]
        self.note(f"putting the meshes of {len(chosen)} scenes in place")
        assert self.tools is not None
        shapes = SceneShapes(self.tools)
        planned = {own.name: own for own in plan.scenes}
        return tuple(_replayed(scene, shapes, self.shape_of(scene), planned.get(scene.name)) for scene in chosen)

    @cached_property
    def audit(self) -> SceneAudit:
        """The shortcut audit of objects."""
        self.note("probing for shortcuts")
        return audit_scenes(self.tree, self.scenes)

    @cached_property
    def file_hashes(self) -> Mapping[str, str]:
        """Path -> SHA-256 of every file of every scene."""
        found: dict[str, str] = {}
        for scene in self.scenes:
            found |= scene.hashes
        return hash_the_rest(self.tree, found)


def _is_split(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(names, list) for names in value.values())


def _offered(shapes: SceneShapes, own: PlannedScene) -> tuple[Oddity, ...]:
    """The anomalous shapes that a scene's job asks for; with swapped majorities one."""
    plan = shapes.context.plan
    slots = plan.draw(own).slots
    return tuple(shapes.odd(own.entry.shape_id, slot) for slot in (slots[:1] if plan.swaps else slots))


def _replayed(scene: SceneFacts, shapes: SceneShapes, shape_id: str, planned: PlannedScene | None) -> Replayed:
    """Meshes by the scene's own record: source shape, or the anomalous shape of its slot, under T_world_shape."""
    meshes: list[Mesh] = []
    local: list[np.ndarray] = []
    found: list[tuple[Shape, AnomalousShape | None]] = []
    try:
        for thing in scene.objects:
            made = shapes.shown_and_made(shape_id, thing.record)
            if made is None:
                return Replayed(scene.name, (), 0.0, f"{thing.name}: its anomaly is not made again")
            shape = made[0]
            found.append(made)
            T = np.array(thing.record["T_world_shape"], dtype=float).reshape(4, 4)
            mesh = concatenate([part.mesh for part in shape.parts])
            meshes.append(mesh.transformed(T))
            own = np.linalg.inv(np.array(thing.record["rotation_matrix"], dtype=float)) @ T
            local.append(mesh.transformed(own).bounds)
        normal = shapes.normal(shape_id)
        plan = shapes.context.plan
        offered = _offered(shapes, planned) if planned else ()
        job = plan.job_of(planned, plan.source.digest(planned.entry.shape_id)) if planned else None
    except UNUSABLE as error:
        return Replayed(scene.name, (), 0.0, f"cannot be replayed ({type(error).__name__}: {error})")
    gaps = [separation(a, b, SAMPLE_M) for k, a in enumerate(meshes) for b in meshes[k + 1 :]]
    low = tuple(float(m.bounds[0, 2]) for m in meshes)
    bounds = tuple(m.bounds for m in meshes)
    return Replayed(
        scene.name,
        low,
        min(gaps, default=1.0),
        shapes=tuple(found),
        bounds=bounds,
        local_bounds=tuple(local),
        normal=normal,
        offered=offered,
        job=job,
    )
