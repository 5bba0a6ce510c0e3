"""What the operators share: acceptance limits that hold for every moved part."""

import numpy as np

from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected, Vector
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.sample import grid_samples, surface_distance

GROUND_TOLERANCE = 0.006
"""How far a part may sink below the ground before it is cut there, object units (under one pixel)."""
FRAME_RADIUS = 1.06
"""A part beyond this distance from the centre can leave the frame of a query (0.883 of 0.902 units)."""


DRAWS = 8
"""Draws a proposal may make to stay above the ground and within the frame."""


def vector(values: np.ndarray) -> Vector:
    """Three plain floats, rounded so that a spec is the same text on every machine."""
    x, y, z = np.round(np.asarray(values, dtype=float), 9).tolist()
    return (x, y, z)


def misplaced(shape: Shape, mesh: Mesh) -> Rejected | None:
    """Rejection of a part that sinks into the ground or leaves the frame."""
    low = float(mesh.bounds[0, 2])
    if low < shape.bounds[0, 2] - GROUND_TOLERANCE:
        return Rejected("below_ground", f"lowest point {low:.4f}")
    reach = float(np.linalg.norm(mesh.vertices - shape.centre, axis=1).max())
    if reach > FRAME_RADIUS:
        return Rejected("leaves_frame", f"reaches {reach:.3f} of {FRAME_RADIUS}")
    return None


def moved(shape: Shape, part: Part, spec: AnomalySpec, mesh: Mesh, method: str = "rigid") -> AnomalousShape | Rejected:
    """The result of putting `mesh` in the part's place, every face changed."""
    rejection = misplaced(shape, mesh)
    if rejection:
        return rejection
    distance = surface_distance(part.mesh, mesh)
    measures = {
        "mean_distance": float(distance.mean()),
        "p95_distance": float(np.percentile(distance, 95)),
    }
    return AnomalousShape(
        spec=spec,
        normal=shape,
        new_mesh=mesh,
        changed_faces=np.ones(len(mesh.faces), dtype=bool),
        severity=measures["mean_distance"] / shape.diagonal,
        method=method,
        measures=measures,
    )


def long_axis(mesh: Mesh) -> np.ndarray:
    """Unit direction (3,) in which the part extends furthest: the first principal axis of its surface."""
    points = grid_samples(mesh, 1000)
    _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    axis = axes[0]
    return axis * np.sign(axis[np.argmax(np.abs(axis))])
