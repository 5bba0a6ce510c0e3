"""Watertight plates: slabs over an outline and bent sheets of even thickness. Metres; y up, front +z."""

import numpy as np

from datagen.core.shape import Mesh
from datagen.shapes.procedural.curves import unit
from datagen.shapes.procedural.primitives import loft, solid


def slab(outline: np.ndarray, thickness: float, bevel: float = 0.006, rings: int = 3, steps: int = 3) -> Mesh:
    """A plate over an outline (M, 2) in x and z, from y = 0 down to -thickness, with rounded rims.

    `rings` concentric rings on both sides let it be dished or puffed up afterwards. The outline is
    star-shaped about its mean.
    """
    bevel = min(bevel, 0.49 * thickness)
    edge = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    inward = unit(np.stack([-edge[:, 1], edge[:, 0]], axis=1))
    inward *= np.sign(np.sum(inward * (outline.mean(axis=0) - outline)))
    angle = np.linspace(np.pi / 2, 0, steps + 1)
    levels = [(-bevel + bevel * np.sin(a), bevel * (1 - np.cos(a))) for a in angle]
    levels += [(-thickness - y, inset) for y, inset in reversed(levels)]
    walls = [_ring(outline + inward * inset, y) for y, inset in levels]
    top, bottom = walls[0], walls[-1]
    shrink = [1 - k / (rings + 1) for k in range(rings, 0, -1)] if rings else []
    caps = [[ring.mean(axis=0) + (ring - ring.mean(axis=0)) * s for s in shrink] for ring in (top, bottom)]
    return loft(np.array([*caps[0], *walls, *reversed(caps[1])]))


def _ring(outline: np.ndarray, y: float) -> np.ndarray:
    return np.stack([outline[:, 0], np.full(len(outline), y), outline[:, 1]], axis=1)


def sheet(surface: np.ndarray, thickness: float) -> Mesh:
    """A bent sheet of even thickness about a grid of points (U, V, 3), its rim rounded."""
    du, dv = np.gradient(surface, axis=0), np.gradient(surface, axis=1)
    normal = unit(np.cross(du, dv)) * thickness / 2
    count_u, count_v = surface.shape[:2]
    border = [(i, 0) for i in range(count_u)] + [(count_u - 1, j) for j in range(1, count_v)]
    border += [(i, count_v - 1) for i in range(count_u - 2, -1, -1)] + [(0, j) for j in range(count_v - 2, 0, -1)]
    index = np.arange(count_u * count_v).reshape(count_u, count_v)
    quad = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
    top = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    size = count_u * count_v
    rim = np.array([index[i, j] for i, j in border])
    flat, across = surface.reshape(-1, 3), normal.reshape(-1, 3)
    centre = flat.mean(axis=0)
    outward = unit(np.roll(flat[rim], -1, axis=0) - np.roll(flat[rim], 1, axis=0))
    outward = unit(np.cross(outward, across[rim]))
    outward *= np.sign(np.sum(outward * (flat[rim] - centre))) * thickness / 2
    middle = 2 * size + np.arange(len(rim))
    vertices = np.concatenate([flat + across, flat - across, flat[rim] + outward])
    walls = [_strip(rim, middle), _strip(middle, rim + size)]
    return solid(vertices, np.concatenate([top, top[:, ::-1] + size, *_consistent(walls, top, rim)]))


def _strip(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    a, b, c, d = lower, np.roll(lower, -1), np.roll(upper, -1), upper
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def _consistent(walls: list[np.ndarray], top: np.ndarray, rim: np.ndarray) -> list[np.ndarray]:
    """Walls wound against the top's border edge rim[0] -> rim[1], as neighbours in a closed mesh are."""
    edges = {(int(f[k]), int(f[(k + 1) % 3])) for f in top for k in range(3)}
    same_way = (int(rim[0]), int(rim[1])) in edges
    return [wall[:, ::-1] for wall in walls] if same_way else walls
