"""The reference job, and the bundle that it writes: of the normal shape here, of anomalous ones for pairs."""

from collections.abc import Sequence

import numpy as np

from datagen.annotate.correspondences import correspond, draw_points
from datagen.core.rng import stream
from datagen.core.row import Job
from datagen.core.shape import T_PUBLISHED_FROM_INSIDE, Mesh, Shape, concatenate
from datagen.formats import brokenchairs as layout
from datagen.formats.cameras import camera_json
from datagen.formats.encode import json_bytes, npy_bytes, obj_bytes, png_bytes
from datagen.geometry.rays import RayScene
from datagen.geometry.solid import solidify_part
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.maps import map_bytes
from datagen.pipeline.prepared import Prepared, job_row
from datagen.recipe.models import ReferenceRecipe
from datagen.render.raster import Rasteriser
from datagen.render.raycast import cast_view
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import reference_cameras, reference_transform

PartMeshes = Sequence[tuple[int, Mesh]]


def reference_job(job: Job, context: ChairContext, shape: Shape, before: Prepared) -> Prepared:
    """Textureless views with depth, camera and correspondences, model_id.txt and model.obj."""
    recipe, seed = context.recipe.reference, context.recipe.seed
    with context.phase("reference"):
        placed = shape.transformed(reference_transform(shape))
        rng = stream(seed, "reference-repair", job.shape_id)
        meshes, repaired = repair_control(placed, recipe.repair_share, rng)
        model = context.plan.model_of(job.shape_id)
        rng = stream(seed, "points", job.shape_id)
        files, _ = bundle_files(str(job.public_id), f"{model}\n", meshes, recipe, rng)
    row = job_row(
        job,
        context,
        row_type="reference",
        radius=recipe.radius,
        elevation_deg=recipe.elevation_deg,
        T_shape_source=source_transform(shape),
        repaired_part_id=repaired,
        warnings=shape.warnings,
        sha256=dict.fromkeys(files, ""),
    )
    return Prepared(job, (row,), files)


def bundle_files(
    name: str, model: str, parts: PartMeshes, recipe: ReferenceRecipe, rng: np.random.Generator
) -> tuple[dict[str, bytes], list[np.ndarray]]:
    """The files of the bundle called `name`, by path, and the depths (256, 256) of its views.

    `parts` are (part id, mesh) in the reference scene, `model` is the text of model_id.txt; `rng` draws the surface
    points that are tracked.
    """
    meshes = [mesh for _, mesh in parts]
    scene = RayScene(parts)
    whole = concatenate(meshes)
    points = draw_points(whole, recipe.points, rng)
    folder = layout.reference_folder(name)
    files = {
        f"{folder}/model_id.txt": model.encode(),
        f"{folder}/model.obj": obj_bytes(whole.transformed(T_PUBLISHED_FROM_INSIDE)),
    }
    depths = []
    views = Rasteriser(parts) if recipe.renderer == "pyrender" else ReferenceShader(scene, meshes)
    for azimuth, camera in reference_cameras(recipe):
        stem = layout.reference_stem(name, recipe.radius, azimuth, recipe.elevation_deg)
        stem = f"{folder}/mv_images/{stem}"
        picture, depth = views.shaded(camera)
        seen = correspond(points, scene, camera)
        record = {"pxy": seen.pxy, "is_visible": seen.is_visible, "xyz": seen.xyz}
        files[f"{stem}.png"] = png_bytes(picture)
        files[f"{stem}.npy"] = npy_bytes(np.array(record, dtype=object), allow_pickle=True)
        files[f"{stem}.json"] = json_bytes(camera_json(camera))
        files[f"{stem}_depth.npy"] = npy_bytes(depth.astype(np.float32))
        depths.append(depth)
        if recipe.maps:
            for suffix, data in map_bytes(cast_view(scene, camera), camera).items():
                files[layout.reference_map(name, stem, suffix)] = data
    views.close()
    return files, depths


def view_depths(parts: PartMeshes, recipe: ReferenceRecipe) -> list[np.ndarray]:
    """The depths (256, 256) of the views that a bundle of these parts has."""
    cameras = [camera for _, camera in reference_cameras(recipe)]
    if recipe.renderer == "raycast":
        scene = RayScene(parts)
        return [cast_view(scene, camera).depth for camera in cameras]
    views = Rasteriser(parts)
    depths = [views.shaded(camera)[1] for camera in cameras]
    views.close()
    return depths


def repair_control(placed: Shape, share: float, rng: np.random.Generator) -> tuple[list[tuple[int, Mesh]], int]:
    """Meshes with one part sent through the repair path of `broken`, its shape left alone (leak control)."""
    meshes = [(part.part_id, part.mesh) for part in placed.parts]
    chosen = int(rng.integers(len(meshes)))
    if rng.random() >= share:
        return meshes, 0
    solid = solidify_part(meshes[chosen][1])
    if solid is None:
        return meshes, 0
    part_id = meshes[chosen][0]
    meshes[chosen] = (part_id, solid.mesh())
    return meshes, part_id


def source_transform(shape: Shape) -> tuple[float, ...]:
    """The similarity from the source's file to the shape, 16 numbers row by row."""
    return tuple(value for row in shape.T_shape_source for value in row)
