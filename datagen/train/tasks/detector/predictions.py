"""What a detector answered to the objects of a split's scenes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.datasets.scenes import SceneSample, Thing
from datagen.train.predictions import Predictions


@dataclass(frozen=True)
class ObjectSample:
    """One object of one scene, as a row of the predictions."""

    scene: SceneSample
    place: int

    @property
    def shape(self) -> str:
        """The shape that the scene shows."""
        return self.scene.shape

    @property
    def thing(self) -> Thing:
        """The object."""
        return self.scene.things[self.place]


@dataclass(frozen=True, eq=False)
class ObjectPredictions(Predictions):
    """One row per object, scene by scene."""

    residual: np.ndarray
    """(n,) the score of the residual that learns nothing; NaN of a network that has none."""
    recall: np.ndarray
    """One number a scene: share of exact correspondences among the k most similar tokens; NaN where unknown."""
    scene: np.ndarray
    """(n,) the number of the object's scene."""
    mask_error: np.ndarray
    """One number a scene: mean squared error of the rendered mask; NaN without rendering."""
    iou: np.ndarray
    """(n,) of the object's true box and the one found for it; 1 where true boxes were given."""
    count: np.ndarray
    """Boxes found in each scene, or given."""


def rows_of(samples: tuple[Any, ...]) -> tuple[ObjectSample, ...]:
    """The objects of scenes, one after the other."""
    return tuple(ObjectSample(sample, n) for sample in samples for n in range(len(sample.things)))


def collect(samples: tuple[Any, ...], answers: Mapping[str, np.ndarray]) -> ObjectPredictions:
    """The predictions out of the columns of `DetectorObjective.answer`, padding left out."""
    rows = [(k, n) for k, sample in enumerate(samples) for n in range(len(sample.things))]
    objects = rows_of(samples)
    nothing = np.full(len(samples), np.nan)

    def of_objects(name: str, absent: float) -> np.ndarray:
        return np.array([answers[name][k, n] if name in answers else absent for k, n in rows])

    return ObjectPredictions(
        samples=objects,
        label=np.array([sample.thing.label for sample in objects]),
        score=of_objects("score", np.nan),
        residual=of_objects("residual", np.nan),
        recall=answers.get("recall", nothing),
        scene=np.array([k for k, _ in rows]),
        mask_error=answers.get("mask_error", nothing),
        iou=of_objects("iou", 1.0),
        count=answers.get("count", np.array([len(sample.things) for sample in samples])),
    )


def score_rows(found: ObjectPredictions) -> list[dict[str, Any]]:
    """A row of scores-<split>.csv for every object. `object` is its place in the scene's list."""
    return [
        {
            "scene": sample.scene.name,
            "object": sample.place,
            "label": sample.thing.label,
            "kind": sample.thing.kind,
            "severity": f"{sample.thing.severity:.6g}",
            "score": f"{score:.6g}",
        }
        for sample, score in zip(found.samples, found.score.tolist(), strict=True)
    ]
