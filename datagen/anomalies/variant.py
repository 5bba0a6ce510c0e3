"""Wrong variants: a mesh file of the user's in a part's place, unscaled (a screw that is too long, the wrong head)."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from datagen.anomalies.sizes import no_unit
from datagen.core.anomaly import AnomalySpec, Rejected
from datagen.core.errors import UsageError
from datagen.core.shape import Mesh, Part, Shape, concatenate
from datagen.meshfiles.load import GLTF_SUFFIXES, STEP_SUFFIXES, read_mesh_file
from datagen.recipe.anomalies import SwappedRecipe
from datagen.recipe.inspection import MILLIMETRES, matched

VARIANT = "variant"
"""Key of a swap's spec that names the file."""
UNLIKELY = 20.0
"""A variant so many times as large or as small as the part it replaces is in another unit: an inch has 25 mm."""


def propose_variant(
    shape: Shape, part: Part, settings: SwappedRecipe, rng: np.random.Generator
) -> AnomalySpec | Rejected:
    """One of the files that the recipe lists for the part. Raises MeshLoadError for one that cannot be read."""
    files = matched((part.name, part.path), settings.variants)
    if not files:
        return Rejected("no_variant", f"anomaly.swapped.variants lists none for {part.name}")
    if not shape.mm:
        return no_unit(shape)
    name = files[int(rng.integers(len(files)))]
    values = {VARIANT: name, "seat": settings.seat, "digest": read_variant(name).digest}
    return AnomalySpec("swapped", part.part_id, part.part_class, values)


def placed_variant(shape: Shape, spec: AnomalySpec) -> Mesh | Rejected:
    """The variant of a spec in the part's place, in the shape's frame; Rejected where the file is another now."""
    name, seat = str(spec.values[VARIANT]), str(spec.values["seat"])
    mesh = read_variant(name)
    if mesh.digest != spec.values["digest"]:
        return Rejected("other_variant", f"{name} is not the file that was used")
    mesh = _in_frame_of(shape, name)
    if seat == "drawn":
        return mesh
    slot = shape.part(spec.part_id).mesh
    shift = np.eye(4)
    shift[:3, 3] = slot.centre - mesh.centre
    if seat != "centre":
        end = 1 if seat == "top" else 0
        shift[2, 3] = slot.bounds[end, 2] - mesh.bounds[end, 2]
    return mesh.transformed(shift)


def refuse_other_unit(shape: Shape, variants: Mapping[str, tuple[str, ...]]) -> None:
    """Raises UsageError for a variant of another unit than the shape's, by the size of the part it would replace."""
    for part in shape.parts:
        for name in matched((part.name, part.path), variants) or ():
            larger = float(np.linalg.norm(_in_frame_of(shape, name).extents) / np.linalg.norm(part.mesh.extents))
            if not 1 / UNLIKELY < larger < UNLIKELY:
                size = f"{larger:,.0f} times as large as" if larger > 1 else f"a {1 / larger:,.0f}th of"
                takes = "metres, as its format has it" if _is_metric(name) else f"units of {shape.source_mm:g} mm"
                raise UsageError(
                    f"anomaly.swapped.variants: {name} is {size} {part.name} of {shape.shape_id}, in whose place it "
                    f"comes; its numbers are taken for {takes}; write it in that unit"
                )


def _in_frame_of(shape: Shape, name: str) -> Mesh:
    T = np.array(shape.T_shape_source)
    if _is_metric(name):
        T = T @ np.diag([*3 * [MILLIMETRES["m"] / shape.source_mm], 1.0])
    return read_variant(name).transformed(T)


def _is_metric(name: str) -> bool:
    """Whether a file's format says that it is in metres, whatever the shape's file is in."""
    return Path(name).suffix.lower() in (*GLTF_SUFFIXES, *STEP_SUFFIXES)


@lru_cache(maxsize=32)
def read_variant(name: str) -> Mesh:
    """All parts of a mesh file as one mesh, in its own frame and unit. Raises MeshLoadError, MissingDependency."""
    return concatenate([part.mesh for part in read_mesh_file(Path(name).expanduser()).parts])
