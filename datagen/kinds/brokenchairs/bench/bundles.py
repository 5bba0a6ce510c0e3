"""Reference bundles: what they cost at 20,000 and 195,000 faces, and embree beside pyrender."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import trimesh

from datagen.core.errors import MissingDependency
from datagen.core.shape import Mesh, Shape
from datagen.geometry.rays import RayScene
from datagen.kinds.brokenchairs.bench.plans import plan_of, recipe_of
from datagen.kinds.brokenchairs.context import ChairContext
from datagen.kinds.brokenchairs.plan import ChairPlan
from datagen.kinds.brokenchairs.references import reference_job
from datagen.materials.open import open_libraries
from datagen.pipeline.prepared import Prepared
from datagen.recipe import Recipe
from datagen.render.raster import Rasteriser
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import reference_cameras, reference_transform

TARGETS = {"20k": 20_000, "195k": 195_000}


def bundles(rounds: int) -> dict[str, Any]:
    """CPU-seconds of a whole bundle (20 views, depth, correspondences, model.obj), the least of `rounds`."""
    context = open_bundles()
    found: dict[str, Any] = {}
    for name, faces in TARGETS.items():
        shape = dense_chair(context.plan, faces)
        costs = [bundle_cost(context, shape) for _ in range(rounds)]
        told = [round(cost, 3) for cost in costs]
        found[name] = {"faces": count_faces(shape), "cpu_s": min(told), "rounds": told}
    return found


def open_bundles() -> ChairContext:
    """What a job of a reference bundle needs."""
    recipe = recipe_of(None)
    return ChairContext(plan_of(recipe), open_libraries(recipe.materials.libraries, recipe.seed), "fake")


def bundle_cost(context: ChairContext, shape: Shape) -> float:
    """CPU-seconds of the bundle of a shape."""
    plan = context.plan
    job = next(job for job in plan.jobs_of(0, plan.shapes[0]) if job.job_type == "reference")
    return timed(lambda: reference_job(job, context, shape, Prepared(job)))


def embree_and_pyrender(rounds: int) -> dict[str, Any]:
    """CPU-seconds a shaded view of 20,000 faces with each, the least of `rounds`; None where pyrender fails."""
    recipe = recipe_of(None)
    plan = plan_of(recipe)
    shape = dense_chair(plan, TARGETS["20k"])
    parts = [(p.part_id, p.mesh) for p in shape.transformed(reference_transform(shape)).parts]
    meshes = [mesh for _, mesh in parts]
    found = {"embree_cpu_s": _views(lambda: ReferenceShader(RayScene(parts), meshes), recipe, rounds)}
    try:
        found["pyrender_cpu_s"] = _views(lambda: Rasteriser(parts), recipe, rounds)
    except MissingDependency:
        found["pyrender_cpu_s"] = None
    return found


def _views(make: Callable[[], Any], recipe: Recipe, rounds: int) -> float | None:
    cameras = [camera for _, camera in reference_cameras(recipe.reference)]

    def shoot() -> None:
        shader = make()
        for camera in cameras:
            shader.shaded(camera)
        shader.close()

    return round(min(timed(shoot) for _ in range(rounds)) / len(cameras), 4)


def dense_chair(plan: ChairPlan, faces: int) -> Shape:
    """A built-in chair whose faces are quartered until it has about as many as wanted."""
    counts = {entry.shape_id: count_faces(plan.source.load(entry.shape_id)) for entry in plan.shapes[:12]}

    def miss(shape_id: str) -> float:
        return min(abs(counts[shape_id] * 4**k / faces - 1) for k in range(5))

    shape = plan.source.load(min(counts, key=miss))
    while count_faces(shape) < 0.5 * faces:
        shape = replace(shape, parts=tuple(replace(part, mesh=_quartered(part.mesh)) for part in shape.parts))
    return shape


def _quartered(mesh: Mesh) -> Mesh:
    return Mesh(*trimesh.remesh.subdivide(mesh.vertices, mesh.faces))


def count_faces(shape: Shape) -> int:
    """Faces of all parts."""
    return sum(len(part.mesh.faces) for part in shape.parts)


def timed(work: Callable[[], object]) -> float:
    """CPU-seconds of this process."""
    start = time.process_time()
    work()
    return time.process_time() - start
