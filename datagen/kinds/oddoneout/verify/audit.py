"""The shortcut audit of scenes: can an object's label be told without looking at it?

Probes see the place in the list, the place on the floor, size and height, how far an object lies from the others of
its scene, and the files' order and size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.core.statistics import auc
from datagen.kinds.brokenchairs.verify.audit import CLOSE, Probe
from datagen.kinds.oddoneout.verify.facts import ObjectFacts, SceneFacts
from datagen.kinds.oddoneout.verify.poses import APART_DEG, FALLEN_DEG, PoseFigures, angles, downs, pose_figures
from datagen.verify.logistic import auc_interval, held_out_scores
from datagen.verify.tree import Tree

MIN_SCENES, MIN_ODD = 20, 20
HONEST = ("size",)
"""Groups that a broken or bent object changes by what it is: told, never called a leak."""


@dataclass(frozen=True)
class SceneAudit:
    """Every probe, or a note why nothing was probed; poses and numbers of odd objects in any case."""

    probes: tuple[Probe, ...]
    poses: PoseFigures
    note: str = ""

    @property
    def leaks(self) -> tuple[Probe, ...]:
        """Probes whose interval lies above chance."""
        return tuple(probe for probe in self.probes if probe.verdict == "leak")

    def to_json(self) -> dict[str, Any]:
        """Plain figures."""
        probes = [probe.to_json() for probe in self.probes]
        return {"probes": probes, "poses": self.poses.to_json(), "note": self.note}


def audit_scenes(tree: Tree, scenes: Sequence[SceneFacts]) -> SceneAudit:
    """Probe the label of every object of every scene that has both labels."""
    poses = pose_figures(scenes)
    scenes = [s for s in scenes if 0 < s.anomalous < len(s.objects) and not s.problems]
    pairs = [(scene, k) for scene in scenes for k in range(len(scene.objects))]
    labels = np.array([int(scene.objects[k].anomalous) for scene, k in pairs])
    if len(scenes) < MIN_SCENES or labels.sum() < MIN_ODD:
        return SceneAudit(
            (), poses, f"{len(scenes)} scenes with {int(labels.sum())} anomalies are too few (20 of each)"
        )
    groups = [scene.name for scene, _ in pairs]
    blocks = [f"{scene.name} {k}" for scene, k in pairs]
    probes = []
    for name, X in _columns(tree, scenes).items():
        scores = held_out_scores(X, labels, groups)
        value = auc(labels, scores)
        low, high = auc_interval(X, labels[:, None], scores[:, None], groups, blocks, 0.99)
        verdict = "leak" if low > 0.5 else "clean" if high < CLOSE else "undecided: the interval is wide"
        if name in HONEST and verdict == "leak":
            verdict = "what the object shows"
        probes.append(Probe(name, "label", len(labels), len(scenes), value, low, high, verdict))
    return SceneAudit(tuple(probes), poses)


def _columns(tree: Tree, scenes: Sequence[SceneFacts]) -> dict[str, np.ndarray]:
    """Columns (N, D) by group; places and sizes relative to the scene's other objects."""
    rows: dict[str, list[list[float]]] = {"place in list": [], "place on floor": [], "size": [], "file size": []}
    lying = [downs(scene) for scene in scenes]
    if all(directions is not None for directions in lying):
        # Capped: an object that has fallen over is told by that, however far.
        rows["pose"] = [
            [float(min(tilt, FALLEN_DEG)), float(tilt > APART_DEG)]
            for directions in lying
            if directions is not None
            for tilt in np.median(angles(directions), axis=1)
        ]
    for scene in scenes:
        centres = np.array([_centre(thing) for thing in scene.objects])
        sizes = np.array([_size(thing) for thing in scene.objects])
        middle = centres.mean(axis=0)
        for k, thing in enumerate(scene.objects):
            count = len(scene.objects)
            rows["place in list"].append([k / (count - 1), float(k == 0), float(k == count - 1)])
            offset = centres[k] - middle
            rows["place on floor"].append(
                [*centres[k], float(np.linalg.norm(offset)), float(np.linalg.norm(centres[k]))]
            )
            rows["size"].append((sizes[k] / np.maximum(np.median(sizes, axis=0), 1e-6)).tolist())
            stem = f"scenes/{scene.name}/segmentations/{thing.name}/{thing.name}_0000.png"
            rows["file size"].append([float(np.log(max(tree.files.sizes.get(stem, 1), 1)))])
    return {name: np.array(values, dtype=float) for name, values in rows.items()}


def _centre(thing: ObjectFacts) -> np.ndarray:
    return np.array(thing.record["bbox"], dtype=float)[0, :2]


def _size(thing: ObjectFacts) -> np.ndarray:
    """Extents that do not depend on yaw: the published local ones where they stand."""
    box = thing.record.get("bbox_published", thing.record["bbox"])
    return np.sort(np.array(box, dtype=float)[1])
