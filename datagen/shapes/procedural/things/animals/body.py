"""What animals are made of: the body of one on four legs, pairs, patches, ears, tails. Facing +x, z up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from manifold3d import Manifold

from datagen.shapes.procedural.things.solids import Solid, Vec, ball, box, chain, hull, rod


@dataclass(frozen=True)
class Proportions:
    """Proportions of an animal on four legs, in units of about half its height."""

    length: float
    """Between shoulders and hips."""
    leg: float
    """Height of the belly."""
    chest: float
    rump: float
    neck: tuple[float, float]
    """From the shoulders to the head, ahead and up."""
    neck_r: float
    head: float
    muzzle: tuple[float, float]
    """Length beyond the head's ball, and radius at its end."""
    leg_r: float
    hoof: float = 1.15
    """Width of a foot over that of its leg."""

    @property
    def back(self) -> float:
        """Height of the torso's axis."""
        return self.leg + 0.8 * max(self.chest, self.rump)

    @property
    def face(self) -> np.ndarray:
        """Centre of the head (3,)."""
        return np.array([self.length / 2 + self.neck[0], 0.0, self.back + self.neck[1]])

    def at(self, x: float, y: float, z: float) -> np.ndarray:
        """A point given in heads from the head's centre."""
        return self.face + self.head * np.array([x, y, z])

    @property
    def nose(self) -> np.ndarray:
        """End of the muzzle (3,)."""
        return off(self.face, self.head + self.muzzle[0], 0, -0.35 * self.head)


def off(point: Vec | np.ndarray, x: float, y: float, z: float) -> np.ndarray:
    """A point (3,) moved."""
    return np.asarray(point) + np.array([x, y, z])


def pair(name: str, group: str, make: Callable[[int], Manifold]) -> list[Solid]:
    """A left and a right piece; `make` gets -1 and 1."""
    return [Solid(f"{name}_{side}", make(s), group) for side, s in (("r", -1), ("l", 1))]


def patches(solid: Manifold, spots: Sequence[tuple[Vec, float]], group: str, thick: float = 0.025) -> list[Solid]:
    """Thin coloured patches: where balls (centre, radius) meet the skin of a solid."""
    low, high = np.array(solid.bounding_box()).reshape(2, 3)
    centre, grow = (low + high) / 2, 1 + 2 * thick / (high - low)
    skin = solid.translate(tuple(-centre)).scale(tuple(grow)).translate(tuple(centre))
    cut = [(skin ^ ball(radius, at, sides=32)) - solid for at, radius in spots]
    return [Solid(f"patch_{k}", patch, group) for k, patch in enumerate(cut) if patch.volume() > 1e-5]


def animal(b: Proportions, hooves: str = "wheel", muzzle: str = "body") -> list[Solid]:
    """Torso with neck, head, muzzle, nose, eyes, legs, feet."""
    x = b.length / 2
    torso = chain([(-x, 0, b.back), (0, 0, b.back - 0.03), (x, 0, b.back)], [b.rump, 0.94 * b.rump, b.chest], 36)
    neck = chain([(x, 0, b.back + 0.2 * b.chest), tuple(b.face)], [b.neck_r * 1.35, b.neck_r], 28)
    pieces = [
        Solid("torso", torso + neck, "body"),
        Solid("head", ball(b.head, tuple(b.face), (1.1, 0.92, 1)), "body"),
        Solid(
            "muzzle",
            chain(
                [off(b.face, 0, 0, -0.15 * b.head), off(b.nose, -0.3 * b.muzzle[1], 0, 0)],
                [0.7 * b.head, b.muzzle[1]],
                28,
            ),
            muzzle,
        ),
        Solid("nose", ball(0.42 * b.muzzle[1], off(b.nose, 0.55 * b.muzzle[1], 0, 0.35 * b.muzzle[1])), "wheel"),
        *pair("eye", "wheel", lambda s: ball(0.17 * b.head, b.at(0.72, 0.6 * s, 0.4))),
    ]
    for name, at, r in (("fore", x, b.chest), ("hind", -x, b.rump)):
        for side, y in (("r", -0.62 * r), ("l", 0.62 * r)):
            pieces.append(Solid(f"{name}_{side}", _leg(b, at, y), "body"))
            foot = rod(0.22 * b.leg, b.hoof * b.leg_r, b.leg_r * 0.98, (at, y, 0), 24)
            pieces.append(Solid(f"{name}_foot_{side}", foot, hooves))
    return pieces


def _leg(b: Proportions, x: float, y: float) -> Manifold:
    knee = b.leg_r * (0.25 if x > 0 else -0.4)
    path = [(x, y * 0.9, b.back - 0.1), (x + knee, y, 0.55 * b.leg), (x, y, 0.12 * b.leg)]
    return chain(path, [1.55 * b.leg_r, 1.08 * b.leg_r, 0.92 * b.leg_r], 24) - box((9, 9, 1), (0, 0, -0.5))


def ear_to(b: Proportions, tip: Vec, width: float, flat: float = 0.4) -> Callable[[int], Manifold]:
    """A pointed ear from the head's side to `tip`, given in heads from the head's centre."""

    def make(s: int) -> Manifold:
        root = b.at(-0.1, 0.55 * s, 0.72)
        end = b.at(tip[0], tip[1] * s, tip[2])
        wide = ball(width * b.head, tuple(root + 0.35 * (end - root)), (flat, 1, 1), 20)
        return hull(ball(0.6 * width * b.head, tuple(root), sides=16), wide, ball(0.06, tuple(end), sides=12))

    return make


def bent(b: Proportions, path: Sequence[Vec], s: int, radii: Sequence[float]) -> Manifold:
    """A bar along points given in heads from the head's centre, mirrored by `s`."""
    return chain([b.at(x, y * s, z) for x, y, z in path], radii)


def tail(b: Proportions, path: Sequence[tuple[float, float]], radii: Sequence[float], group: str) -> Solid:
    """A tail from the rump through (x, z) points about its root."""
    root = np.array([-b.length / 2 - 0.85 * b.rump, 0.0, b.back + 0.25 * b.rump])
    points = [off(root, 0.1, 0, 0), *(off(root, x, 0, z) for x, z in path)]
    widths = np.interp(np.linspace(0, 1, len(points)), np.linspace(0, 1, len(radii)), radii)
    return Solid("tail", chain(points, widths, 20), group)
