"""Cycles settings, all spelt out, and the devices of this machine."""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from datagen.core.errors import MissingDependency
from datagen.core.scene import Scene, Studio

GPU_KINDS = ("OPTIX", "CUDA", "HIP", "METAL", "ONEAPI")
"""In the order in which `device: auto` takes them."""


def configure(scene: bpy.types.Scene, job: Scene, threads: int) -> None:
    """Set every render setting that reaches a pixel. Raises MissingDependency for an absent device."""
    settings: dict[str, Any] = dict(job.settings)
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_percentage = 100
    resize(scene, job.views[0].camera.size_px)
    render.threads_mode, render.threads = "FIXED", threads
    render.use_persistent_data = True
    render.film_transparent = False
    render.dither_intensity = 0.0
    view = scene.view_settings
    view.view_transform, view.look = settings["view_transform"], "None"
    view.exposure, view.gamma = 0.0, 1.0
    _device(cycles, settings["device"].upper())
    cycles.time_limit = 0
    cycles.seed = job.seed % 2**31
    cycles.use_animated_seed = False
    cycles.sampling_pattern = "TABULATED_SOBOL"
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = settings["max_bounces"]
    cycles.transmission_bounces = cycles.volume_bounces = 0
    cycles.transparent_max_bounces = 2
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = 0.0, settings["clamp_indirect"]
    # Few lights that are all far away need none; a small lamp beside a large one is found by it.
    cycles.use_light_tree = isinstance(job.ground, Studio) and bool(job.ground.lamps)
    cycles.use_fast_gi = False
    cycles.use_auto_tile = False
    sample(scene, settings["samples"], settings["adaptive_threshold"], settings["min_samples"])
    denoise(scene, settings["denoiser"], "RGB_ALBEDO_NORMAL", settings["prefilter"])


def sample(scene: bpy.types.Scene, samples: int, adaptive_threshold: float = 0.0, min_samples: int = 1) -> None:
    """Samples a pixel; a threshold above 0 makes that the largest number of an adaptive one."""
    cycles = scene.cycles
    cycles.samples = samples
    cycles.use_adaptive_sampling = adaptive_threshold > 0
    cycles.adaptive_threshold, cycles.adaptive_min_samples = adaptive_threshold, min_samples


def denoise(scene: bpy.types.Scene, denoiser: str, passes: str, prefilter: str = "none") -> None:
    """Open Image Denoise on the colour and what `passes` adds (RGB, RGB_ALBEDO_NORMAL), or no denoiser.

    On the device that renders: it would otherwise wait for the picture to come back.
    """
    cycles = scene.cycles
    cycles.use_denoising = denoiser == "oidn"
    if cycles.use_denoising:
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = passes
        cycles.denoising_prefilter = prefilter.upper()
        cycles.denoising_quality = "HIGH"
        cycles.denoising_use_gpu = cycles.device == "GPU"


def resize(scene: bpy.types.Scene, size_px: int) -> None:
    """A square frame of `size_px`, rendered whole."""
    render = scene.render
    render.resolution_x = render.resolution_y = size_px
    render.use_border = render.use_crop_to_border = False


def crop(scene: bpy.types.Scene, box: Sequence[int]) -> None:
    """Render only the pixels of a box (x0, y0, x1, y1), row 0 on top, ends excluded."""
    render = scene.render
    x0, y0, x1, y1 = box
    render.use_border = render.use_crop_to_border = True
    width, height = render.resolution_x, render.resolution_y
    render.border_min_x, render.border_max_x = (border_at(x / width, x, width) for x in (x0, x1))
    render.border_min_y, render.border_max_y = (border_at(1 - y / height, height - y, height) for y in (y1, y0))


def border_at(share: float, pixel: int, size: int) -> float:
    """The share of a frame that Blender takes for a pixel's edge: it cuts off the product in single precision."""
    return share if int(np.float32(share) * np.float32(size)) == pixel else (pixel + 0.25) / size


def _device(cycles: bpy.types.bpy_struct, name: str) -> None:
    preferences = bpy.context.preferences.addons["cycles"].preferences
    if name == "AUTO":
        name = next((kind for kind in GPU_KINDS if _found(preferences, kind)), "CPU")
    if name == "CPU":
        cycles.device = "CPU"
        return
    found = _found(preferences, name)
    if not found:
        have = ", ".join(devices())
        raise MissingDependency(
            f"the recipe asks for {name}, this machine has {have}; set render.device to cpu or auto, "
            "or install the driver of the GPU (datagen doctor lists what is seen)"
        )
    preferences.compute_device_type = name
    # One device a worker: Ray shows each of its workers one GPU, and one more would be shared unseen.
    for device in preferences.devices:
        device.use = device == found[0]
    cycles.device = "GPU"


def _found(preferences: bpy.types.AddonPreferences, kind: str) -> list[bpy.types.bpy_struct]:
    """Devices of a kind, by name; the CPU that GPU kinds list beside theirs is left out."""
    if kind not in [item[0] for item in preferences.get_device_types(bpy.context)]:
        return []
    return [device for device in preferences.get_devices_for_type(kind) if device.type == kind]


def devices() -> list[str]:
    """'CPU' and every GPU as 'TYPE: name'."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    return ["CPU", *(f"{kind}: {device.name}" for kind in GPU_KINDS for device in _found(preferences, kind))]
