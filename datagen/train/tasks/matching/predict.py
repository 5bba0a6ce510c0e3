"""One photo and one reference: score, box, nearest view and an attention picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from datagen.core.camera import Camera
from datagen.core.errors import UsageError
from datagen.models.blocks import Output
from datagen.recipe.models import ReferenceRecipe
from datagen.train.objective import Batch
from datagen.train.runtime import Runtime, full_memory_as_error
from datagen.train.task import Loaded
from datagen.train.tasks.matching.comparison import as_batch, comparison_picture, map_of
from datagen.train.tasks.matching.differences import sentence
from datagen.train.tasks.matching.objective import DetectionObjective
from datagen.train.tasks.matching.photo import Photo, PhotoOptions, prepare_photo, read_photo
from datagen.train.tasks.matching.pictures import attention_picture, beside
from datagen.train.tasks.matching.recipe import COMPARES
from datagen.train.tasks.matching.reference import Reference, open_reference
from datagen.train.tasks.matching.refine import (
    Pose,
    Refined,
    agrees_elsewhere,
    is_found,
    only_view,
    refine_from,
    silhouette,
    starting_azimuths,
)
from datagen.train.tasks.matching.rendered import Renderable, open_renders


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
    """Where the photo was taken from, where the reference was rendered from there: a camera about the upright object of
    radius 1."""
    change: np.ndarray | None = None
    """Probability (S, S) that a pixel of `query` differs from the chosen view; None for networks that do not tell."""
    differs: str | None = None
    """What differs from the reference, in words; None for a normal photo, and where no named parts are known or no
    camera was found."""
    found_camera: bool = True
    """False where the reference has about the photo's outline from no camera: then what differs is not told."""
    notes: tuple[str, ...] = ()
    """What was decided while the photo was read."""

    def lines(self) -> list[str]:
        """The answer in words."""
        word = "anomalous" if self.anomalous else "normal"
        said = [f"{word}: score {self.score:.3f} (threshold {self.threshold:.3f})"]
        if self.differs:
            said.append(f"what differs: {self.differs}")
        elif self.anomalous and not self.found_camera:
            said.append("what differs is not told: no camera was found from which the reference has this outline")
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
            "differs": self.differs,
            "found_camera": self.found_camera,
            "notes": list(self.notes),
        }


class Judge:
    """A network beside one reference, a bundle of views or a mesh, ready to judge photos.

    Raises UsageError (reference that cannot be used), MeshLoadError, BrokenFile.
    """

    def __init__(self, loaded: Loaded, reference: Path) -> None:
        recipe, objective = loaded.recipe, cast(DetectionObjective, loaded.objective)
        size, published = recipe.data.image_px, recipe.model.network == "published"
        self.loaded, self.recipe, self.objective = loaded, recipe, objective
        self.views = open_reference(reference, size, published=published, views=recipe.data.eval_views)
        if objective.views is not None and len(self.views.pictures) != objective.views:
            raise UsageError(
                f"{reference} has {len(self.views.pictures)} views; this network names one of {objective.views}"
            )
        compares = recipe.model.network in COMPARES
        self.renders = open_renders(reference, recipe.data.against, size) if compares else Renderable()

    def __call__(self, query: Path, *, background: str = "auto", shadow: bool = False) -> Prediction:
        """Judge the object in a photo. Raises UsageError (photo that cannot be used), OutOfMemory."""
        size = self.recipe.data.image_px
        given = read_photo(query)
        photo = prepare_photo(given.picture, size, PhotoOptions(background, shadow))
        output, view, refined = self._answer(photo)
        score = self.loaded.calibrated(float(torch.sigmoid(output.logit_B.float())[0]))
        anomalous = score > self.loaded.threshold
        box = None if output.box_B4 is None else tuple(output.box_B4[0].float().tolist())
        shown = box if anomalous else None
        change = None if output.change_Bhw is None else map_of(output.change_Bhw, size)
        azimuth = None if view is None or np.isnan(self.views.azimuths[view]) else float(self.views.azimuths[view])
        if change is None or view is None:
            answer = attention_picture(self.objective.model, photo.picture, self.views, shown, view)
        else:
            compared = self.views.pictures[view] if refined is None else refined.picture
            answer = comparison_picture(photo.picture, change, compared, shown)
        outline = silhouette(photo.picture.min(axis=2))
        elsewhere = change is not None and refined is not None and agrees_elsewhere(refined, outline, change)
        found = refined is None or is_found(refined) or elsewhere
        return Prediction(
            score=score,
            anomalous=anomalous,
            threshold=self.loaded.threshold,
            box=box,
            box_px=None if box is None else photo.given_box(box),
            nearest_view=view,
            nearest_azimuth_deg=azimuth,
            query=photo.picture,
            picture=beside(given.picture, answer, size),
            change=change,
            camera=None if refined is None else refined.camera,
            differs=self._differs(change, outline, azimuth, refined) if anomalous and found else None,
            found_camera=found,
            notes=(*given.notes, *photo.notes, *([] if refined is None or found else [outline_note(refined)])),
        )

    def _answer(self, photo: Photo) -> tuple[Output, int | None, Refined | None]:
        """What the network says, the view that it chose, and the render that it compared with."""
        precision = Runtime(0, 1, self.loaded.device).precision(self.recipe.optim.amp)
        with torch.no_grad(), precision, full_memory_as_error("use --device cpu"):
            output, nearest = self.objective.locate(self._batch(photo, self.views))
            view = None if nearest is None else int(nearest[0])
            if view is None or self.renders.views is None or np.isnan(self.views.azimuths[view]):
                return output, view, None
            starts = starting_azimuths(photo.picture, self.views.pictures, self.views.azimuths, view)
            refined = refine_from(photo.picture, self.renders.views, starts, free=photo.framed)
            return self.objective.predict(self._batch(photo, only_view(refined.picture))), view, refined

    def _batch(self, photo: Photo, views: Reference) -> Batch:
        return {name: t.to(self.loaded.device) for name, t in as_batch(photo.picture, views).items()}

    def _differs(
        self, change: np.ndarray | None, outline: np.ndarray, azimuth_deg: float | None, refined: Refined | None
    ) -> str | None:
        """What differs in words, where the reference is a mesh of named parts; `outline` (S, S) is the photo's."""
        mesh, parts = self.renders.mesh, self.renders.parts
        if change is None or mesh is None or not parts or azimuth_deg is None:
            return None
        recipe = ReferenceRecipe()
        from_view = Pose(Camera(-azimuth_deg, recipe.elevation_deg, recipe.radius, size_px=len(change)))
        ids = mesh.part_ids(from_view if refined is None else refined.pose)
        return sentence(change, ids, parts, outline < 0.5)


def outline_note(refined: Refined) -> str:
    """The note where no camera was found from which the reference has about the photo's outline."""
    share = f"{refined.agreement:.0%}".replace("%", " %")
    return (
        f"the outline agrees with the reference's by {share} at best: if it is a photo of this part, whole and alone "
        "on its ground, much of it is gone or off its place"
    )
