"""MuJoCo itself says where its meshes stand: random models, read by it and by us, show the same triangles."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings

from datagen.core.errors import ShapeError
from datagen.meshfiles.load import read_mesh_file
from datagen.shapes.mujoco import read_mujoco
from tests.shapes.mjcf_trees import TETRAHEDRON, models

TOLERANCE = 1e-5


def signature(triangles: np.ndarray) -> np.ndarray:
    """Centroids and areas with direction of triangles (F, 3, 3): where they are and which side is out."""
    a, b, c = triangles.transpose(1, 0, 2)
    return np.concatenate([triangles.mean(axis=1), np.cross(b - a, c - a) / 2], axis=1)


def by_mujoco(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Signatures of visible mesh geoms, and (position, axes, size) of visible primitives as one row each."""
    model = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    meshes, primitives = [], []
    for geom in range(model.ngeom):
        if model.geom_group[geom] > 2 or model.geom_rgba[geom][3] == 0:
            continue
        R, t = data.geom_xmat[geom].reshape(3, 3), data.geom_xpos[geom]
        if model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_MESH:
            radius, length, _ = half = model.geom_size[geom].copy()
            if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE:
                half = np.array([radius, radius, radius + length])
            primitives.append(np.concatenate([t, R.ravel(), half]))
            continue
        mesh = model.geom_dataid[geom]
        first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        vertices = model.mesh_vert[first : first + count] @ R.T + t
        first, count = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        meshes.append(signature(vertices[model.mesh_face[first : first + count]]))
    return meshes, primitives


def by_us(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    meshes, primitives = [], []
    for placement in read_mujoco(path).placements:
        T = placement.T_world_mesh
        if placement.file is None and placement.name != "inline":
            half = placement.mesh.extents / 2
            primitives.append(np.concatenate([T[:3, 3], T[:3, :3].ravel(), half]))
            continue
        mesh = placement.mesh or read_mesh_file(placement.file).mesh
        meshes.append(signature(mesh.transformed(T).triangles))
    return meshes, primitives


def assert_same(theirs: list[np.ndarray], ours: list[np.ndarray]) -> None:
    """Each has its equal on the other side: MuJoCo sorts geoms by body and keeps repeats."""
    assert bool(ours) == bool(theirs)
    if ours:
        scale = max(1.0, *(float(np.abs(one).max()) for one in theirs))
        apart = np.array([[np.abs(a - b).max() for b in ours] for a in theirs])
        assert apart.min(axis=0).max() <= TOLERANCE * scale
        assert apart.min(axis=1).max() <= TOLERANCE * scale


def write_meshes(folder: Path) -> None:
    (folder / "sub").mkdir(exist_ok=True)
    for name in ("a.obj", "sub/b.obj", "sub/c.obj"):
        (folder / name).write_text(TETRAHEDRON)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("mjcf")
    write_meshes(made)
    return made


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
@given(text=models())
def test_random_models_stand_where_mujoco_puts_them(folder: Path, text: str):
    path = folder / "model.xml"
    path.write_text(text)
    note(text)
    try:
        meshes, primitives = by_mujoco(path)
    except ValueError as error:
        # A class may set what does not go with fromto.
        assert "fromto" in str(error), error
        assume(False)
    try:
        ours = by_us(path)
    except ShapeError as error:
        # A primitive fitted to a mesh is the one thing of these models that is refused.
        assert "to mesh" in str(error), error
        assume(False)
    assert_same(meshes, ours[0])
    assert_same(primitives, ours[1])
