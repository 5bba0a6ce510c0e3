"""Features that are computed once for every view: those of a held encoder, and those that a teacher teaches.

A teacher's features are projected to as many components as beta has (section 4.2: PCA of DINOv2 to 128), of the
training scenes; a digest of files and sizes names them in the packed cache.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA

from datagen.core.errors import MissingDependency
from datagen.core.ids import bytes_hash, content_hash
from datagen.datasets.matching import normalised
from datagen.datasets.object_views import Features, LooseScenes, SceneForm
from datagen.datasets.scenes import SceneSample
from datagen.models.backbones import RANDOM, FrozenBackbone, load_backbone
from datagen.models.detector.encoders import frozen_backbone
from datagen.store.reader import DatasetReader
from datagen.train.tasks.detector.recipe import DetectorRecipe

FITTED_ON = 64
"""Training scenes, evenly drawn from all, whose first view's features the components are of."""
AT_ONCE = 20
"""Pictures that go through a network at once."""


def features_of(network: FrozenBackbone, image_px: int | None = None) -> Features:
    """A network as a function of pictures (V, S, S, 3) uint8, resized to `image_px` first."""

    @torch.no_grad()
    def compute(pictures: np.ndarray) -> np.ndarray:
        parts = []
        for at in range(0, len(pictures), AT_ONCE):
            x = normalised(torch.from_numpy(pictures[at : at + AT_ONCE]).permute(0, 3, 1, 2))
            if image_px and image_px != x.shape[-1]:
                x = F.interpolate(x, size=image_px, mode="bilinear", antialias=True)
            parts.append(network(x).numpy())
        return np.concatenate(parts)

    return compute


def held_features(recipe: DetectorRecipe) -> list[tuple[str, str, Features]]:
    """`held`: features of the encoder, where it is a frozen network."""
    network = frozen_backbone(recipe.model.encoder)
    if network is None:
        return []
    config = recipe.model.encoder
    return [("held", content_hash([config.name, config.stride, _digest(config.weights)]), features_of(network))]


def taught_features(
    recipe: DetectorRecipe, files: DatasetReader, samples: Sequence[SceneSample]
) -> list[tuple[str, str, Features]]:
    """`taught`: the teacher's features of training scenes, of `model.feature_dim` channels.

    Raises MissingDependency.
    """
    teacher, dim = recipe.teacher, recipe.model.feature_dim
    if teacher.name == "none" or not recipe.loss.feature:
        return []
    whole = features_of(load_backbone(teacher.name, teacher.weights, teacher.stride), teacher.image_px)
    digest = content_hash([teacher.name, teacher.stride, teacher.image_px, dim, FITTED_ON, _digest(teacher.weights)])

    @cache
    def components() -> PCA:
        loose = LooseScenes(files, SceneForm(recipe.data.image_px))
        some = [samples[int(k)] for k in np.linspace(0, len(samples) - 1, min(FITTED_ON, len(samples)))]
        seen = np.concatenate([_rows(whole(loose.pictures(sample, [0]))) for sample in some])
        if seen.shape[1] < dim:
            raise MissingDependency(
                f"teacher {teacher.name} has {seen.shape[1]} channels; set model.feature_dim to at most that"
            )
        return PCA(dim, svd_solver="full").fit(seen)

    def compute(pictures: np.ndarray) -> np.ndarray:
        found = whole(pictures)
        V, _, h, w = found.shape
        return components().transform(_rows(found)).reshape(V, h, w, dim).transpose(0, 3, 1, 2)

    return [("taught", digest, compute)]


def _rows(features_VChw: np.ndarray) -> np.ndarray:
    """One row a place."""
    return features_VChw.transpose(0, 2, 3, 1).reshape(-1, features_VChw.shape[1])


def _digest(weights: str) -> str:
    if weights in ("", RANDOM):
        return weights
    try:
        return bytes_hash(Path(weights).read_bytes())
    except OSError as error:
        raise MissingDependency(f"{weights}: {error.strerror}; give a file of weights") from error
