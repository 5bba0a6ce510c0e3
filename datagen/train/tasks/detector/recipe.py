"""The recipe of the detector task (importing this needs no torch)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from datagen.datasets.objects_config import ObjectsConfig
from datagen.models.detector.config import DetectorConfig
from datagen.recipe.section import Positive, Section
from datagen.train.config import TrainRecipe

Weight = Annotated[float, Field(ge=0)]


class TeacherConfig(Section):
    """The network whose features beta learns (section 3.2, equation 4); they are computed once, with the pack."""

    name: Literal["none", "mobilenetv2", "efficientnet_lite", "dinov2"] = "none"
    weights: str = ""
    """Its file of weights, or the word random (a control)."""
    stride: Literal[4, 8, 16] = 8
    """Pixels of the picture a feature; of dinov2 its patch."""
    image_px: Annotated[int, Field(ge=28)] | None = None
    """Side that pictures are resized to for it; by default they stay as they are. 448 for dinov2 is the paper's."""

    @model_validator(mode="after")
    def _known(self) -> "TeacherConfig":
        if self.name != "none" and not self.weights:
            raise ValueError(f"teacher {self.name}: give the file of its weights, or the word random")
        return self


class DetectorLosses(Section):
    """Weights of equations (3), (4) and (8), and of what the paper has not."""

    classify: Weight = 1.0
    """Of the binary cross-entropy; 0 is the first stage, which reconstructs alone. Of imvoxelnet and detr3d the weight
    of their classes."""
    reconstruct: Weight = 1.0
    """lambda_p: of colours and masks together; 0 trains no rendering."""
    mask: Weight = 1.0
    """lambda_sigma."""
    feature: Weight = 0.0
    """lambda_f: of the cosine distance between rendered features and the teacher's; the paper's is 1."""
    exact: Weight = 0.0
    """Of exact correspondences: InfoNCE between tokens of two normal objects that are one point of the shape, which
    scenes built here tell by `T_world_shape`. It takes the place of a teacher."""
    tau: Positive = 0.1
    points: Annotated[int, Field(ge=1)] = 64
    """Tokens drawn a pair of objects for the exact correspondences."""
    change: Weight = 0.0
    """Not in the paper: of what every token says by itself, taught by the pixels that odd objects change, as scenes
    built here tell them. Needs `model.head: tokens` and `data.changed`."""
    normality: Weight = 1.0
    """Of the efficient variant: the token has to be the mean of the normal objects."""
    boxes: Weight = 1.0
    """Of the boxes of imvoxelnet and detr3d."""
    triplet: Weight = 1.0
    """Of points: a normal object is nearer to another normal one than to an anomalous one, by a margin."""
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
    teacher: TeacherConfig = TeacherConfig()
    loss: DetectorLosses = DetectorLosses()

    @model_validator(mode="after")
    def _possible(self) -> "DetectorRecipe":
        loss, model = self.loss, self.model
        if not (loss.classify or loss.reconstruct or loss.exact or loss.feature):
            raise ValueError("loss.classify, reconstruct, feature and exact are all 0: nothing is learned")
        if model.variant == "paper" and loss.reconstruct and not model.render:
            raise ValueError("loss.reconstruct needs model.render true")
        if loss.feature and self.teacher.name == "none":
            raise ValueError("loss.feature needs a teacher: give teacher.name and teacher.weights")
        if loss.feature and not model.render:
            raise ValueError("loss.feature needs model.render true: features are rendered from the volume")
        if loss.change and not loss.classify:
            raise ValueError("loss.change is learned with loss.classify, which is 0: set both or none")
        if loss.change and (model.variant != "paper" or model.head != "tokens"):
            raise ValueError("loss.change teaches tokens: it needs model.variant paper and model.head tokens")
        if bool(loss.change) != self.data.changed:
            raise ValueError("loss.change is taught by what data.changed reads: set both or none")
        if self.teacher.name != "none" and not self.data.pack:
            raise ValueError("a teacher's features are computed with the packed cache: set data.pack to true")
        if model.variant == "points" and not self.data.points:
            raise ValueError("variant points needs data.points, such as 512")
        if model.variant == "residual" and not model.encoder.held:
            raise ValueError("variant residual learns nothing: its encoder has to be held (mobilenetv2, ... or colour)")
        return self
