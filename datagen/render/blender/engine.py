"""Cycles settings, all spelt out, and the devices of this machine."""

from typing import Any

import bpy

from datagen.core.errors import MissingDependency
from datagen.core.scene import RenderJob


def configure(scene: bpy.types.Scene, job: RenderJob, threads: int) -> None:
    """Set every render setting that reaches a pixel. Raises MissingDependency for an absent device."""
    settings: dict[str, Any] = dict(job.settings)
    size = job.views[0].camera.size_px
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = size
    render.resolution_percentage = 100
    render.threads_mode, render.threads = "FIXED", threads
    render.use_persistent_data = True
    render.film_transparent = False
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode, render.image_settings.color_depth = "RGB", "8"
    render.image_settings.compression = 15
    render.dither_intensity = 0.0
    view = scene.view_settings
    view.view_transform, view.look = settings["view_transform"], "None"
    view.exposure, view.gamma = 0.0, 1.0
    _device(cycles, settings["device"])
    cycles.samples = settings["samples"]
    cycles.use_adaptive_sampling = settings["adaptive_threshold"] > 0
    cycles.adaptive_threshold = settings["adaptive_threshold"]
    cycles.adaptive_min_samples = settings["min_samples"]
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
    cycles.use_light_tree = False
    cycles.use_fast_gi = False
    cycles.use_auto_tile = False
    _denoiser(scene, cycles, settings["denoiser"])


def _denoiser(scene: bpy.types.Scene, cycles: bpy.types.bpy_struct, name: str) -> None:
    cycles.use_denoising = name == "oidn"
    if cycles.use_denoising:
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
        cycles.denoising_prefilter = "ACCURATE"
        cycles.denoising_quality = "HIGH"
        cycles.denoising_use_gpu = False


def _device(cycles: bpy.types.bpy_struct, name: str) -> None:
    if name == "CPU":
        cycles.device = "CPU"
        return
    preferences = bpy.context.preferences.addons["cycles"].preferences
    found = [d for d in preferences.get_devices_for_type(name)] if name in _types(preferences) else []
    if not any(device.type == name for device in found):
        have = ", ".join(devices())
        raise MissingDependency(f"the recipe asks for {name}, this machine has {have}; set render.device")
    preferences.compute_device_type = name
    for device in found:
        device.use = device.type == name
    cycles.device = "GPU"


def _types(preferences: bpy.types.AddonPreferences) -> list[str]:
    return [item[0] for item in preferences.get_device_types(bpy.context)]


def devices() -> list[str]:
    """'CPU' and every GPU as 'TYPE: name'."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    found = ["CPU"]
    for kind in _types(preferences):
        if kind == "NONE":
            continue
        found += [f"{kind}: {d.name}" for d in preferences.get_devices_for_type(kind) if d.type == kind]
    return found
