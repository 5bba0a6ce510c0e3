"""The check that the forms in which a scene's record has the pose of an object say one pose."""

from collections.abc import Iterator

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.kinds.oddoneout.verify.checks import SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.facts import ObjectFacts, SceneFacts
from datagen.kinds.oddoneout.verify.rows import CHECKS
from datagen.verify.check import ERROR, Finding
from datagen.verify.damage import DAMAGE

MOVED = 1e-4
"""Metres and radians by which two forms of one pose may differ: the published ones are of single precision."""


@CHECKS.check(ERROR, "An object stands where each form of its pose says.", SCENES)
def scene_poses_agree(e: SceneEvidence) -> Iterator[Finding]:
    """location, rotation_euler and scale are those of rotation_matrix; T_world_shape is, for every object alike."""
    for scene in e.scenes:
        origins: dict[str, np.ndarray] = {}
        for thing in scene.objects:
            where = f"{scene.name} {thing.name}"
            try:
                for told in _pose_faults(scene, thing, origins):
                    yield Finding(where, told)
            except DAMAGE as error:
                yield Finding(where, f"its pose cannot be read ({type(error).__name__}: {error})")
        usual = np.median(list(origins.values()), axis=0) if origins else np.zeros(3)
        for name, origin in origins.items():
            off = float(np.abs(origin - usual).max()) * float(scene.extra.get("metres_per_unit", 1.0))
            if off > MOVED:
                yield Finding(f"{scene.name} {name}", f"T_world_shape is {1000 * off:.2f} mm off its rotation_matrix")


def _pose_faults(scene: SceneFacts, thing: ObjectFacts, origins: dict[str, np.ndarray]) -> Iterator[str]:
    """What is wrong with an object's forms of its pose; where its origin lies in its shape's frame."""
    record = thing.record
    T = np.array(record["rotation_matrix"], dtype=float)
    R = T[:3, :3]
    if np.abs(R @ R.T - np.eye(3)).max() > MOVED or np.linalg.det(R) < 0:
        yield "its rotation_matrix is no rotation"
        return
    if "location" in record and np.abs(T[:3, 3] - np.array(record["location"], dtype=float)).max() > MOVED:
        yield "location is not that of its rotation_matrix"
    if "bbox_published" in record and np.abs(T[:3, 3] - np.array(record["bbox_published"], float)[0]).max() > MOVED:
        yield "bbox_published is not about its location"
    if "rotation_euler" in record:
        turned = Rotation.from_euler("xyz", np.array(record["rotation_euler"], dtype=float)).as_matrix()
        if np.abs(R - turned).max() > MOVED:
            yield "rotation_euler is not that of its rotation_matrix"
    if "scale" in record and np.abs(np.array(record["scale"], dtype=float) - 1).max() > MOVED:
        yield "scale is not 1: meshes have theirs baked"
    if "metres_per_unit" not in scene.extra or "T_world_shape" not in record:
        return
    baked = np.linalg.inv(T) @ np.array(record["T_world_shape"], dtype=float).reshape(4, 4)
    A = baked[:3, :3] / float(scene.extra["metres_per_unit"])
    if np.abs(A @ A.T - np.eye(3)).max() > MOVED or np.linalg.det(A) < 0:
        yield "T_world_shape is no turn and scale by metres_per_unit"
        return
    origins[thing.name] = -np.linalg.inv(baked[:3, :3]) @ baked[:3, 3]
