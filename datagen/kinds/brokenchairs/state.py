"""How a shape stands in a picture though nothing is wrong with it: open joints, parts within tolerance, on the tray."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from datagen.core.errors import ShapeError
from datagen.core.ids import canonical_json
from datagen.core.rng import stream, unit_vector
from datagen.core.shape import REMAINDER_PATH, Part, Shape
from datagen.geometry.deviation import Motion, centre_of, moved_by
from datagen.kinds.brokenchairs.joints import draw_pose, pose_of, pose_text
from datagen.kinds.brokenchairs.measured import nearest_to_limit
from datagen.recipe.inspection import PartTolerance, ToleranceRecipe, TrayRecipe, matched
from datagen.recipe.models import Recipe

INSIDE = 0.999
"""Share of a tolerance that draws fill: rounding does not bring a good part outside."""
SHRINK, TRIES = 0.8, 40
"""How a sub-assembly's motion is made smaller until all of its parts are within their tolerance."""
TRAY = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class State:
    """Joints by name; part id -> shift (3) in mm and turn (3) as a rotation vector in degrees about the part's centre;
    turn of the whole about the vertical in degrees, and its shift (x, y) in mm."""

    pose: Mapping[str, float] = field(default_factory=dict)
    jitter: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    tray: tuple[float, float, float] = TRAY

    def nominal(self, shape: Shape) -> Shape:
        """The shape with its joints and on the tray, every part exactly in its place."""
        return _on_tray(shape.posed(self.pose), self.tray)

    def placed(self, shape: Shape) -> Shape:
        """The shape as it is seen: with its joints, its parts off their places, on the tray; centre and scale stay."""
        posed = shape.posed(self.pose)
        return _on_tray(_off_place(posed, self.jitter), self.tray)

    def columns(self) -> dict[str, str]:
        """As the manifest has it; '' for what is as drawn."""
        jitter = {str(part): list(motion) for part, motion in sorted(self.jitter.items())}
        return {
            "pose": pose_text(self.pose),
            "jitter": canonical_json(jitter) if jitter else "",
            "tray": canonical_json(list(self.tray)) if self.tray != TRAY else "",
        }


def state_of(row: Mapping[str, Any]) -> State:
    """The state of a row. Raises ValueError for columns that cannot be read."""
    jitter = json.loads(str(row.get("jitter") or "{}"))
    x, y, z = (float(value) for value in json.loads(str(row.get("tray") or "[0, 0, 0]")))
    read = {int(part): tuple(map(float, motion)) for part, motion in jitter.items()}
    if any(len(motion) != 6 for motion in read.values()):
        raise ValueError("jitter holds a motion that is no six numbers")
    return State(pose_of(row), read, (x, y, z))


def normal_columns(shape: Shape, state: State, recipe: Recipe) -> dict[str, object]:
    """Columns of a picture of a good shape: its state, and how far its parts lie off where anything is measured.

    Raises ShapeError for a state that is outside the tolerance: such a shape is not good.
    """
    if not recipe.units or not shape.mm:
        return dict(state.columns())
    found = nearest_to_limit(state.nominal(shape), state.placed(shape), recipe.tolerance)
    if found.is_outside:
        raise ShapeError(f"{shape.shape_id}: a good one measures {found.tolerance_ratio:.4f} of its tolerance")
    return {**state.columns(), **found.columns()}


def state_key(row: Mapping[str, Any]) -> str:
    """What tells one state of a shape from another."""
    return " ".join(str(row.get(name) or "") for name in ("pose", "jitter", "tray"))


def draw_state(shape: Shape, recipe: Recipe, label: str, *keys: str | int) -> State:
    """A state for pictures of a label (`normal` or `anomaly`), told from others by `keys`."""
    pose = draw_pose(shape, recipe.joints, stream(recipe.seed, "pose", label, *keys))
    if not recipe.units or not shape.mm:
        return State(pose)
    rng = stream(recipe.seed, "jitter", label, *keys)
    jitter = draw_jitter(shape.posed(pose), recipe.tolerance, rng) if recipe.variation.jitter else {}
    return State(pose, jitter, _draw_tray(recipe.variation.tray, stream(recipe.seed, "tray", label, *keys)))


def draw_jitter(shape: Shape, tolerance: ToleranceRecipe, rng: np.random.Generator) -> dict[int, tuple[float, ...]]:
    """Part id -> motion of every part that may lie off its place, uniform in a ball of its tolerance."""
    found: dict[int, tuple[float, ...]] = {}
    for parts in _bodies(shape, tolerance):
        bands = {part.part_id: tolerance.of((part.name, part.path)) for part in parts}
        motions = _drawn(shape, parts, bands, rng)
        found |= {part_id: motion for part_id, motion in motions.items() if any(motion)}
    return found


def _bodies(shape: Shape, tolerance: ToleranceRecipe) -> Iterator[list[Part]]:
    """Parts that move as one: the sub-assemblies, then every other part by itself; never what no label claims."""
    left = [part for part in shape.parts if part.path != REMAINDER_PATH]
    for patterns in tolerance.together.values():
        table = dict.fromkeys(patterns, True)
        body = [part for part in left if matched((part.name, part.path), table)]
        left = [part for part in left if part not in body]
        if body:
            yield body
    yield from ([part] for part in left)


def _drawn(
    shape: Shape, parts: Sequence[Part], bands: Mapping[int, PartTolerance], rng: np.random.Generator
) -> dict[int, tuple[float, ...]]:
    """Motions of the parts of one body about its centre, made smaller until every part is within its own band."""
    far = min(band.position_mm for band in bands.values())
    wide = min(band.rotation_deg for band in bands.values())
    shift = INSIDE * far * float(np.cbrt(rng.random())) * unit_vector(rng)
    turn = INSIDE * wide * float(np.cbrt(rng.random())) * unit_vector(rng)
    centres = np.array([centre_of(part.mesh) for part in parts])
    middle = centres.mean(axis=0)
    for _ in range(TRIES):
        R = Rotation.from_rotvec(np.radians(turn)).as_matrix()
        offsets = ((centres - middle) @ R.T - (centres - middle)) / shape.mm + shift
        if len(parts) == 1 or np.linalg.norm(offsets, axis=1).max() <= INSIDE * far:
            return {
                part.part_id: tuple(np.round([*offset, *turn], 6).tolist())
                for part, offset in zip(parts, offsets, strict=True)
            }
        shift, turn = SHRINK * shift, SHRINK * turn
    return {}


def _draw_tray(recipe: TrayRecipe, rng: np.random.Generator) -> tuple[float, float, float]:
    turn = float(rng.uniform(-1, 1)) * recipe.turn_deg
    angle, far = float(rng.uniform(0, 2 * np.pi)), float(np.sqrt(rng.random())) * recipe.shift_mm
    x, y = far * np.cos(angle), far * np.sin(angle)
    return round(turn, 4), round(float(x), 4), round(float(y), 4)


def _off_place(shape: Shape, jitter: Mapping[int, tuple[float, ...]]) -> Shape:
    """The shape with its parts moved; its centre and scale stay those at rest."""
    if not jitter:
        return shape
    bounds = tuple(map(tuple, shape.bounds.tolist()))
    moved = (
        replace(part, mesh=moved_by(part.mesh, _motion(jitter[part.part_id], shape.mm)))
        if part.part_id in jitter
        else part
        for part in shape.parts
    )
    return replace(shape, parts=tuple(moved), rest_bounds=bounds)


def _motion(values: Sequence[float], mm: float) -> Motion:
    return Motion(np.array(values[:3]) * mm, np.radians(values[3:]))


def _on_tray(shape: Shape, tray: Sequence[float]) -> Shape:
    """The shape turned about the vertical through its centre and shifted; its centre and scale stay those at rest."""
    if tuple(tray) == TRAY:
        return shape
    T = np.eye(4)
    T[:3, :3] = Rotation.from_euler("z", tray[0], degrees=True).as_matrix()
    T[:3, 3] = shape.centre - T[:3, :3] @ shape.centre + np.array([tray[1], tray[2], 0.0]) * shape.mm
    bounds = tuple(map(tuple, shape.bounds.tolist()))
    parts = tuple(replace(part, mesh=part.mesh.transformed(T)) for part in shape.parts)
    joints = tuple(joint.transformed(T) for joint in shape.joints)
    T_shape_source = tuple(map(tuple, (T @ np.array(shape.T_shape_source)).tolist()))
    return replace(shape, parts=parts, joints=joints, rest_bounds=bounds, T_shape_source=T_shape_source)
