"""What families share: labels, proportions, and the pieces most chairs have. Metres; y up, front +z."""

from dataclasses import dataclass

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.curves import circle, spline
from datagen.shapes.procedural.primitives import Vec, rounded_box, sweep, tube, warp
from datagen.shapes.procedural.shaping import bar, puffed, straight, upright

LEG = "chair_base/regular_leg_base/leg"
STRETCHER = "chair_base/regular_leg_base/bar_stretcher"
RUNNER = "chair_base/regular_leg_base/runner"
ROCKER = "chair_base/regular_leg_base/rocker"
FOOT = "chair_base/foot_base/foot"
STAR_LEG = "chair_base/star_leg_base/star_leg_set/leg"
CASTER = "chair_base/star_leg_base/star_leg_set/caster"
COLUMN = "chair_base/star_leg_base/central_support"
CONTROL = "chair_base/star_leg_base/mechanical_control"
PEDESTAL = "chair_base/pedestal_base/pedestal"
PEDESTAL_COLUMN = "chair_base/pedestal_base/central_support"
SEAT = "chair_seat/seat_surface/seat_single_surface"
SEAT_BAR = "chair_seat/seat_surface/seat_surface_bar"
SEAT_FRAME_BAR = "chair_seat/seat_frame/seat_frame_bar"
SEAT_FRAME = "chair_seat/seat_frame/seat_holistic_frame"
SEAT_SUPPORT = "chair_seat/seat_support"
BACK = "chair_back/back_surface/back_single_surface"
BACK_VBAR = "chair_back/back_surface/back_surface_vertical_bar"
BACK_HBAR = "chair_back/back_surface/back_surface_horizontal_bar"
POST = "chair_back/back_frame/back_frame_vertical_bar"
RAIL = "chair_back/back_frame/back_frame_horizontal_bar"
BACK_FRAME = "chair_back/back_frame/back_holistic_frame"
BACK_SUPPORT = "chair_back/back_support"
HEADREST = "chair_head/headrest"
HEAD_CONNECTOR = "chair_head/head_connector"
ARM_BAR = "chair_arm/arm_horizontal_bar"
ARM_POST = "chair_arm/arm_near_vertical_bar"
ARM_SOFA = "chair_arm/arm_sofa_style"
FOOTREST = "footrest/chair_base"


@dataclass(frozen=True)
class Piece:
    """One leaf to be: its label path below `chair` and its solid; `caster#2` tells equal nodes apart."""

    path: str
    mesh: Mesh


@dataclass(frozen=True)
class Body:
    """Proportions of a chair with a raked back. Lengths in metres.

    `rake`: how far the top of the back lies behind its foot; `splay`: how far the rear feet stand back.
    """

    seat_y: float
    width: float
    depth: float
    top_y: float
    rake: float
    splay: float = 0.04
    bow: float = 0.03

    def rear_path(self, x: float, steps: int = 4, spread: float = 0.0) -> np.ndarray:
        """Centre line (N, 3) of a rear leg and back post at `x`, from the ground to the top."""
        back, height = -self.depth / 2, self.top_y - self.seat_y
        side = np.sign(x) * spread
        return spline(
            [
                [x + side, 0.0, back - self.splay],
                [x + side / 2, self.seat_y * 0.5, back - self.splay * 0.25],
                [x, self.seat_y, back],
                [x, self.seat_y + height * 0.5, back - self.rake * 0.32],
                [x, self.top_y, back - self.rake],
            ],
            steps,
        )

    def back_z(self, y: np.ndarray | float) -> np.ndarray:
        """Depth of the back's middle surface at height y."""
        path = self.rear_path(0.0, 24)
        return np.interp(y, path[:, 1], path[:, 2])

    def split_rear(self, x: float, y: float, steps: int = 4, spread: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """The rear path cut at height y, the two halves overlapping by 4 mm."""
        path = self.rear_path(x, steps, spread)
        return clipped(path, -1.0, y + 0.002), clipped(path, y - 0.002, 9.0)

    def on_back(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        thickness: float,
        radius: float = 0.006,
        puff: float = 0.0,
        arch: float = 0.0,
        offset: float = 0.0,
        hang: bool = False,
    ) -> Mesh:
        """A board over x and y ranges, bent to the back's rake and bow.

        `arch` lifts its middle; with `hang` only its top follows the arch and its foot stays level.
        """
        size = (x[1] - x[0], y[1] - y[0], thickness)
        cuts = tuple(int(np.clip(np.ceil(length / 0.05), 1, 12)) for length in size[:2])
        centre = (sum(x) / 2, sum(y) / 2, 0.0)
        board = rounded_box(size, centre, radius, 1 if thickness < 0.03 else 3, (*cuts, 1))
        if puff:
            board = puffed(board, 2, puff, both=True)
        low = y[0] if hang else None
        return warp(board, lambda v: self._bend(v, arch, offset, low, y[1]))

    def _bend(self, v: np.ndarray, arch: float, offset: float, low: float | None, high: float) -> np.ndarray:
        t = np.clip(1 - (2 * v[:, 0] / self.width) ** 2, 0, 1)
        height = v[:, 1].copy()
        v[:, 1] += arch * t * (1.0 if low is None else (height - low) / (high - low))
        v[:, 2] += self.back_z(height) + offset - self.bow * t
        return v


def clipped(path: np.ndarray, low: float, high: float) -> np.ndarray:
    """The stretch of a rising path (N, 3) between two heights, with stations exactly at both."""
    y = path[:, 1]
    low, high = max(low, float(y[0])), min(high, float(y[-1]))
    inner = y[(y > low + 0.004) & (y < high - 0.004)]
    stations = np.concatenate([[low], inner, [high]])
    return np.stack([np.interp(stations, y, path[:, k]) for k in range(3)], axis=1)


def side_body(rng: np.random.Generator, **given: float) -> Body:
    """Proportions of a side chair: seat about 45 cm high, 85 to 95 cm overall."""
    values = {
        "seat_y": rng.uniform(0.44, 0.47),
        "width": rng.uniform(0.43, 0.49),
        "depth": rng.uniform(0.41, 0.46),
        "top_y": rng.uniform(0.85, 0.95),
        "rake": rng.uniform(0.06, 0.11),
        "splay": rng.uniform(0.02, 0.06),
        "bow": rng.uniform(0.02, 0.045),
    }
    return Body(**{**values, **given})


def both_sides(path: str, mesh: Mesh) -> list[Piece]:
    """A piece and its mirror image."""
    return [Piece(path, mesh), Piece(path, warp(mesh, lambda v: v * np.array([-1.0, 1.0, 1.0])))]


def square_posts(body: Body, x: float, cut_y: float, size: float, spread: float = 0.0) -> list[Piece]:
    """Both rear legs and the back posts above them, square, tapered to the foot and to the top."""
    low, high = body.split_rear(x, cut_y, spread=spread)
    leg_scale = np.interp(low[:, 1], [0, cut_y], [0.72, 1.0])
    # A hair thinner than the leg: coincident faces of two parts would flicker in a render.
    post_scale = np.interp(high[:, 1], [cut_y, body.top_y], [0.98, 0.74])
    leg = upright(low, size * 0.82, size, leg_scale)
    post = upright(high, size * 0.82, size, post_scale)
    return [*both_sides(LEG, leg), *both_sides(POST, post)]


def front_legs(x: float, z: float, top_y: float, size: float, foot: float, spread: float = 0.0) -> list[Piece]:
    """Two square legs tapering to the ground, feet `spread` outwards."""
    leg = upright(straight((x, top_y, z), (x + spread, 0, z + spread)), size, size, np.array([1.0, foot / size]))
    return both_sides(LEG, leg)


def aprons(x: float, back_z: float, front_z: float, top_y: float, height: float, thick: float) -> list[Piece]:
    """Four rails under the seat between leg centres."""
    y = top_y - height / 2
    side = bar((x, y, back_z), (x, y, front_z), thick, height, round_edge=0.003)
    cross = [bar((-x, y, z), (x, y, z), thick, height, round_edge=0.003) for z in (front_z, back_z)]
    return [*both_sides(SEAT_FRAME_BAR, side), *(Piece(SEAT_FRAME_BAR, mesh) for mesh in cross)]


def rod(start: Vec, end: Vec, radius: float, sides: int = 14, swell: float = 1.0) -> Mesh:
    """A round rod; `swell` thickens its middle, as turned stretchers have it."""
    t = np.linspace(0, 1, 9 if swell != 1.0 else 2)
    path = np.asarray(start) + t[:, None] * (np.asarray(end) - np.asarray(start))
    scale = 1 + (swell - 1) * np.sin(np.pi * t) ** 2
    return sweep(path, circle(sides) * radius, scale, soften=0.002)


def hoop(path: np.ndarray, radius: float, sides: int = 14) -> Mesh:
    """A bent round tube along a path."""
    return tube(path, radius, sides)
