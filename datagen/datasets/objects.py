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
from datagen.datasets.object_views import LooseScenes, SceneForm, SceneSource
from datagen.datasets.objects_config import ObjectsConfig
from datagen.datasets.samples import read_table
from datagen.datasets.scenes import SceneSample
from datagen.formats.oddoneout import FOLDER
from datagen.store.reader import DatasetReader

OFF_CENTRE = 0.2
"""How far the middle of a lens may be from the picture's, as a share of its width: a K of half or twice the size is."""
FIVE, PROTOCOL = 5, "protocol.json"
"""Views of each of the two fixed sets, and the file that has them."""
FEATURES = ("held", "taught")
"""Names of features that a source may hold: of the encoder, and of the teacher."""


class ObjectScenes(SampleDataset):
    """Scenes of one split. `train` draws views and moves the world; else the fixed views, as they are."""

    def __init__(
        self,
        files: DatasetReader,
        samples: Sequence[SceneSample],
        config: ObjectsConfig,
        *,
        train: bool,
        seed: int = 0,
        source: SceneSource | None = None,
    ) -> None:
        """Raises BrokenFile for a scene with more objects than there is room for, or fewer views than are wanted."""
        self.samples, self.config, self.train, self.seed = samples, config, train, seed
        self.source: SceneSource = source or LooseScenes(
            files, SceneForm(config.image_px, config.points, config.depth_noise_m, train and config.changed)
        )
        self.protocol = None if train or config.views != FIVE else read_protocol(files)
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
        """2M distinct views drawn in training; else M of the protocol's set. Of another M than five, and where
        protocol.json is not there or is of scenes of another number of views, these are evenly spread."""
        count, M = len(sample.extrinsics), self.config.views
        if self.train:
            return stream(self.seed, "views", epoch, sample.name).permutation(count)[: 2 * M].tolist()
        if self.protocol is not None and self.protocol[0] == count:
            return list(self.protocol[1][self.config.protocol])
        step = count / M
        return [int(k * step + self.config.protocol * step / 2) % count for k in range(M)]

    def item(self, epoch: int, number: int) -> dict[str, Tensor]:
        """`pictures` (V, 3, S, S) in [-1, 1], `masks` (V, S, S) bool, `K` (3, 3) in their pixels, `extrinsics`
        (V, 4, 4), `boxes` (N, 2, 3), `label` (N,), `there` (N,) bool and `poses` (N, 4, 4), NaN where unknown; V = 2M
        in training, else M; in training with `data.changed` also `changed` (V, S, S) bool. `clouds` (N, P, 3) in the
        world, P = `data.points`; `held` and `taught` (V, C, h, w) where the source holds features of that name."""
        sample, size = self.samples[number], self.config.image_px
        views = self.views_of(epoch, sample)
        K = np.array(sample.K).reshape(3, 3).copy()
        width = self.source.width(sample)
        if not abs(K[0, 2] / width - 0.5) < OFF_CENTRE:
            raise BrokenFile(
                f"{FOLDER}/{sample.name}: the middle of its lens is at {K[0, 2]:g} px and its pictures are {width} px "
                "wide; is K of another size?"
            )
        K[:2] *= size / width
        T = np.array([sample.extrinsics[v] for v in views]).reshape(-1, 4, 4)
        N = self.config.most_objects
        boxes, there = np.zeros((N, 2, 3)), np.arange(N) < len(sample.things)
        boxes[:, 1] = 1e-3
        label, poses = np.zeros(N), np.full((N, 4, 4), np.nan)
        for n, thing in enumerate(sample.things):
            boxes[n], label[n] = thing.box, thing.label
            if thing.pose:
                poses[n] = np.array(thing.pose).reshape(4, 4)
        clouds = np.zeros((N, self.config.points, 3))
        if self.config.points:
            clouds[: len(sample.things)] = self.source.clouds(sample)
        if self.train:
            world = drawn_world(self.config, stream(self.seed, "world", epoch, sample.name))
            T = T @ np.linalg.inv(world)
            boxes = moved_boxes(boxes, world)
            poses = world @ poses
            clouds = clouds @ world[:3, :3].T + world[:3, 3]
        floats = {"K": K, "extrinsics": T, "boxes": boxes, "label": label, "poses": poses, "clouds": clouds}
        held = {name: self.source.features(name, sample, views) for name in FEATURES}
        if self.train and self.config.changed:
            held["changed"] = self.source.changed(sample, views)
        pictures = torch.from_numpy(self.source.pictures(sample, views)).permute(0, 3, 1, 2)
        return {
            "pictures": normalised(pictures),
            "masks": torch.from_numpy(self.source.masks(sample, views)),
            **{name: torch.from_numpy(value) for name, value in held.items() if value is not None},
            "there": torch.from_numpy(there),
            **{name: torch.from_numpy(value).float() for name, value in floats.items()},
        }


def read_protocol(files: DatasetReader) -> tuple[int, list[list[int]]] | None:
    """Of how many views protocol.json is, and its two sets of five; None where it is not there, or its sets are
    smaller, as they are of scenes of few views. Raises BrokenFile for a file that says anything else."""
    if not files.has(PROTOCOL):
        return None
    told = read_table(files, PROTOCOL)
    try:
        views, sets = int(told["views"]), [[int(v) for v in one] for one in told["five_views"]]
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenFile(f"{files.root}/{PROTOCOL}: {error!r}; restore the file") from error
    if len(sets) != 2 or any(len(set(one)) != len(one) or not set(one) <= set(range(views)) for one in sets):
        raise BrokenFile(f"{files.root}/{PROTOCOL}: five_views are not two sets of distinct views; restore the file")
    return None if any(len(one) != FIVE for one in sets) else (views, sets)


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
