"""A .blend file's meshes as GLB: run as a program of its own, so that the file's process ends with it.

Scripts, drivers and handlers in the file stay off: it is opened with `use_scripts=False`.
"""

import sys
from pathlib import Path

import bpy


def export(source: Path, target: Path) -> None:
    """Write every mesh of a .blend, modifiers applied, with its base colour textures. Raises RuntimeError."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    bpy.ops.wm.open_mainfile(filepath=str(source), load_ui=False, use_scripts=False)
    for thing in list(bpy.data.objects):
        if thing.type != "MESH":
            bpy.data.objects.remove(thing)
    if not bpy.data.objects:
        raise RuntimeError("it holds no mesh")
    bpy.ops.export_scene.gltf(
        filepath=str(target), export_format="GLB", export_apply=True, export_animations=False, export_yup=True
    )


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
