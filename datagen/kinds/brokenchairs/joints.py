"""Joints of shapes: how far they are open in a picture, and anomalies that look like no more than that."""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from datagen.core.anomaly import AnomalousShape, Rejected
from datagen.core.ids import canonical_json
from datagen.core.joint import Joint
from datagen.core.shape import Shape
from datagen.recipe.models import JointRecipe

REACH = 1.06
"""An open part reaches no further than this from the centre: what stays in the picture of a query."""
SUNK = 0.01
"""Nor further than this below the ground, object units."""
SHRINK, TRIES = 0.75, 12
"""How a pose that reaches too far is closed, and how often before it is given up."""
STEPS, POINTS = 61, 300
BEYOND = {"hinge": float(np.radians(45.0)), "slider": 0.15}
"""How far beyond its limits a joint is still tried as the explanation of a moved part: radians, and share of D."""


def draw_pose(shape: Shape, recipe: JointRecipe, rng: np.random.Generator) -> dict[str, float]:
    """Joint -> value of those that are away from rest, within their limits and the picture; {} without joints."""
    values: dict[str, float] = {}
    for joint in shape.joints:
        is_open, side, share = rng.random(3)
        # The wider side of the rest is the likelier one.
        end = joint.high if side * (joint.high - joint.low) < joint.high else joint.low
        low, high = recipe.hinge if joint.kind == "hinge" else recipe.slider
        value = float(end * (low + (high - low) * share))
        if is_open < recipe.share and abs(value) > 1e-6:
            values[joint.name] = round(value, 6)
    for _ in range(TRIES):
        if not values or _fits(shape, shape.posed(values)):
            return values
        values = {name: round(value * SHRINK, 6) for name, value in values.items()}
    return {}


def _fits(rest: Shape, posed: Shape) -> bool:
    points = np.concatenate([part.mesh.vertices for part in posed.parts])
    reach = float(np.linalg.norm(points - rest.centre, axis=1).max())
    return reach <= REACH and float(points[:, 2].min()) >= rest.bounds[0, 2] - SUNK


def pose_text(values: Mapping[str, float]) -> str:
    """A pose as the manifest has it; '' for the rest."""
    return canonical_json(dict(values)) if values else ""


def pose_of(row: Mapping[str, object]) -> dict[str, float]:
    """The pose of a row; {} for the rest."""
    text = str(row.get("pose") or "")
    return {str(name): float(value) for name, value in json.loads(text).items()} if text else {}


def like_a_joint(made: AnomalousShape, unlike: float) -> Rejected | None:
    """Rejection of a rigidly moved part that a motion of its own joint explains: a drawer that is merely open.

    Compares where the part went with the nearest that its joints bring it, as a share of how far it went.
    """
    old, new = made.old_mesh, made.new_mesh
    if new is None or len(new.vertices) != len(old.vertices):
        return None
    step = max(1, len(old.vertices) // POINTS)
    before, after = old.vertices[::step], new.vertices[::step]
    went = float(np.linalg.norm(after - before, axis=1).mean())
    for joint in made.normal.joints:
        if made.spec.part_id in joint.part_ids:
            nearest = min(_distances(joint, before, after, made.normal.diagonal))
            if nearest < unlike * went:
                return Rejected("like_a_joint", f"{nearest:.4f} from a motion of {joint.name}, moved by {went:.4f}")
    return None


def _distances(joint: Joint, before: np.ndarray, after: np.ndarray, diagonal: float) -> Sequence[float]:
    beyond = BEYOND[joint.kind] * (diagonal if joint.kind == "slider" else 1.0)
    motions = (joint.motion(float(value)) for value in np.linspace(joint.low - beyond, joint.high + beyond, STEPS))
    return [float(np.linalg.norm(before @ T[:3, :3].T + T[:3, 3] - after, axis=1).mean()) for T in motions]
