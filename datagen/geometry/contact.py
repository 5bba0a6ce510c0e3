"""Where a part meets its neighbours: the pivots of rotations and the feet of swaps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from datagen.core.shape import Mesh
from datagen.geometry.clean import linked
from datagen.geometry.sample import grid_samples

CONTACT_DISTANCE = 0.012
"""Points this near a neighbour touch it (every PartNet part has such a neighbour at 0.01)."""
CLUSTER_DISTANCE = 0.05


@dataclass(frozen=True, eq=False)
class ContactRegion:
    """A cluster of touching points: centroid (3,) and how many samples it holds."""

    centroid: np.ndarray
    size: int


def contact_regions(part: Mesh, others: Sequence[Mesh], spacing: float = 0.008) -> tuple[ContactRegion, ...]:
    """Regions of `part` within reach of any other mesh, the largest first; empty if it floats."""
    points = _even_samples(part, spacing)
    low, high = part.bounds[0] - CONTACT_DISTANCE, part.bounds[1] + CONTACT_DISTANCE
    near = [mesh for mesh in others if (mesh.bounds[0] <= high).all() and (mesh.bounds[1] >= low).all()]
    if not near:
        return ()
    neighbours = np.concatenate([_even_samples(mesh, spacing) for mesh in near])
    inside = ((neighbours >= low) & (neighbours <= high)).all(axis=1)
    if not inside.any():
        return ()
    touching = points[cKDTree(neighbours[inside]).query(points)[0] < CONTACT_DISTANCE]
    return _clusters(touching)


def _even_samples(mesh: Mesh, spacing: float) -> np.ndarray:
    return grid_samples(mesh, int(np.clip(mesh.area / spacing**2, 500, 40_000)))


def _clusters(points: np.ndarray) -> tuple[ContactRegion, ...]:
    if len(points) == 0:
        return ()
    pairs = cKDTree(points).query_pairs(CLUSTER_DISTANCE / 2, output_type="ndarray")
    labels = linked(pairs[:, 0], pairs[:, 1], len(points))
    groups = [points[labels == k] for k in range(int(labels.max()) + 1)]
    regions = [ContactRegion(group.mean(axis=0), len(group)) for group in groups]
    return tuple(sorted(regions, key=lambda region: (-region.size, region.centroid.tolist())))
