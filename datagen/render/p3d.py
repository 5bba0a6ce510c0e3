"""pytorch3d cameras and rasterisation from published camera JSON; an optional extra (README)."""

from typing import Any

import numpy as np

from datagen.core.errors import MissingDependency
from datagen.core.shape import Mesh

S = np.diag([-1.0, 1.0, -1.0])
"""OpenGL camera axes (x right, y up, z back) to pytorch3d's (x left, y up, z forward)."""


def perspective_cameras(K: np.ndarray, RT: np.ndarray, size_px: int = 256) -> Any:
    """`PerspectiveCameras` in screen space from K (3, 3) and world-to-camera RT (4, 4).

    pytorch3d multiplies row vectors: R = (S RT[:3, :3])^T, T = S RT[:3, 3]. Raises MissingDependency.
    """
    torch, renderer, _ = _libraries()
    R = torch.tensor((S @ RT[:3, :3]).T[None], dtype=torch.float32)
    T = torch.tensor((S @ RT[:3, 3])[None], dtype=torch.float32)
    return renderer.PerspectiveCameras(
        R=R,
        T=T,
        focal_length=((float(K[0, 0]), float(K[1, 1])),),
        principal_point=((float(K[0, 2]), float(K[1, 2])),),
        in_ndc=False,
        image_size=((size_px, size_px),),
    )


def rasterise(mesh: Mesh, K: np.ndarray, RT: np.ndarray, size_px: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Face (H, W) int64, -1 = background, and z-depth (H, W) of a mesh in the published frame."""
    torch, renderer, structures = _libraries()
    meshes = structures.Meshes(
        [torch.tensor(mesh.vertices.copy(), dtype=torch.float32)], [torch.tensor(mesh.faces.copy(), dtype=torch.int64)]
    )
    settings = renderer.RasterizationSettings(image_size=size_px, faces_per_pixel=1, bin_size=0)
    rasterizer = renderer.MeshRasterizer(perspective_cameras(K, RT, size_px), settings)
    fragments = rasterizer(meshes)
    return fragments.pix_to_face[0, ..., 0].numpy(), np.maximum(fragments.zbuf[0, ..., 0].numpy(), 0)


def _libraries() -> tuple[Any, Any, Any]:
    try:
        import pytorch3d.renderer
        import pytorch3d.structures
        import torch
    except ImportError as error:
        raise MissingDependency(f"{error}; README says how to build pytorch3d for this extra") from error
    return torch, pytorch3d.renderer, pytorch3d.structures
