"""The objectives that differ from plain detection: published CMT, retrieval, viewpoint."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.datasets.matching import PairPlan, grey_to_rgb
from datagen.models.baselines import ViewpointNet
from datagen.models.blocks import Output
from datagen.models.correspond import nearest_view
from datagen.models.losses import detection_losses
from datagen.models.published import PublishedCMT
from datagen.models.published_alignment import make_pairs, published_alignment_loss
from datagen.models.retrieval import Retrieval, triplet_loss
from datagen.train.objective import Batch, Losses
from datagen.train.tasks.matching.objective import DetectionObjective
from datagen.train.tasks.matching.predictions import MatchingPredictions, viewpoint_accuracy
from datagen.train.tasks.matching.recipe import MatchingRecipe


class PublishedObjective(DetectionObjective):
    """Two optimiser steps a batch: alignment on its own, then detection."""

    def __init__(self, model: PublishedCMT, recipe: MatchingRecipe) -> None:
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


class RetrievalObjective(DetectionObjective):
    """Triplet loss on embeddings; the decision threshold is learned on detached distances."""

    def __init__(self, model: Retrieval, recipe: MatchingRecipe) -> None:
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


class ViewpointObjective(DetectionObjective):
    """Cross-entropy on the nearest view of normal queries (section 5.1); its Output is the view's logits."""

    measure = "viewpoint"

    def quality(self, found: MatchingPredictions) -> float:
        """Share of normal queries of known pose whose nearest view is named."""
        return viewpoint_accuracy(found)

    def __init__(self, model: ViewpointNet, recipe: MatchingRecipe) -> None:
        super().__init__(model, recipe)
        self.weights, self.views = {"view": 1.0}, recipe.data.eval_views

    def plan(self) -> PairPlan:
        """The nearest view."""
        return PairPlan(nearest="evaluated")

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
