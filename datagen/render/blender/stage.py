"""A scene in Blender, ready to render: its objects, the rig of its ground (white studio or floor), Cycles.

A picture is made in one pass, or in two: the ground alone (small and with few samples: a white one holds
nothing but soft shadows) and the objects alone within their box, laid over it by their coverage. Every light
path is the one of a single pass; samples are spent where there is something to see.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from datagen.core.camera import Camera
from datagen.core.scene import Scene, Studio, View
from datagen.render.bend import bent, straight
from datagen.render.blender import engine, meshes, picture, shader
from datagen.render.blender.backed import LEAST_SAMPLES, backed_grounds, is_backed, tiled_ground
from datagen.render.blender.floor import FloorRig
from datagen.render.blender.studio import StudioRig
from datagen.render.grain import without_grain

BOX_MARGIN_PX = 3
"""The pixel filter reaches 0.75 px beyond a pixel; the rest is for rounding."""


BRIGHTEST = 1.5
"""Linear light that pictures through a lens are cut to before they are bent."""


def as_straight(view: View) -> View:
    """A view without its lens, wider; itself without distortion."""
    wide = straight(view.camera)
    return view if wide is view.camera else replace(view, camera=wide)


def set_stage(job: Scene, threads: int, folder: Path) -> "Stage":
    """An empty Blender with the scene in it. Raises MaterialError, MissingDependency."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    engine.configure(scene, job, threads)
    materials = {key: shader.build(job.materials[key]) for key in sorted(job.materials)}
    objects = meshes.add_objects(job, materials)
    rig = StudioRig(scene, job, materials) if isinstance(job.ground, Studio) else FloorRig(scene, job, materials)
    return Stage(scene, job, objects, rig, folder)


@dataclass(frozen=True, eq=False)
class Stage:
    """A scene that is ready to render."""

    scene: bpy.types.Scene
    job: Scene
    objects: list[bpy.types.Object]
    rig: StudioRig | FloorRig
    folder: Path

    @property
    def settings(self) -> dict[str, Any]:
        """The engine settings of the scene."""
        return dict(self.job.settings)

    @cached_property
    def _is_tiled(self) -> bool:
        """Whether the ground has a texture, which takes all pixels and samples."""
        return tiled_ground(self.job) is not None

    @cached_property
    def _points(self) -> np.ndarray:
        """Vertices (V, 3) of all objects in the world."""
        return np.concatenate([mesh.vertices for thing in self.job.objects for _, mesh in thing.meshes()])

    def in_one_pass(self) -> list[np.ndarray]:
        """Every view as a whole; with `border_px` (x0, y0, x1, y1) only that box, on white."""
        border = self.settings.get("border_px")
        if border is not None:
            engine.crop(self.scene, border)
        pictures = []
        for view in self.job.views:
            wide = as_straight(view)
            if border is None:
                engine.resize(self.scene, wide.camera.size_px)
            self.rig.aim(wide)
            found = picture.render_shown(self.scene, self.folder)
            if border is None and wide is not view:
                found = np.round(bent(found.astype(np.float64), view.camera)).astype(np.uint8)
            pictures.append(found if border is None else _on_white(found, border, view.camera.size_px))
        return pictures

    def in_two_passes(self) -> list[np.ndarray]:
        """Every view as the object over its ground. All grounds come first: what the camera sees of the
        scene changes once, and Cycles keeps its geometry."""
        grounds = self._grounds()
        self.show_object()
        return [self._over(view, ground) for view, ground in zip(self.job.views, grounds, strict=True)]

    def _grounds(self) -> list[np.ndarray]:
        """The ground of each view as if the object only cast its shadow: linear (N, N, 3), small or of full size."""
        self.show_ground()
        if is_backed(self.job):
            return backed_grounds(self.job, self.objects, self._ground_of)
        return [self._ground_of(view) for view in self.job.views]

    def _ground_of(self, view: View) -> np.ndarray:
        """A view's ground, small: linear (N, N, 3)."""
        self.aim_at_ground(view)
        samples = self.settings["samples" if self._is_tiled else "ground_samples"]
        if is_backed(self.job):
            samples = max(samples, LEAST_SAMPLES)
        noisy = self.settings["denoiser"] == "none"
        return self._ground(samples) if noisy or self._is_tiled else without_grain(self._ground, samples)

    def _ground(self, samples: int) -> np.ndarray:
        """The ground of the view aimed at: linear (N, N, 3)."""
        engine.sample(self.scene, samples)
        return picture.render_linear(self.scene, self.folder)[..., :3]

    def show_ground(self) -> None:
        """Let the camera see the ground alone."""
        for thing in self.objects:
            thing.visible_camera = False
        engine.sample(self.scene, self.settings["ground_samples"])
        engine.denoise(self.scene, self.settings["denoiser"], "RGB_ALBEDO_NORMAL" if self._is_tiled else "RGB")

    def aim_at_ground(self, view: View) -> None:
        """Small frame, the view's camera without its lens, and light."""
        view = as_straight(view)
        smaller = 1 if self._is_tiled else self.settings["ground_reduction"]
        engine.resize(self.scene, max(2, -(-view.camera.size_px // smaller)))
        self.rig.aim(view)

    def show_object(self) -> None:
        """Let the camera see the object alone, on nothing."""
        settings = self.settings
        for thing in self.objects:
            thing.visible_camera = True
        self.rig.floor.visible_camera = False
        self.scene.render.film_transparent = True
        engine.sample(self.scene, settings["samples"], settings["adaptive_threshold"], settings["min_samples"])
        engine.denoise(self.scene, settings["denoiser"], "RGB_ALBEDO_NORMAL", settings["prefilter"])

    def aim_at_object(self, view: View) -> tuple[int, int, int, int] | None:
        """The box of the frame that holds the object, the view's camera without its lens, and light.

        None if it is out of sight.
        """
        view = as_straight(view)
        engine.resize(self.scene, view.camera.size_px)
        box = self._box(view.camera)
        if box is not None:
            engine.crop(self.scene, box)
            self.rig.aim(view)
        return box

    def _over(self, view: View, ground: np.ndarray) -> np.ndarray:
        """The object over its ground, which is small, or as large as the picture."""
        if view.camera.lens.is_straight:
            whole = picture.enlarged(ground, view.camera.size_px)
            box = self.aim_at_object(view)
            if box is not None:
                x0, y0, x1, y1 = box
                whole[y0:y1, x0:x1] = picture.over(picture.render_linear(self.scene, self.folder), whole[y0:y1, x0:x1])
            return picture.shown(self.scene, whole, self.folder)
        above = self._object_through(view)
        if not is_backed(self.job):
            ground = picture.through(ground, view.camera)
        return picture.shown(self.scene, picture.over(above, ground), self.folder)

    def _object_through(self, view: View) -> np.ndarray:
        """The object as a view's lens shows it: linear, premultiplied RGBA (S, S, 4)."""
        size, box = as_straight(view).camera.size_px, self.aim_at_object(view)
        whole = np.zeros((size, size, 4), dtype=np.float32)
        if box is not None:
            x0, y0, x1, y1 = box
            whole[y0:y1, x0:x1] = picture.render_linear(self.scene, self.folder)
        # Splines swing beside what is far brighter than white.
        return bent(np.minimum(whole, BRIGHTEST), view.camera)

    def _box(self, camera: Camera) -> tuple[int, int, int, int] | None:
        """Columns and rows (x0, y0, x1, y1) that hold the object, ends excluded; None if it is out of sight."""
        pixels, depth = camera.project(self._points)
        size = camera.size_px
        if (depth <= 1e-6).any():
            return 0, 0, size, size
        low = np.clip(np.floor(pixels.min(axis=0)) - BOX_MARGIN_PX, 0, size).astype(int)
        high = np.clip(np.ceil(pixels.max(axis=0)) + BOX_MARGIN_PX, 0, size).astype(int)
        return None if (high <= low).any() else (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _on_white(crop: np.ndarray, box: tuple[int, int, int, int], size: int) -> np.ndarray:
    whole = np.full((size, size, 3), 255, np.uint8)
    x0, y0, x1, y1 = box
    whole[y0:y1, x0:x1] = crop
    return whole
