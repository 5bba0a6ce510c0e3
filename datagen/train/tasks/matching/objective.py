"""What the networks of this task learn by: detection, and for CMT the alignment of query and views."""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from datagen.datasets.matching import PairPlan, grey_to_rgb
from datagen.models.alignment import alignment_loss, pseudo_labels, take_rows
from datagen.models.blocks import Output
from datagen.models.cmt import CMT, Features
from datagen.models.correspond import nearest_by
from datagen.models.losses import detection_losses, ranking_loss
from datagen.train.objective import Batch, Losses, Objective
from datagen.train.tasks.matching.prior import prior_logit
from datagen.train.tasks.matching.recipe import LossConfig, MatchingRecipe


class DetectionObjective(Objective):
    """Detection losses of a network that answers an Output. Alone it serves networks that see the query only."""

    views: int | None = None
    """How many reference views the network has to be given; None: any number."""

    def __init__(self, model: nn.Module, recipe: MatchingRecipe) -> None:
        super().__init__(model, {"bce": 1.0, "box_l1": recipe.loss.box_l1, "box_giou": recipe.loss.box_giou})
        self.weights["rank"] = recipe.loss.rank
        self.config = recipe.loss

    def plan(self) -> PairPlan:
        """What the dataset has to add to a training sample."""
        return PairPlan()

    def predict(self, batch: Batch, k: int | None = None) -> Output:
        """The network's answer to a batch; `k` overrides the recipe's, for networks that choose patches."""
        pictures, picture_B = distinct_pictures(batch)
        found: Output = self.model(pictures)
        return found if picture_B is None else found.rows(picture_B)

    def locate(self, batch: Batch, k: int | None = None) -> tuple[Output, Tensor | None]:
        """The answer, and the nearest reference view (B,) where the network can tell it."""
        return self.predict(batch, k), None

    def answer(self, batch: Batch, k: int | None = None) -> dict[str, Tensor]:
        """Score (B,), box (B, 4) or NaN, nearest view (B,) or -1, the true one, and by how many degrees that is off."""
        return self.columns(batch, *self.locate(batch, k))

    def columns(self, batch: Batch, output: Output, view: Tensor | None) -> dict[str, Tensor]:
        """The columns of `answer` from an output and the view (B,) that the network names.

        A prior counts in the score of natural samples, not of pairs.
        """
        logit = output.logit_B.float()
        known = prior_logit(self.model, batch["query"]) if "unit" not in batch else None
        score = torch.sigmoid(logit if known is None else logit + known.float())
        posed = {"pose_error": batch["pose_error"]} if "pose_error" in batch else {}
        return posed | {
            "score": score,
            "box": score.new_full((len(score), 4), torch.nan) if output.box_B4 is None else output.box_B4.float(),
            "view": torch.full_like(batch["nearest"], -1) if view is None else view,
            "true_view": batch["nearest"],
            "angle": batch["angle"],
        }

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Named losses of one phase."""
        return self.judged(self.predict(batch), batch)

    def judged(self, output: Output, batch: Batch) -> Losses:
        """The losses of detection, with a prior of the sum of both logits; of pairs also `rank`, of those of a picture
        and its twin against each other."""
        known = prior_logit(self.model, batch["query"])
        if known is not None:
            output = replace(output, logit_B=output.logit_B + known.to(output.logit_B.dtype))
        losses = detection_losses(output, batch["label"], batch["box"])
        if "unit" in batch:
            losses["rank"] = ranking_loss(output.logit_B, batch["label"], batch["unit"])
        return losses


class CMTObjective(DetectionObjective):
    """Equation (15): detection, and alignment of query-view and view-view pairs."""

    def __init__(self, model: CMT, recipe: MatchingRecipe) -> None:
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
        losses = self.judged(output, batch)
        if self.config.query_view:
            losses["query_view"] = query_view_loss(features, self.config, rng)
        if self.config.view_view:
            losses["view_view"] = view_view_loss(features, batch, self.config.tau)
        return losses


def distinct_views(batch: Batch) -> tuple[Tensor, Tensor, Tensor | None]:
    """Every set of views once: pictures (G, N, S, S), positions (G, N, P, 3), and each query's row (B,).

    The row is None where no two queries share a set.
    """
    first, set_B = first_of_each(batch["reference"])
    return (
        (batch["views"], batch["xyz"], None) if set_B is None else (batch["views"][first], batch["xyz"][first], set_B)
    )


def distinct_pictures(batch: Batch) -> tuple[Tensor, Tensor | None]:
    """Every query of pairs once (Q, 3, S, S), and each pair's row (B,), None where no two share a query."""
    first, picture_B = first_of_each(batch["picture"]) if "picture" in batch else (None, None)
    return (batch["query"], None) if picture_B is None else (batch["query"][first], picture_B)


def first_of_each(number_B: Tensor) -> tuple[Tensor, Tensor | None]:
    """Where each different number stands first (G,), in ascending order of numbers, and the row (B,) among them of
    every number; None where all differ."""
    different, row_B = number_B.unique(return_inverse=True)
    order = row_B.argsort(stable=True)
    first = order[row_B[order].diff(prepend=row_B.new_tensor([-1])) > 0]
    return first, None if len(different) == len(row_B) else row_B


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
