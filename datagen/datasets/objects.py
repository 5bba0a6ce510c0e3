"""Scenes as torch samples: pictures with cameras, masks, boxes in the world and labels.

A key is (epoch, number): what comes out depends on the seed and the key alone. Of a damaged scene an error names the
file.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from datagen.core.errors import BrokenFile
from datagen.core.rng import stream
from datagen.datasets.dataset import SampleDataset
from datagen.datasets.matching import normalised
from datagen.datasets.objects_config import ObjectsConfig
from datagen.datasets.scenes import SceneSample
from datagen.datasets.views import picture_width, read_picture
from datagen.formats.oddoneout import FOLDER, view_name
from datagen.store.reader import DatasetReader

MASKED = 128
"""Grey level from which a pixel of a mask counts."""


class ObjectScenes(SampleDataset):
    """Scenes of one split. `train` draws views and moves the world; else the fixed views, as they are."""

    def __init__(
        self, files: DatasetReader, samples: Sequence[SceneSample], config: ObjectsConfig, *, train: bool, seed: int = 0
    ) -> None:
        """Raises BrokenFile for a scene with more objects than there is room for, or fewer views than are wanted."""
        self.files, self.samples, self.config, self.train, self.seed = files, samples, config, train, seed
        wanted = config.views * (2 if train else 1)
        for sample in samples:
            if len(sample.things) > config.most_objects:
                raise BrokenFile(
                    f"{files.root}/{FOLDER}/{sample.name}: {len(sample.things)} objects; raise data.most_objects"
                )
            if len(sample.extrinsics) < wanted:
                raise BrokenFile(
                    f"{files.root}/{FOLDER}/{sample.name}: {len(sample.extrinsics)} views, {wanted} are wanted; "
                    "lower data.views"
                )

    def views_of(self, epoch: int, sample: SceneSample) -> list[int]:
        """2M distinct views drawn in training; else M of the protocol's set, evenly spread where M is not five."""
        count, M = len(sample.extrinsics), self.config.views
        if self.train:
            return stream(self.seed, "views", epoch, sample.name).permutation(count)[: 2 * M].tolist()
        step = count / M
        return [int(k * step + self.config.protocol * step / 2) % count for k in range(M)]

    def item(self, epoch: int, number: int) -> dict[str, Tensor]:
        """`pictures` (V, 3, S, S) in [-1, 1], `masks` (V, S, S) bool, `K` (3, 3) in their pixels, `extrinsics`
        (V, 4, 4), `boxes` (N, 2, 3), `label` (N,), `there` (N,) bool and `poses` (N, 4, 4), NaN where unknown; V = 2M
        in training, else M."""
        sample, size = self.samples[number], self.config.image_px
        views = self.views_of(epoch, sample)
        folder = f"{FOLDER}/{sample.name}"
        pictures = [read_picture(self.files, f"{folder}/RGB/{view_name(v)}", "RGB", size) for v in views]
        masks = [read_picture(self.files, f"{folder}/masks/{view_name(v)}", "L", size) >= MASKED for v in views]
        K = np.array(sample.K).reshape(3, 3).copy()
        K[:2] *= size / picture_width(self.files, f"{folder}/RGB/{view_name(views[0])}")
        T = np.array([sample.extrinsics[v] for v in views]).reshape(-1, 4, 4)
        N = self.config.most_objects
        boxes, there = np.zeros((N, 2, 3)), np.arange(N) < len(sample.things)
        boxes[:, 1] = 1e-3
        label, poses = np.zeros(N), np.full((N, 4, 4), np.nan)
        for n, thing in enumerate(sample.things):
            boxes[n], label[n] = thing.box, thing.label
            if thing.pose:
                poses[n] = np.array(thing.pose).reshape(4, 4)
        if self.train:
            world = drawn_world(self.config, stream(self.seed, "world", epoch, sample.name))
            T = T @ np.linalg.inv(world)
            boxes = moved_boxes(boxes, world)
            poses = world @ poses
        floats = {"K": K, "extrinsics": T, "boxes": boxes, "label": label, "poses": poses}
        return {
            "pictures": torch.stack([normalised(torch.from_numpy(p.copy()).permute(2, 0, 1)) for p in pictures]),
            "masks": torch.from_numpy(np.stack(masks)),
            "there": torch.from_numpy(there),
            **{name: torch.from_numpy(value).float() for name, value in floats.items()},
        }


def drawn_world(config: ObjectsConfig, rng: np.random.Generator) -> np.ndarray:
    """A similarity (4, 4) of the world: turned about z, shifted along the floor, scaled, perhaps mirrored."""
    angle = np.radians(rng.uniform(-config.yaw_deg, config.yaw_deg))
    scale = rng.uniform(*config.scale)
    mirror = -1.0 if rng.random() < config.flip else 1.0
    c, s = np.cos(angle), np.sin(angle)
    world = np.eye(4)
    world[:3, :3] = scale * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag([mirror, 1.0, 1.0])
    world[:2, 3] = rng.uniform(-config.shift_m, config.shift_m, 2)
    return world


def moved_boxes(boxes_N23: np.ndarray, world_44: np.ndarray) -> np.ndarray:
    """Axis-aligned boxes (centre, size) about the moved ones: wider where they are turned."""
    centre = boxes_N23[:, 0] @ world_44[:3, :3].T + world_44[:3, 3]
    return np.stack([centre, boxes_N23[:, 1] @ np.abs(world_44[:3, :3]).T], axis=1)
