"""The textureless reference at a query's own camera: what a perfect estimate of the pose would compare with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from datagen.core.anomaly import AnomalousShape
from datagen.core.camera import Camera
from datagen.core.shape import Mesh, Shape
from datagen.formats.encode import npy_bytes, png_bytes
from datagen.geometry.rays import RayScene
from datagen.kinds.brokenchairs.maps import map_bytes
from datagen.kinds.brokenchairs.queries import Candidate
from datagen.render.raycast import cast_view
from datagen.render.reference import ReferenceShader


class QueryViews:
    """Views of one shape in the query scene, shaded as reference views are; parts are (part id, mesh)."""

    def __init__(self, parts: Sequence[tuple[int, Mesh]]) -> None:
        self.scene = RayScene(parts)
        self.shader = ReferenceShader(self.scene, [mesh for _, mesh in parts])

    def files(self, camera: Camera, side: str) -> dict[tuple[str, str], bytes]:
        """(side, suffix) -> bytes, of the camera's size: grey picture (S, S, 3), z-depth float32 (S, S) with 0 for
        background, normals in camera axes as (n + 1) / 2 * 255 and 0 for background, part ids uint16 with 0.
        """
        grey, depth = self.shader.shaded(camera)
        maps = map_bytes(cast_view(self.scene, camera), camera)
        files = {".png": png_bytes(grey), "_depth.npy": npy_bytes(depth.astype(np.float32)), **maps}
        return {(side, suffix): data for suffix, data in files.items()}


def shown_at_query(
    nominal: Shape, made: AnomalousShape, T: np.ndarray, candidates: Sequence[Candidate]
) -> list[Candidate]:
    """Candidates with the reference (old) and the anomalous shape (new) as their cameras see them.

    `nominal`: the normal shape with every part exactly in its place. `T` (4, 4) takes the shape's frame to the query
    scene.
    """
    old = QueryViews([(part.part_id, part.mesh.transformed(T)) for part in nominal.parts])
    new = QueryViews([(part_id, mesh.transformed(T)) for part_id, mesh in made.meshes()])
    return [
        replace(candidate, at_query={**old.files(candidate.camera, "old"), **new.files(candidate.camera, "new")})
        for candidate in candidates
    ]
