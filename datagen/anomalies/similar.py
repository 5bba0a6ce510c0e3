"""Similar shape: another shape of the split that looks nearly the same (section A.1, PartsAD-15K)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from datagen.anomalies.operator import Setting
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.material import Material
from datagen.core.shape import Mesh, Part, Shape, Skin, concatenate
from datagen.geometry.proximity import closest, nearest_faces
from datagen.geometry.refine import joined_skins
from datagen.geometry.sample import grid_samples
from datagen.recipe.anomalies import SimilarRecipe


@dataclass(frozen=True)
class Similar:
    """Puts another shape in the object's place. Severity is the Chamfer distance over D."""

    name: str = "similar"
    on_part = False
    needs = frozenset({"neighbours"})

    def propose(
        self, shape: Shape, part: Part | None, rng: np.random.Generator, setting: Setting
    ) -> AnomalySpec | Rejected:
        """One of the nearest shapes by multi-view descriptor."""
        assert setting.neighbours is not None
        nearest = setting.neighbours.nearest(shape)
        if not nearest:
            return Rejected("no_neighbour", "the split has no other shape")
        return AnomalySpec(self.name, values={"neighbour": nearest[int(rng.integers(len(nearest)))]})

    def apply(self, shape: Shape, spec: AnomalySpec, setting: Setting) -> AnomalousShape | Rejected:
        """The neighbour in the shape's place and size; rejected when it is the same, or not similar, by Chamfer.

        It is scaled by the mean ratio of the boxes' edges and wears the shape's own material on every part.
        """
        assert setting.neighbours is not None
        settings: SimilarRecipe = setting.policy.settings(self.name)
        neighbour = setting.neighbours.load(spec.values["neighbour"])
        ratio = float(
            np.mean((shape.bounds[1] - shape.bounds[0]) / np.maximum(neighbour.bounds[1] - neighbour.bounds[0], 1e-6))
        )
        T = np.eye(4)
        T[:3, :3] *= ratio
        T[:3, 3] = shape.centre - ratio * neighbour.centre
        T[2, 3] = shape.bounds[0, 2] - ratio * neighbour.bounds[0, 2]
        placed = neighbour.transformed(T)
        old, new = (concatenate([part.mesh for part in s.parts]) for s in (shape, placed))
        there, back = closest(old, grid_samples(new, 1500))[1], closest(new, grid_samples(old, 1500))[1]
        chamfer = float(np.concatenate([there, back]).mean()) / shape.diagonal
        low, high = settings.chamfer
        if chamfer < low:
            return Rejected("nearly_same", f"Chamfer distance {chamfer:.4f} of D, under {low}")
        if chamfer > high:
            return Rejected("not_similar", f"Chamfer distance {chamfer:.4f} of D, over {high}")
        clothed = _in_materials_of(shape, placed)
        changed = {part.part_id: np.ones(len(part.mesh.faces), dtype=bool) for part in clothed.parts}
        return AnomalousShape(spec, shape, clothed, changed, chamfer, (), "neighbour", {"chamfer": chamfer})


def _in_materials_of(shape: Shape, other: Shape) -> Shape:
    """The other shape in this one's materials, part by part in order of size: colour must not tell it."""
    mesh, joined = joined_skins([(part.mesh, part.skin) for part in shape.parts])
    if joined is not None and (joined.uv is not None or joined.color is not None):
        return _in_materials_by_place(other, mesh, joined, shape.palette)
    worn = [p.skin for p in sorted(shape.parts, key=lambda p: (-p.mesh.area, p.part_id))]
    order = sorted(other.parts, key=lambda p: (-p.mesh.area, p.part_id))
    skins = {}
    for k, part in enumerate(order):
        skin = worn[min(k, len(worn) - 1)]
        if skin is not None:
            main = skin.materials[int(np.bincount(skin.slot).argmax())]
            skins[part.part_id] = replace(
                skin, materials=(main,), slot=np.zeros(len(part.mesh.faces), dtype=np.int32), uv=None
            )
    parts = tuple(replace(part, skin=skins.get(part.part_id)) for part in other.parts)
    return replace(other, parts=parts, palette=dict(shape.palette))


def _in_materials_by_place(other: Shape, mesh: Mesh, skin: Skin, palette: Mapping[str, Material]) -> Shape:
    """Every face wears what the nearest face of a textured mesh wears: an atlas has no colour of its own."""
    parts = []
    for part in other.parts:
        nearest = nearest_faces(mesh, part.mesh.triangles.mean(axis=1))
        uv, color = (
            None if values is None else np.repeat(values[nearest].mean(axis=1, keepdims=True), 3, axis=1)
            for values in (skin.uv, skin.color)
        )
        parts.append(replace(part, skin=Skin(skin.materials, skin.slot[nearest], uv, color)))
    return replace(other, parts=tuple(parts), palette=dict(palette))
