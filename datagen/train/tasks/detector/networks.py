"""Each variant's network with what it is trained by."""

import torch

from datagen.models.detector.detector import Detector
from datagen.models.detector.detr3d import Detr3D
from datagen.models.detector.efficient import Efficient
from datagen.models.detector.imvoxelnet import ImVoxelNet
from datagen.models.detector.points import PointCompare
from datagen.models.detector.residual import Residual
from datagen.train.tasks.detector.baselines import (
    Detr3DObjective,
    ImVoxelNetObjective,
    PointsObjective,
    ResidualObjective,
)
from datagen.train.tasks.detector.objective import DetectorObjective, EfficientObjective
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.scenes import SceneObjective


def make_objective(recipe: DetectorRecipe) -> SceneObjective:
    """The network of a recipe, freshly initialised from its seed, with its losses. Raises MissingDependency."""
    torch.manual_seed(recipe.seed)
    model = recipe.model
    match model.variant:
        case "efficient":
            return EfficientObjective(Efficient(model), recipe)
        case "imvoxelnet":
            return ImVoxelNetObjective(ImVoxelNet(model), recipe)
        case "detr3d":
            return Detr3DObjective(Detr3D(model), recipe)
        case "points":
            return PointsObjective(PointCompare(model), recipe)
        case "residual":
            return ResidualObjective(Residual(model), recipe)
        case _:
            return DetectorObjective(Detector(model), recipe)
