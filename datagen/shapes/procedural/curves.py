"""Paths in space and outlines in the plane, as arrays of points. Metres; y up, front +z."""

from collections.abc import Sequence

import numpy as np

Points = np.ndarray | Sequence[Sequence[float]]


def spline(points: Points, steps: int = 8) -> np.ndarray:
    """Catmull-Rom curve through points (K, D) with `steps` samples a span: (N, D)."""
    p = np.asarray(points, dtype=np.float64)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        spans.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*spans, p[-2:-1]])


def fillet(points: Points, radius: float, steps: int = 6) -> np.ndarray:
    """A polyline (K, 3) with its inner corners rounded to circular arcs, as bent tube has them: (N, 3)."""
    p = np.asarray(points, dtype=np.float64)
    out = [p[:1]]
    for before, corner, after in zip(p[:-2], p[1:-1], p[2:], strict=True):
        u, v = unit(before - corner), unit(after - corner)
        half = np.arccos(np.clip(u @ v, -1, 1)) / 2
        if half > np.pi / 2 - 1e-3:
            out.append(corner[None])
            continue
        room = 0.49 * min(np.linalg.norm(before - corner), np.linalg.norm(after - corner))
        cut = min(radius / np.tan(half), room)
        centre = corner + unit(u + v) * cut / np.cos(half)
        a, b = corner + u * cut - centre, corner + v * cut - centre
        sweep_angle = np.pi - 2 * half
        t = np.linspace(0, 1, steps + 1)[:, None]
        out.append(centre + (np.sin((1 - t) * sweep_angle) * a + np.sin(t * sweep_angle) * b) / np.sin(sweep_angle))
    return np.concatenate([*out, p[-1:]])


def unit(vector: np.ndarray) -> np.ndarray:
    """Rows (.., D) scaled to length one."""
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)


def circle(sides: int = 16) -> np.ndarray:
    """Unit circle (sides, 2), counter-clockwise."""
    angle = np.arange(sides) * 2 * np.pi / sides
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def superellipse(width: float, depth: float, power: float = 4.0, sides: int = 40) -> np.ndarray:
    """Rounded-square outline (sides, 2) of the given full width and depth; power 2 is an ellipse."""
    c, s = circle(sides).T
    r = (np.abs(c) ** power + np.abs(s) ** power) ** (-1 / power)
    return np.stack([c * r * width / 2, s * r * depth / 2], axis=1)


def rounded_rect(width: float, height: float, radius: float, steps: int = 2) -> np.ndarray:
    """Rectangle (4 * (steps + 1), 2) with rounded corners, full width and height."""
    return rounded_trapezoid(width, width, height, radius, steps)


def rounded_trapezoid(back: float, front: float, depth: float, radius: float, steps: int = 5) -> np.ndarray:
    """Outline (4 * (steps + 1), 2) wide `back` at -depth/2 and `front` at +depth/2, corners rounded."""
    corners = np.array(
        [[-back / 2, -depth / 2], [back / 2, -depth / 2], [front / 2, depth / 2], [-front / 2, depth / 2]]
    )
    radius = min(radius, 0.49 * min(back, front, depth))
    out = []
    for index in range(4):
        before, corner, after = corners[index - 1], corners[index], corners[(index + 1) % 4]
        u, v = unit(before - corner), unit(after - corner)
        half = np.arccos(np.clip(u @ v, -1, 1)) / 2
        centre = corner + unit(u + v) * radius / np.sin(half)
        a = corner + u * radius / np.tan(half) - centre
        b = corner + v * radius / np.tan(half) - centre
        start = np.arctan2(a[1], a[0])
        turn = (np.arctan2(b[1], b[0]) - start) % (2 * np.pi)
        angle = start + turn * np.linspace(0, 1, steps + 1)
        out.append(centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return np.concatenate(out)


def refine(outline: np.ndarray, step: float) -> np.ndarray:
    """A closed outline (M, 2) with no edge longer than `step`, so that it can be bent smoothly."""
    out = []
    for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        pieces = max(1, int(np.ceil(np.linalg.norm(b - a) / step)))
        out.append(a + (b - a) * (np.arange(pieces) / pieces)[:, None])
    return np.concatenate(out)
