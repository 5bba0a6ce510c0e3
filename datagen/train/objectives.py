"""The objectives that differ from plain detection (published CMT, retrieval, viewpoint), and the one of a recipe."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.datasets.chairs import PairPlan, grey_to_rgb
from datagen.models.baselines import PyramidNet, ViewpointNet, ViT
from datagen.models.blocks import Output
from datagen.models.cmt import CMT
from datagen.models.correspond import nearest_view
from datagen.models.losses import detection_losses
from datagen.models.published import PublishedCMT
from datagen.models.published_alignment import make_pairs, published_alignment_loss
from datagen.models.retrieval import Retrieval, triplet_loss
from datagen.train.config import TrainRecipe
from datagen.train.objective import Batch, CMTObjective, Losses, Objective
from datagen.train.predictions import Predictions, viewpoint_accuracy


class PublishedObjective(Objective):
    """Two optimiser steps a batch: alignment on its own, then detection."""

    def __init__(self, model: PublishedCMT, recipe: TrainRecipe) -> None:
        super().__init__(model, recipe)
        self.weights["alignment"] = 1.0
        self.aligned = recipe.loss.query_view or recipe.loss.view_view
        self.phases = 2 if self.aligned else 1

    def plan(self) -> PairPlan:
        """Tracked pixels of two views and a second augmentation of the query."""
        return PairPlan(points=self.config.points, published=self.aligned)

    def predict(self, batch: Batch, k: int | None = None) -> Output:
        """Logit and box of every item."""
        return self.model(batch["query"], grey_to_rgb(batch["views"]), batch["xyz"], k)

    def locate(self, batch: Batch, k: int | None = None) -> tuple[Output, Tensor]:
        """Answer and nearest view by correspondence distance."""
        model = cast(PublishedCMT, self.model)
        return self.predict(batch, k), nearest_view(model, batch["query"], grey_to_rgb(batch["views"]))

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Phase 0 aligns (when alignment is on), the last phase detects."""
        if phase == self.phases - 1:
            return detection_losses(self.predict(batch), batch["label"], batch["box"])
        model = cast(PublishedCMT, self.model)
        v1, v2 = grey_to_rgb(batch["view1"]), grey_to_rgb(batch["view2"])
        pairs = make_pairs(model, v1, v2, batch["query_again"], batch["pixels1"], batch["pixels2"])
        return {"alignment": published_alignment_loss(model, pairs)}

    def after_phase(self, phase: int) -> None:
        """The key branch follows after the alignment step."""
        if phase < self.phases - 1:
            cast(PublishedCMT, self.model).update_keys(self.config.key_momentum)


class RetrievalObjective(Objective):
    """Triplet loss on embeddings; the decision threshold is learned on detached distances."""

    def __init__(self, model: Retrieval, recipe: TrainRecipe) -> None:
        super().__init__(model, recipe)
        self.weights = {"triplet": 1.0, "bce": 1.0}

    def predict(self, batch: Batch, k: int | None = None) -> Output:
        """The logit is the scaled distance to the own reference."""
        return self.model(batch["query"], grey_to_rgb(batch["views"]))

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Triplets over the batch, and the threshold's cross-entropy."""
        model = cast(Retrieval, self.model)
        distance = model.distances(*model.embed(batch["query"], grey_to_rgb(batch["views"])))
        decision = model.judge(distance.diagonal().detach())
        bce = F.binary_cross_entropy_with_logits(decision.logit_B, batch["label"])
        return {"triplet": triplet_loss(distance, batch["label"], batch["shape"], model.margin), "bce": bce}


class ViewpointObjective(Objective):
    """Cross-entropy on the nearest view of normal queries (section 5.1); its Output is the view's logits."""

    measure = "viewpoint"

    def quality(self, found: Predictions) -> float:
        """Share of normal queries of known pose whose nearest view is named."""
        return viewpoint_accuracy(found)

    def __init__(self, model: torch.nn.Module, recipe: TrainRecipe) -> None:
        super().__init__(model, recipe)
        self.weights = {"view": 1.0}

    def plan(self) -> PairPlan:
        """The nearest view."""
        return PairPlan(nearest=True)

    def predict(self, batch: Batch, k: int | None = None) -> Output:
        """As a detector it knows nothing: logit 0."""
        return Output(torch.zeros(len(batch["query"]), device=batch["query"].device))

    def locate(self, batch: Batch, k: int | None = None) -> tuple[Output, Tensor]:
        """No answer, and the nearest view as classified."""
        return self.predict(batch), self.model(batch["query"]).argmax(dim=-1)

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Anomalous queries and queries of unknown pose weigh nothing."""
        logits = self.model(batch["query"])
        use = (batch["label"] < 0.5) & (batch["nearest"] >= 0)
        if not bool(use.any()):
            return {"view": logits.sum() * 0.0}
        return {"view": F.cross_entropy(logits[use], batch["nearest"][use])}


def make_objective(recipe: TrainRecipe) -> Objective:
    """The network of a recipe, freshly initialised from its seed, with its losses."""
    torch.manual_seed(recipe.seed)
    config, size = recipe.model, recipe.data.image_px
    if config.variant == "published":
        return PublishedObjective(PublishedCMT(config.k), recipe)
    makers: dict[str, Any] = {
        "cmt": lambda: CMTObjective(CMT(config, size), recipe),
        "resnet_fpn": lambda: Objective(PyramidNet(config, size), recipe),
        "resnet_fpn_sa": lambda: Objective(PyramidNet(config, size), recipe),
        "vit": lambda: Objective(ViT(config, size), recipe),
        "retrieval": lambda: RetrievalObjective(Retrieval(config), recipe),
        "viewpoint": lambda: ViewpointObjective(ViewpointNet(config, recipe.data.eval_views), recipe),
    }
    return makers[config.name]()
