"""Rigid bodies let fall on the floor by Blender's Bullet: how objects come to lie (Odd-One-Out, section A.1)."""

from collections.abc import Sequence

import bpy
import numpy as np

Body = tuple[np.ndarray, np.ndarray]
"""Vertices (V, 3) about the mass centre, faces (F, 3)."""
HALF_SLAB = 5.0
FRAMES = 220
STEPS, ITERATIONS = 20, 30
MARGIN = 0.002
"""Collision margin in the bodies' unit; a snap to the facet beneath takes away the gap that it leaves."""
STILL = 2e-5
"""A scene in which nothing moves more than this in a frame has come to rest."""


def drop(bodies: Sequence[Body], starts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Final transforms (4, 4) of bodies of mass 1, friction 1 and no bounce, dropped together.

    Bodies are convex hulls of their meshes about their origin, which is their mass centre.
    """
    scene = bpy.context.scene
    bpy.ops.rigidbody.world_add()
    world = scene.rigidbody_world
    world.substeps_per_frame, world.solver_iterations = STEPS, ITERATIONS
    world.point_cache.frame_start, world.point_cache.frame_end = 1, FRAMES
    floor = _object("floor", *_block())
    # A box collides about its origin: the slab is centred there and lowered, so that its top is z = 0.
    floor.location = (0.0, 0.0, -HALF_SLAB)
    _rigid(floor, "PASSIVE", "BOX")
    things = []
    for k, ((vertices, faces), start) in enumerate(zip(bodies, starts, strict=True)):
        thing = _object(f"body_{k}", vertices, faces)
        thing.matrix_world = [list(row) for row in np.asarray(start).T]
        _rigid(thing, "ACTIVE", "CONVEX_HULL")
        things.append(thing)
    before = None
    for frame in range(1, FRAMES + 1):
        scene.frame_set(frame)
        now = _poses(things)
        if (
            before is not None
            and frame > 40
            and max(np.abs(a - b).max() for a, b in zip(now, before, strict=True)) < STILL
        ):
            break
        before = now
    return _poses(things)


def _poses(things: Sequence[bpy.types.Object]) -> list[np.ndarray]:
    graph = bpy.context.evaluated_depsgraph_get()
    return [np.array(thing.evaluated_get(graph).matrix_world, dtype=np.float64) for thing in things]


def _object(name: str, vertices: np.ndarray, faces: np.ndarray) -> bpy.types.Object:
    data = bpy.data.meshes.new(name)
    data.from_pydata(np.asarray(vertices).tolist(), [], np.asarray(faces).tolist())
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def _block() -> Body:
    """A slab about the origin."""
    sides = [(-50.0, 50.0), (-50.0, 50.0), (-HALF_SLAB, HALF_SLAB)]
    corners = np.array([[x, y, z] for x in sides[0] for y in sides[1] for z in sides[2]])
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)]
    faces += [(2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]
    return corners, np.array(faces)


def _rigid(thing: bpy.types.Object, kind: str, shape: str) -> None:
    with bpy.context.temp_override(object=thing, active_object=thing, selected_objects=[thing]):
        bpy.ops.rigidbody.object_add(type=kind)
    body = thing.rigid_body
    body.collision_shape = shape
    body.mass, body.friction, body.restitution = 1.0, 1.0, 0.0
    body.use_margin, body.collision_margin = True, MARGIN
    body.linear_damping, body.angular_damping = 0.1, 0.3
