"""From a batch to losses: one module a family of networks, so that DDP can wrap it.

`phases` says how many optimiser steps a batch takes; `forward(batch, phase, rng)` returns named losses whose
weighted sum is stepped on. `predict(batch)` returns the Output to evaluate.
"""

from typing import cast

import torch
from torch import Tensor, nn

from datagen.core.statistics import auc
from datagen.datasets.chairs import PairPlan, grey_to_rgb
from datagen.models.alignment import alignment_loss, pseudo_labels, take_rows
from datagen.models.blocks import Output
from datagen.models.cmt import CMT, Features
from datagen.models.correspond import nearest_by
from datagen.models.losses import detection_losses
from datagen.train.config import LossConfig, TrainRecipe
from datagen.train.predictions import Predictions

Batch = dict[str, Tensor]
Losses = dict[str, Tensor]


class Objective(nn.Module):
    """Base: detection losses of a network that answers an Output."""

    phases = 1
    measure = "auc"
    """What validation chooses the best network by."""

    def __init__(self, model: nn.Module, recipe: TrainRecipe) -> None:
        super().__init__()
        self.model, self.config = model, recipe.loss
        self.weights = {"bce": 1.0, "box_l1": recipe.loss.box_l1, "box_giou": recipe.loss.box_giou}

    def plan(self) -> PairPlan:
        """What the dataset has to add to a training sample."""
        return PairPlan()

    def predict(self, batch: Batch, k: int | None = None) -> Output:
        """The network's answer to a batch; `k` overrides the recipe's, for networks that choose patches."""
        return self.model(batch["query"])

    def locate(self, batch: Batch, k: int | None = None) -> tuple[Output, Tensor | None]:
        """The answer, and the nearest reference view (B,) where the network can tell it."""
        return self.predict(batch, k), None

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Named losses of one phase."""
        return detection_losses(self.predict(batch), batch["label"], batch["box"])

    def total(self, losses: Losses) -> Tensor:
        """The weighted sum that is minimised (equation 15)."""
        return cast(Tensor, sum(self.weights.get(name, 0.0) * loss for name, loss in losses.items()))

    def quality(self, found: Predictions) -> float:
        """`measure` on a split's predictions: area under the ROC curve; NaN where it is undefined."""
        return auc(found.label, found.score)

    def after_phase(self, phase: int) -> None:
        """What happens after the optimiser's step."""

    def weights_dict(self) -> dict[str, Tensor]:
        """The network's own tensors, as a checkpoint holds them."""
        return self.model.state_dict()


class CMTObjective(Objective):
    """Equation (15): detection, and alignment of query-view and view-view pairs."""

    def __init__(self, model: CMT, recipe: TrainRecipe) -> None:
        super().__init__(model, recipe)
        self.weights |= {"query_view": recipe.loss.balance, "view_view": 1 - recipe.loss.balance}

    def plan(self) -> PairPlan:
        """View pairs where the view-view loss is on."""
        return PairPlan(self.config.pairs if self.config.view_view else 0, self.config.points)

    def predict(self, batch: Batch, k: int | None = None) -> Output:
        """Logit and box of every item."""
        return self._judge(batch, k)[0]

    def locate(self, batch: Batch, k: int | None = None) -> tuple[Output, Tensor]:
        """Answer and nearest view by correspondence distance, from one encoding."""
        output, features = self._judge(batch, k)
        return output, nearest_by(features.z_query, features.z_views_of_each, batch["query"])

    def _judge(self, batch: Batch, k: int | None = None) -> tuple[Output, Features]:
        model = cast(CMT, self.model)
        views, xyz, set_B = distinct_views(batch)
        features = model.features(batch["query"], grey_to_rgb(views), set_B, not self.config.align_encoder)
        return model.decide(features, xyz, k), features

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Detection and alignment from one encoding."""
        output, features = self._judge(batch)
        losses = detection_losses(output, batch["label"], batch["box"])
        if self.config.query_view:
            losses["query_view"] = query_view_loss(features, self.config, rng)
        if self.config.view_view:
            losses["view_view"] = view_view_loss(features, batch, self.config.tau)
        return losses


def distinct_views(batch: Batch) -> tuple[Tensor, Tensor, Tensor | None]:
    """Every set of views once: pictures (G, N, S, S), positions (G, N, P, 3), and each query's row (B,).

    The row is None where no two queries share a set.
    """
    reference, set_B = batch["reference"].unique(return_inverse=True)
    if len(reference) == len(set_B):
        return batch["views"], batch["xyz"], None
    order = set_B.argsort(stable=True)
    first = order[set_B[order].diff(prepend=set_B.new_tensor([-1])) > 0]
    return batch["views"][first], batch["xyz"][first], set_B


def query_view_loss(features: Features, config: LossConfig, rng: torch.Generator) -> Tensor:
    """Equation (14) with pseudo-labels, on `points` query patches and `pairs` views drawn for each item."""
    z_views = features.z_views_of_each
    B, N, P, d = z_views.shape
    views_BR = torch.rand(B, N, generator=rng).argsort(dim=1)[:, : config.pairs].to(features.z_query.device)
    rows = torch.rand(B, P, generator=rng).argsort(dim=1)[:, : config.points].to(features.z_query.device)
    z_to = z_views.gather(1, views_BR[..., None, None].expand(-1, -1, P, d))
    if config.hold_views:
        z_to = z_to.detach()
    z_from = take_rows(features.z_query, rows).unsqueeze(1).expand(-1, z_to.shape[1], -1, -1)
    return alignment_loss(z_from, z_to, pseudo_labels(z_from, z_to), config.tau)


def view_view_loss(features: Features, batch: Batch, tau: float) -> Tensor:
    """Equation (14) with ground truth from depth and pose, on the batch's view pairs."""
    z_views = features.z_views_of_each
    P, d = z_views.shape[2:]
    pair_BR2, from_BRn, to_BRn = batch["pair_views"], batch["pair_from"], batch["pair_to"]
    z_first, z_second = (z_views.gather(1, pair_BR2[..., side, None, None].expand(-1, -1, P, d)) for side in (0, 1))
    z_from = take_rows(z_first.flatten(0, 1), from_BRn.flatten(0, 1))
    return alignment_loss(z_from, z_second.flatten(0, 1), to_BRn.flatten(0, 1), tau)
