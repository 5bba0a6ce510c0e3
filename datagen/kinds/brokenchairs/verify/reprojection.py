"""Reference depth against the mesh: rays from the published camera through pixel centres."""

import io
from collections.abc import Iterator

import numpy as np

from datagen.core.errors import BrokenFile, MeshLoadError
from datagen.core.shape import Mesh
from datagen.formats.cameras import PublishedCamera
from datagen.geometry.rays import RayScene
from datagen.kinds.brokenchairs.verify.bundles import BundleFacts, ReferenceFacts
from datagen.kinds.brokenchairs.verify.meshes import read_obj
from datagen.kinds.brokenchairs.verify.tree import ChairTree

VIEWS = 4
"""Views a bundle, spread over the ring."""
STRIDE = 4
"""Every fourth pixel of every fourth row."""
TOLERANCE = 0.01
AGREE = 0.94
"""Share of pixels that have to agree: silhouette pixels may fall either way."""


def depth_from_mesh(tree: ChairTree, bundle: BundleFacts) -> Iterator[tuple[str, str]]:
    """(stem, fault) of views whose depth is not that of model.obj, within 1 %."""
    try:
        mesh = read_obj(tree, f"shapes/shape_{bundle.shape}/model.obj")
    except (MeshLoadError, BrokenFile) as error:
        yield f"shapes/shape_{bundle.shape}", str(error)
        return
    scene = RayScene([(1, mesh)])
    usable = [view for view in bundle.views if view.camera is not None and "_depth.npy" in view.have]
    for view in usable[:: max(1, len(usable) // VIEWS)]:
        fault = _compare(tree, view, scene, mesh)
        if fault:
            yield view.stem, fault


def _compare(tree: ChairTree, view: ReferenceFacts, scene: RayScene, mesh: Mesh) -> str:
    try:
        depth = np.load(io.BytesIO(tree.files.read(f"{view.stem}_depth.npy")), allow_pickle=False)
    except (BrokenFile, OSError, ValueError, EOFError):
        return ""
    if depth.ndim != 2:
        return ""
    assert view.camera is not None
    rows, columns = (a.ravel() for a in np.mgrid[1 : depth.shape[0] : STRIDE, 1 : depth.shape[1] : STRIDE])
    expected = mesh_depth(scene, view.camera, rows + 0.5, columns + 0.5)
    stated = depth[rows, columns].astype(np.float64)
    seen = (expected > 0) | (stated > 0)
    if not seen.any():
        return "neither its depth nor the mesh shows anything"
    both = (expected > 0) & (stated > 0)
    share = float(both.sum() / seen.sum())
    if share < AGREE:
        return f"depth and model.obj share {share:.0%} of their silhouettes"
    close = np.abs(stated[both] / expected[both] - 1) <= TOLERANCE
    return "" if close.mean() >= AGREE else f"depth is model.obj's to 1 % in {close.mean():.0%} of pixels"


def mesh_depth(scene: RayScene, camera: PublishedCamera, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """z-depth (N,) of the first surface through continuous pixel coordinates; 0 for background."""
    K = camera.K
    local = np.stack([(columns - K[0, 2]) / K[0, 0], (K[1, 2] - rows) / K[1, 1], -np.ones(len(rows))], axis=1)
    length = np.linalg.norm(local, axis=1)
    directions = (local / length[:, None]) @ camera.RT_[:3, :3].T
    hits = scene.cast(np.broadcast_to(camera.position, directions.shape).copy(), directions)
    return np.where(hits.face >= 0, hits.t / length, 0.0)
