"""What hangs together."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def linked(i: np.ndarray, j: np.ndarray, count: int) -> np.ndarray:
    """Label (count,), from 0, of each of `count` things, of which i[k] and j[k] hang together for every k."""
    graph = coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(count, count))
    return connected_components(graph, directed=False)[1]
