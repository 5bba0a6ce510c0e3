"""Boxes, balls and rods of placing plans as meshes, about their own origin, z along the axis."""

import numpy as np

from datagen.core.shape import Mesh

SECTIONS = 32


def primitive(kind: str, size: np.ndarray) -> Mesh:
    """`kind` is box (half extents), ellipsoid (radii), sphere (radius), cylinder or capsule (radius, half length).

    Raises ValueError on a size that is missing or not positive.
    """
    import trimesh

    needed = {"box": 3, "ellipsoid": 3, "sphere": 1, "cylinder": 2, "capsule": 2}[kind]
    size = np.asarray(size, dtype=np.float64)[:needed]
    if len(size) < needed or (size <= 0).any():
        raise ValueError(f"a {kind} needs {needed} positive sizes")
    if kind == "box":
        made = trimesh.creation.box(extents=2 * size)
    elif kind == "cylinder":
        made = trimesh.creation.cylinder(radius=size[0], height=2 * size[1], sections=SECTIONS)
    elif kind == "capsule":
        made = trimesh.creation.capsule(radius=size[0], height=2 * size[1], count=(SECTIONS, SECTIONS))
        low, high = made.bounds
        made.apply_translation([0, 0, -(low[2] + high[2]) / 2])
    else:
        made = trimesh.creation.icosphere(subdivisions=3, radius=1.0)
        made.apply_scale(size if kind == "ellipsoid" else np.repeat(size, 3))
    return Mesh(made.vertices, made.faces)
