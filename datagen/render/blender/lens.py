"""The scene's camera: made once, moved from view to view."""

import bpy

from datagen.core.camera import Camera

SENSOR_MM = 36.0


def add_camera(scene: bpy.types.Scene, clip: tuple[float, float]) -> bpy.types.Object:
    """The scene's one camera, seeing from `clip[0]` to `clip[1]` scene units."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR_MM
    data.clip_start, data.clip_end = clip
    made = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(made)
    scene.camera = made
    return made


def look_through(placed: bpy.types.Object, camera: Camera) -> None:
    """Give it the lens and the place of a camera."""
    placed.data.lens = SENSOR_MM * camera.focal_px / camera.size_px
    placed.matrix_world = [list(row) for row in camera.T_world_camera.T]
