"""One photo and one reference: score, box, nearest view and an attention picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from datagen.core.camera import Camera
from datagen.core.errors import UsageError
from datagen.train.runtime import Runtime, full_memory_as_error
from datagen.train.task import Loaded
from datagen.train.tasks.matching.comparison import as_batch, comparison_picture, map_of
from datagen.train.tasks.matching.objective import DetectionObjective
from datagen.train.tasks.matching.photo import PhotoOptions, prepare_photo, read_photo
from datagen.train.tasks.matching.pictures import attention_picture, beside
from datagen.train.tasks.matching.reference import load_shape, open_reference
from datagen.train.tasks.matching.refine import MeshViews, only_view, refine


@dataclass(frozen=True, eq=False)
class Prediction:
    """`score` in 0..1, `anomalous` where above `threshold`, the one chosen on validation.

    `box` is cx, cy, w, h as fractions of the prepared picture `query`, `box_px` the same box as left, top, right,
    bottom in pixels of the photo given (upright); None for a network without box head. A normal photo has one too:
    it means nothing there.
    """

    score: float
    anomalous: bool
    threshold: float
    box: tuple[float, float, float, float] | None
    box_px: tuple[float, float, float, float] | None
    nearest_view: int | None
    nearest_azimuth_deg: float | None
    query: np.ndarray
    """The prepared picture (S, S, 3) uint8."""
    picture: np.ndarray
    """The photo as given, then the prepared query with its box, most anomalous-looking patches and their attention over
    the nearest views, uint8; of a comparator the query with its box, its change map and the chosen view."""
    camera: Camera | None = None
    """Where the photo was taken from by `data.refine`: a camera about the upright object of radius 1."""
    change: np.ndarray | None = None
    """Probability (S, S) that a pixel of `query` differs from the chosen view; None for networks that do not tell."""
    notes: tuple[str, ...] = ()
    """What was decided while the photo was read."""

    def lines(self) -> list[str]:
        """The answer in words."""
        word = "anomalous" if self.anomalous else "normal"
        said = [f"{word}: score {self.score:.3f} (threshold {self.threshold:.3f})"]
        if self.box_px and self.anomalous:
            left, top, right, bottom = (round(v) for v in self.box_px)
            said.append(f"box in the photo: {left}, {top} to {right}, {bottom} px")
        if self.nearest_view is not None:
            said.append(f"nearest view: {self.nearest_view}, azimuth {self.nearest_azimuth_deg}")
        if self.camera is not None:
            azimuth, elevation = -self.camera.azimuth_deg % 360, self.camera.elevation_deg
            said.append(f"compared with a render from azimuth {azimuth:.1f}, elevation {elevation:.1f}")
        return said

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "score": self.score,
            "anomalous": self.anomalous,
            "threshold": self.threshold,
            "box": list(self.box) if self.box else None,
            "box_px": list(self.box_px) if self.box_px else None,
            "nearest_view": self.nearest_view,
            "nearest_azimuth_deg": self.nearest_azimuth_deg,
            "notes": list(self.notes),
        }


def predict(
    loaded: Loaded, query: Path, reference: Path, *, background: str = "auto", shadow: bool = False
) -> Prediction:
    """Judge the object in a photo against a bundle of views or a mesh.

    Raises UsageError (photo or reference that cannot be used), MeshLoadError, OutOfMemory.
    """
    recipe, objective = loaded.recipe, cast(DetectionObjective, loaded.objective)
    size = recipe.data.image_px
    given = read_photo(query)
    photo = prepare_photo(given.picture, size, PhotoOptions(background, shadow))
    published = recipe.model.network == "published"
    views = open_reference(reference, size, published=published, views=recipe.data.eval_views)
    if objective.views is not None and len(views.pictures) != objective.views:
        raise UsageError(f"{reference} has {len(views.pictures)} views; this network names one of {objective.views}")
    batch = {name: t.to(loaded.device) for name, t in as_batch(photo.picture, views).items()}
    precision = Runtime(0, 1, loaded.device).precision(recipe.optim.amp)
    with torch.no_grad(), precision, full_memory_as_error("use --device cpu"):
        output, nearest = objective.locate(batch)
        view = None if nearest is None else int(nearest[0])
        refined = None
        if recipe.data.refine and view is not None and reference.is_file():
            refined = refine(photo.picture, MeshViews(load_shape(reference)), float(views.azimuths[view]))
            again = as_batch(photo.picture, only_view(refined.picture))
            output = objective.predict({name: t.to(loaded.device) for name, t in again.items()})
    score = float(torch.sigmoid(output.logit_B.float())[0])
    anomalous = score > loaded.threshold
    box = None if output.box_B4 is None else tuple(output.box_B4[0].float().tolist())
    shown = box if anomalous else None
    change = None if output.change_Bhw is None else map_of(output.change_Bhw, size)
    if change is None or view is None:
        answer = attention_picture(objective.model, photo.picture, views, shown, view)
    else:
        compared = views.pictures[view] if refined is None else refined.picture
        answer = comparison_picture(photo.picture, change, compared, shown)
    azimuth = None if view is None or np.isnan(views.azimuths[view]) else float(views.azimuths[view])
    return Prediction(
        score=score,
        anomalous=anomalous,
        threshold=loaded.threshold,
        box=box,
        box_px=None if box is None else photo.given_box(box),
        nearest_view=view,
        nearest_azimuth_deg=azimuth,
        query=photo.picture,
        picture=beside(given.picture, answer, size),
        change=change,
        camera=None if refined is None else refined.camera,
        notes=(*given.notes, *photo.notes),
    )
