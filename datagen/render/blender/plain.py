"""A script of the kind people write, for comparison: `python -m datagen.render.blender.plain JOB.pickle`.

The scene is ours to the last texture and lamp, and so are the caustics that it leaves out: what differs
is how it is rendered. Blender's own defaults everywhere else: all cores, the whole frame in one pass, the
default denoiser, adaptive sampling and importance map, nothing kept from one picture to the next.
"""

import pickle
import sys
from pathlib import Path

import bpy
import numpy as np

from datagen.core.scene import Scene
from datagen.render.blender import meshes, picture, shader, studio


def render(job: Scene, samples: int, folder: Path) -> list[np.ndarray]:
    """One (H, W, 3) uint8 picture a view."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = job.views[0].camera.size_px
    scene.view_settings.view_transform = "Standard"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    materials = {key: shader.build(material) for key, material in job.materials.items()}
    meshes.add_objects(job, materials)
    rig = studio.StudioRig(scene, job, materials)
    pictures = []
    for view in job.views:
        rig.aim(view)
        scene.world.cycles.sampling_method = "AUTOMATIC"
        pictures.append(picture.render_shown(scene, folder))
    return pictures


def main() -> None:
    """Read the job and the sample count, write an array of pictures beside them."""
    path = Path(sys.argv[1])
    job, samples = pickle.loads(path.read_bytes())
    np.save(path.with_suffix(".npy"), np.array(render(job, samples, path.parent)))


if __name__ == "__main__":
    main()
