"""The networks of this task, by name. To add one: its name in `models/config.py`, and a line in the table here."""

from collections.abc import Callable, Mapping

import torch

from datagen.models.baselines import PyramidNet, ViewpointNet, ViT
from datagen.models.cmt import CMT
from datagen.models.comparator import Comparator
from datagen.models.published import PublishedCMT
from datagen.models.residual import Residual
from datagen.models.retrieval import Retrieval
from datagen.train.tasks.matching.compare import ComparatorObjective
from datagen.train.tasks.matching.objective import CMTObjective, DetectionObjective
from datagen.train.tasks.matching.objectives import PublishedObjective, RetrievalObjective, ViewpointObjective
from datagen.train.tasks.matching.prior import add_prior
from datagen.train.tasks.matching.recipe import MatchingRecipe


def _pyramid(recipe: MatchingRecipe) -> DetectionObjective:
    return DetectionObjective(PyramidNet(recipe.model, recipe.data.image_px), recipe)


NETWORKS: Mapping[str, Callable[[MatchingRecipe], DetectionObjective]] = {
    "cmt": lambda recipe: CMTObjective(CMT(recipe.model, recipe.data.image_px), recipe),
    "published": lambda recipe: PublishedObjective(PublishedCMT(recipe.model.k), recipe),
    "resnet_fpn": _pyramid,
    "resnet_fpn_sa": _pyramid,
    "vit": lambda recipe: DetectionObjective(ViT(recipe.model, recipe.data.image_px), recipe),
    "retrieval": lambda recipe: RetrievalObjective(Retrieval(recipe.model), recipe),
    "viewpoint": lambda recipe: ViewpointObjective(ViewpointNet(recipe.model, recipe.data.eval_views), recipe),
    "comparator": lambda recipe: ComparatorObjective(Comparator(recipe.model), recipe),
    "residual": lambda recipe: ComparatorObjective(Residual(), recipe),
    "cmt_residual": lambda recipe: CMTObjective(CMT(recipe.model, recipe.data.image_px), recipe),
}
"""`model.network` of a recipe -> its network with its losses. What a network asks of a recipe: `recipe.RULES`."""


def make_objective(recipe: MatchingRecipe) -> DetectionObjective:
    """The network of a recipe, freshly initialised from its seed, with its losses."""
    torch.manual_seed(recipe.seed)
    objective = NETWORKS[recipe.model.network](recipe)
    if recipe.prior is not None:
        of_prior = recipe.model_copy(update={"model": recipe.prior.model, "prior": None})
        add_prior(objective.model, recipe.prior, lambda: NETWORKS[of_prior.model.network](of_prior).model)
    return objective
