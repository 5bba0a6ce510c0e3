"""From a batch to losses and answers: what a network learns by. DDP wraps it as one module."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from datagen.core.statistics import auc
from datagen.train.metrics import best_threshold
from datagen.train.predictions import Predictions

Batch = dict[str, Tensor]
Losses = dict[str, Tensor]


class Objective(nn.Module):
    """A network with its losses. A task subclasses it and writes `forward` and `answer`."""

    phases = 1
    """Optimiser steps that a batch takes."""
    measure = "auc"
    """What validation chooses the best network by, as the log names it."""

    def __init__(self, model: nn.Module, weights: Mapping[str, float]) -> None:
        """`weights`: name of a loss -> its weight in the sum that is minimised."""
        super().__init__()
        self.model, self.weights = model, dict(weights)

    def forward(self, batch: Batch, phase: int, rng: Generator) -> Losses:
        """Named losses of one phase. Whatever is drawn is drawn from `rng`."""
        raise NotImplementedError

    def answer(self, batch: Batch) -> dict[str, Tensor]:
        """Columns (B, ...) of what the network says of a batch; the task's `collect` makes predictions of them."""
        raise NotImplementedError

    def total(self, losses: Losses) -> Tensor:
        """The weighted sum that is minimised."""
        return cast(Tensor, sum(self.weights.get(name, 0.0) * loss for name, loss in losses.items()))

    def quality(self, found: Any) -> float:
        """`measure` on a split's predictions: area under the ROC curve; NaN where it is undefined."""
        scores = cast(Predictions, found)
        return auc(scores.label, scores.score)

    def threshold(self, found: Any) -> float:
        """The score above which a sample is called anomalous, chosen on a split's predictions."""
        scores = cast(Predictions, found)
        return best_threshold(scores.label, scores.score)

    def after_phase(self, phase: int) -> None:
        """What happens after the optimiser's step."""

    def weights_dict(self) -> dict[str, Tensor]:
        """The network's own tensors, as a checkpoint holds them."""
        return self.model.state_dict()


class ScoreObjective(Objective):
    """Cross-entropy of a network that answers one logit per sample, from one tensor of the batch."""

    def __init__(self, model: nn.Module, sees: str) -> None:
        """`sees`: the name of that tensor; the network answers (B,)."""
        super().__init__(model, {"bce": 1.0})
        self.sees = sees

    def forward(self, batch: Batch, phase: int, rng: Generator) -> Losses:
        """Binary cross-entropy against `label`."""
        return {"bce": binary_cross_entropy_with_logits(self.model(batch[self.sees]), batch["label"])}

    def answer(self, batch: Batch) -> dict[str, Tensor]:
        """`label` and `score` (B,)."""
        return {"label": batch["label"], "score": torch.sigmoid(self.model(batch[self.sees]).float())}
