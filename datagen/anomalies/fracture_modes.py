"""Fracture by fracture-modes (Sellan et al., the paper's reference 39), where the user has it.

`anomaly.plugin: datagen.anomalies.fracture_modes:break_apart`. Its licence is for non-commercial use: datagen
neither contains nor installs it and calls what its README documents.
"""

import tempfile
from pathlib import Path

import numpy as np

from datagen.anomalies.fracture import Fragments
from datagen.core.errors import MissingDependency
from datagen.core.rng import stream, unit_vector
from datagen.geometry.clean import split_components
from datagen.meshfiles.load import read_mesh_file

CAGE_FACES, MODES = 1000, 10
NEXT_STEP = (
    "clone https://github.com/sgsellan/fracture-modes (non-commercial licence), install what its README lists, "
    "and put the clone on PYTHONPATH; or clear anomaly.plugin"
)


def break_apart(vertices: np.ndarray, faces: np.ndarray, seed: int) -> Fragments:
    """Pieces of a closed mesh after an impact on a random vertex from a random side. Raises MissingDependency."""
    try:
        import fracture_utility
        import tetgen
        from gpytoolbox.copyleft import lazy_cage
    except ImportError as error:
        raise MissingDependency(f"anomaly.plugin: {error}; {NEXT_STEP}") from error
    rng = stream(seed, "impact")
    nodes, elements = tetgen.TetGen(*lazy_cage(vertices, faces, num_faces=CAGE_FACES)).tetrahedralize()[:2]
    modes = fracture_utility.fracture_modes(nodes, elements)
    modes.compute_modes(parameters=fracture_utility.fracture_modes_parameters(num_modes=MODES, d=3))
    modes.impact_precomputation(v_fine=vertices, f_fine=faces)
    modes.impact_projection(contact_point=vertices[rng.integers(len(vertices))], direction=unit_vector(rng))
    with tempfile.TemporaryDirectory(prefix="datagen-fracture-") as folder:
        path = Path(folder) / "pieces.obj"
        modes.write_segmented_output(str(path))
        return [(piece.vertices, piece.faces) for piece in split_components(read_mesh_file(path).mesh)]
