"""The recipe of the detector task (importing this needs no torch)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from datagen.datasets.objects_config import ObjectsConfig
from datagen.models.detector.config import DetectorConfig
from datagen.recipe.section import Positive, Section
from datagen.train.config import TrainRecipe

Weight = Annotated[float, Field(ge=0)]


class DetectorLosses(Section):
    """Weights of equations (3), (4) and (8), and of what the paper has not."""

    classify: Weight = 1.0
    """Of the binary cross-entropy; 0 is the first stage, which reconstructs alone."""
    reconstruct: Weight = 1.0
    """lambda_p: of colours and masks together; 0 trains no rendering."""
    mask: Weight = 1.0
    """lambda_sigma."""
    exact: Weight = 0.0
    """Of exact correspondences: InfoNCE between tokens of two normal objects that are one point of the shape, which
    scenes built here tell by `T_world_shape`. It takes the place of a teacher."""
    tau: Positive = 0.1
    points: Annotated[int, Field(ge=1)] = 64
    """Tokens drawn a pair of objects for the exact correspondences."""
    pos_weight: Positive = 1.0
    """Weight of anomalous objects in the cross-entropy."""
    swap_views: bool = True
    """Each half of the views builds the volume once and is rendered once (section 4.2); false: one direction."""


class DetectorRecipe(TrainRecipe):
    """Scenes of objects: which of them differs from the others."""

    name: str = "detector"
    task: Literal["detector"] = "detector"
    model: DetectorConfig = DetectorConfig()
    data: ObjectsConfig = ObjectsConfig()
    loss: DetectorLosses = DetectorLosses()

    @model_validator(mode="after")
    def _possible(self) -> "DetectorRecipe":
        if not (self.loss.classify or self.loss.reconstruct or self.loss.exact):
            raise ValueError("loss.classify, loss.reconstruct and loss.exact are all 0: nothing is learned")
        if self.loss.reconstruct and not self.model.render:
            raise ValueError("loss.reconstruct needs model.render true")
        return self
