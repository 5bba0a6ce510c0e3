"""Building blocks by manifold3d. Metres or any unit; z up; every function returns a closed solid."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import manifold3d
import numpy as np
from manifold3d import CrossSection, Manifold

Vec = Sequence[float] | np.ndarray
Points = Sequence[Vec] | np.ndarray


@dataclass(frozen=True, eq=False)
class Solid:
    """A named part of a generated shape; those of one `group` wear one material."""

    name: str
    solid: Manifold
    group: str


def box(size: Vec, centre: Vec = (0, 0, 0), round_: float = 0.0) -> Manifold:
    """A box of full `size`, its edges rounded by a radius."""
    if round_ <= 0:
        return Manifold.cube(tuple(map(float, size)), True).translate(tuple(centre))
    half = [max(s / 2 - round_, 1e-4) for s in size]
    ball = Manifold.sphere(round_, 16)
    corners = [
        ball.translate((sx * half[0], sy * half[1], sz * half[2])) for sx in (-1, 1) for sy in (-1, 1) for sz in (-1, 1)
    ]
    return Manifold.batch_hull(corners).translate(tuple(centre))


def rod(height: float, low: float, high: float | None = None, at: Vec = (0, 0, 0), sides: int = 40) -> Manifold:
    """A cylinder or cone along z, standing on `at`."""
    return Manifold.cylinder(height, low, low if high is None else high, sides).translate(tuple(at))


def wheel(radius: float, width: float, at: Vec, sides: int = 40) -> Manifold:
    """A cylinder along y about `at`, its rims bevelled."""
    bevel = min(0.25 * width, 0.2 * radius)
    outline = [
        (0, -width / 2),
        (radius - bevel, -width / 2),
        (radius, -width / 2 + bevel),
        (radius, width / 2 - bevel),
        (radius - bevel, width / 2),
        (0, width / 2),
    ]
    return lathe(outline, sides).rotate((90, 0, 0)).translate(tuple(at))


def ball(radius: float, at: Vec = (0, 0, 0), scale: Vec = (1, 1, 1), sides: int = 40) -> Manifold:
    """An ellipsoid."""
    return Manifold.sphere(radius, sides).scale(tuple(scale)).translate(tuple(at))


def lathe(outline: Points, sides: int = 48) -> Manifold:
    """A solid of revolution about z from (radius, z) points, the axis closed by itself."""
    points = np.maximum(np.array(outline, dtype=float), [0.0, -1e9])
    section = CrossSection([points], manifold3d.FillRule.NonZero)
    if section.area() <= 0:
        section = CrossSection([points[::-1]], manifold3d.FillRule.NonZero)
    return section.revolve(sides)


def smooth(points: Points, steps: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through points (K, D)."""
    p = np.asarray(points, dtype=float)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    spans = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate([*spans, p[-2:-1]])


def turned(profile: Points, steps: int = 6, sides: int = 48) -> Manifold:
    """A lathe of the smooth curve through (radius, z) points, closed to the axis at both ends."""
    curve = smooth(profile, steps)
    curve[:, 0] = np.maximum(curve[:, 0], 1e-4)
    return lathe([(0, curve[0, 1]), *curve.tolist(), (0, curve[-1, 1])], sides)


def ring(radius: float, tube: float, sides: int = 48) -> Manifold:
    """A torus about z."""
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return lathe(np.stack([radius + tube * np.cos(angle), tube * np.sin(angle)], axis=1).tolist(), sides)


def prism(outline: Points, height: float, at: Vec = (0, 0, 0)) -> Manifold:
    """A polygon (x, y) raised along z from `at`."""
    section = CrossSection([np.asarray(outline, dtype=float)], manifold3d.FillRule.NonZero)
    if section.area() <= 0:
        section = CrossSection([np.asarray(outline, dtype=float)[::-1]], manifold3d.FillRule.NonZero)
    return section.extrude(height).translate(tuple(at))


def chain(points: Points, radii: Vec | float, sides: int = 18) -> Manifold:
    """A round bar along a path: hulls of neighbouring balls, joined."""
    path = np.asarray(points, dtype=float)
    sizes = np.broadcast_to(np.asarray(radii, dtype=float), (len(path),))
    balls = [Manifold.sphere(float(r), sides).translate(tuple(p)) for p, r in zip(path, sizes, strict=True)]
    return Manifold.batch_boolean([Manifold.batch_hull(pair) for pair in pairwise(balls)], manifold3d.OpType.Add)


def joined(*solids: Manifold) -> Manifold:
    """The union of solids."""
    return Manifold.batch_boolean(list(solids), manifold3d.OpType.Add)


def hull(*solids: Manifold) -> Manifold:
    """The convex hull of solids."""
    return Manifold.batch_hull(list(solids))


def around(solid: Manifold, count: int, start_deg: float = 0.0) -> Manifold:
    """Copies turned about z, joined."""
    copies = [solid.rotate((0, 0, start_deg + 360 * k / count)) for k in range(count)]
    return Manifold.batch_boolean(copies, manifold3d.OpType.Add)
