"""What a network says of the objects in a folder of photographs with poses."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from datagen.core.errors import UsageError
from datagen.datasets.matching import normalised
from datagen.formats.posed_folder import PosedPhoto, SquareView, read_posed_folder, square_views, tables_of
from datagen.models.detector.detector import Detector
from datagen.models.detector.efficient import Efficient
from datagen.models.detector.volumes import Boxes
from datagen.train.objective import Batch
from datagen.train.task import Loaded
from datagen.train.tasks.detector.baselines import Detr3DObjective, ImVoxelNetObjective
from datagen.train.tasks.detector.found import Found, found_boxes
from datagen.train.tasks.detector.pictures import BLUE, RED, box_px, boxed_view, side_by_side
from datagen.train.tasks.detector.scenes import SceneObjective, views_of

MOST_VIEWS = 20
SHOWN = 6
"""Views that the picture shows."""

FEW = 3
"""Photographs of which fewer leave boxes and scores unsure."""
MOST_WHITE = 0.7
"""Share of all pictures above which masks have the ground white instead of the objects."""
NEEDS_MASKS = "this network finds boxes by masks: put one a photo into masks/, of its name, white on objects"
"""What photographs without masks are refused with."""


@dataclass(frozen=True)
class FoundObject:
    """An object: its box in the world (centre and size, metres), its score, and its box in every photo.

    `box_px` is left, top, right and bottom in a photo's pixels by its file's name, None where part of the box is
    behind the camera.
    """

    box: tuple[tuple[float, ...], tuple[float, ...]]
    score: float
    anomalous: bool
    box_px: dict[str, tuple[float, ...] | None]


@dataclass(frozen=True, eq=False)
class SceneAnswer:
    """What `datagen predict --scene` says."""

    objects: tuple[FoundObject, ...]
    threshold: float
    boxes_by: str
    """How the boxes were found: hull (of the masks), density, own, or given."""
    picture: np.ndarray
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The answer in words."""
        odd = [n + 1 for n, one in enumerate(self.objects) if one.anomalous]
        told = f"{len(self.objects)} objects; " + (f"odd: {', '.join(map(str, odd))}" if odd else "none is odd")
        rows = []
        for n, one in enumerate(self.objects):
            x, y, z = one.box[0]
            word = "odd" if one.anomalous else "normal"
            rows.append(f"{n + 1}: {word}, score {one.score:.3f}, at {x:.2f} {y:.2f} {z:.2f} m")
        return [told, *rows]

    def to_json(self) -> dict[str, Any]:
        """The answer as plain data."""
        objects = [
            {"score": o.score, "anomalous": o.anomalous, "box": [list(v) for v in o.box], "box_px": o.box_px}
            for o in self.objects
        ]
        return {"objects": objects, "threshold": self.threshold, "boxes_by": self.boxes_by}


@torch.no_grad()
def judge_scene(loaded: Loaded, folder: Path, most_views: int = MOST_VIEWS) -> SceneAnswer:
    """Scores and boxes of the objects that the photographs of a folder show.

    Boxes are found by the hull of the masks where the photos have them, else by the density that the network
    reconstructs. Raises UsageError for a folder without poses, masks that cannot be used, and where boxes can be found
    in neither way.
    """
    objective = cast(SceneObjective, loaded.objective)
    objective.eval()
    photos = _spread(read_posed_folder(folder), most_views)
    views = square_views(photos, loaded.recipe.data.image_px)
    uses = "hull" in objective.ways or loaded.recipe.model.masked
    masked = uses and _masked(photos, views)
    if loaded.recipe.model.masked and not masked:
        raise UsageError(NEEDS_MASKS)
    batch = {name: value.to(loaded.device) for name, value in _batch(views).items()}
    way, boxes, score = _judged(objective, batch, masked)
    if not len(boxes):
        masks = "" if masked or "hull" not in objective.ways else "; masks of the objects would help"
        raise UsageError(
            f"{folder}: no object was found by {way} in the network's volume ({loaded.recipe.model.volume.bounds}); "
            f"are poses in metres, z up, with the floor at 0 and the objects in there?{masks}"
        )
    anomalous = score > loaded.threshold
    objects = tuple(
        FoundObject(
            (tuple(box[0].tolist()), tuple(box[1].tolist())),
            float(value),
            bool(odd),
            {photo.path.name: _rounded(box_px(box, photo.K, photo.T)) for photo in photos},
        )
        for box, value, odd in zip(boxes, score, anomalous, strict=True)
    )
    notes = _notes(folder, photos, way)
    return SceneAnswer(objects, loaded.threshold, way, _picture(views, boxes, score, anomalous), notes)


def _notes(folder: Path, photos: list[PosedPhoto], way: str) -> tuple[str, ...]:
    read, *others = tables_of(folder)
    notes = []
    if others:
        notes.append(f"poses are those of {read.name}; {', '.join(path.name for path in others)} is there too")
    if len(photos) < FEW:
        notes.append(f"boxes and scores are unsure with {len(photos)} of {FEW} photographs or more")
    if way == "density":
        notes.append("no masks: boxes are those of the reconstructed density")
    return tuple(notes)


def _masked(photos: list[PosedPhoto], views: list[SquareView]) -> bool:
    """Whether all photos have masks.

    Raises UsageError for a photo without one where others have it, and for masks whose objects are not white.
    """
    bare = [photo.path.name for photo, view in zip(photos, views, strict=True) if view.mask is None]
    if bare:
        if len(bare) == len(photos):
            return False
        raise UsageError(f"{bare[0]} has no mask, and {len(photos) - len(bare)} of {len(photos)} photos have one")
    white = float(np.mean([cast(np.ndarray, view.mask).mean() for view in views]))
    if not white:
        raise UsageError("the masks are black in all photos; white has to be on objects")
    if white > MOST_WHITE:
        raise UsageError(f"masks cover {white:.0%} of the pictures; white has to be on objects, black around them")
    return True


def _judged(objective: SceneObjective, batch: Batch, masked: bool) -> tuple[str, np.ndarray, np.ndarray]:
    """How boxes were found, boxes (N, 2, 3) and scores (N,)."""
    if isinstance(objective, ImVoxelNetObjective | Detr3DObjective):
        ((found, p),) = objective.found(batch)
        return "own", found.cpu().double().numpy(), (p[:, 1] / p.sum(-1).clamp_min(1e-9)).cpu().numpy()
    way = "hull" if masked and "hull" in objective.ways else "density"
    if way not in objective.ways:
        if objective.ways:
            raise UsageError(NEEDS_MASKS)
        raise UsageError("this network finds no boxes: it serves as a baseline, for evaluate")
    model, views = cast(Detector | Efficient, objective.model), views_of(batch, slice(None))
    volume = model.build(views, None) if way == "density" else None
    (boxes,) = found_boxes(cast(Found, way), model, cast(Any, volume), batch)
    if len(boxes) < 2:
        return way, boxes, np.zeros(len(boxes))
    given = torch.tensor(boxes)[None].to(batch["pictures"])
    places = Boxes(given[:, :, 0] - given[:, :, 1] / 2, given[:, :, 1])
    there = torch.ones(1, len(boxes), dtype=torch.bool, device=given.device)
    logit = model.judge(model.build(views, places), places, there)
    return way, boxes, torch.sigmoid(logit[0].float()).cpu().numpy()


def _batch(views: list[SquareView]) -> dict[str, Tensor]:
    pictures = torch.from_numpy(np.stack([view.picture for view in views])).permute(0, 3, 1, 2)
    batch = {
        "pictures": normalised(pictures)[None],
        "K": torch.from_numpy(views[0].K).float()[None],
        "extrinsics": torch.from_numpy(np.stack([view.T for view in views])).float()[None],
    }
    if all(view.mask is not None for view in views):
        batch["masks"] = torch.from_numpy(np.stack([cast(np.ndarray, view.mask) for view in views]))[None]
    return batch


def _spread(photos: list[PosedPhoto], most: int) -> list[PosedPhoto]:
    """At most so many, evenly from their list."""
    if most < 1:
        raise UsageError(f"--views {most}: give a number above 0")
    return [photos[k * len(photos) // most] for k in range(most)] if len(photos) > most else photos


def _rounded(box: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return None if box is None else tuple(round(value, 1) for value in box)


def _picture(views: list[SquareView], boxes: np.ndarray, score: np.ndarray, anomalous: np.ndarray) -> np.ndarray:
    labels = [f"{n + 1}: {value:.2f}" for n, value in enumerate(score)]
    colours = [RED if odd else BLUE for odd in anomalous]
    shown = [views[k * len(views) // SHOWN] for k in range(SHOWN)] if len(views) > SHOWN else views
    drawn = [boxed_view(view.picture, view.K, view.T, boxes, labels, colours) for view in shown]
    return np.asarray(side_by_side(drawn, 3))
