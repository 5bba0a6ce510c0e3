"""What every objective over scenes shares: how a batch is taken apart, both ways of the views, the labels' loss."""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.detector.lifted import Views
from datagen.models.detector.volumes import Boxes
from datagen.train.objective import Batch, Losses, Objective
from datagen.train.tasks.detector.recipe import DetectorRecipe


class SceneObjective(Objective):
    """A network over scenes. A subclass writes `one_way` and `said`.

    `said` has `score` (B, N) and may have `residual` (B, N), `mask_error` (B,), `recall` (B,), `iou` (B, N) and
    `count` (B,): what is not there is NaN, 1 and the true number.
    """

    ways: tuple[str, ...] = ()
    """How boxes can be found instead of given, as `answer(batch, boxes=...)` takes them."""
    finds: ClassVar[bool] = False
    """Whether its scores are always of boxes that it finds itself."""

    def __init__(self, model: nn.Module, weights: dict[str, float], recipe: DetectorRecipe) -> None:
        super().__init__(model, weights)
        self.config, self.views = recipe.loss, recipe.data.views

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """The mean of both directions, or one of them."""
        batch = trimmed(batch)
        halves = [slice(0, self.views), slice(self.views, 2 * self.views)]
        ways = [(halves[0], halves[1]), (halves[1], halves[0])][: 2 if self.config.swap_views else 1]
        parts = [self.one_way(batch, built, seen, rng) for built, seen in ways]
        return {name: torch.stack([part[name] for part in parts]).mean() for name in parts[0]}

    def answer(self, batch: Batch, **options: Any) -> dict[str, Tensor]:
        """Columns of a batch, of `said`."""
        return padded(self.said(trimmed(batch), **options), batch["there"].shape[1])

    def said(self, batch: Batch) -> dict[str, Tensor]:
        """What the network says of a trimmed batch."""
        raise NotImplementedError

    def one_way(self, batch: Batch, built: slice, seen: slice, rng: torch.Generator) -> Losses:
        """Losses of a scene that some of its views build and others look at."""
        raise NotImplementedError


OF_OBJECTS = ("there", "label", "boxes", "poses", "clouds")
"""What of a batch has a place for every object that a sample has room for."""


def trimmed(batch: Batch) -> Batch:
    """The batch without the places that no scene of it fills."""
    most = max(2, int(batch["there"].sum(1).max()))
    return {name: value[:, :most] if name in OF_OBJECTS else value for name, value in batch.items()}


def padded(answer: dict[str, Tensor], room: int) -> dict[str, Tensor]:
    """Columns of objects (B, n) as wide as samples have room for, NaN where there is none."""
    return {
        name: F.pad(value, (0, room - value.shape[1]), value=torch.nan) if value.ndim == 2 else value
        for name, value in answer.items()
    }


def views_of(batch: Batch, which: slice) -> Views:
    """Some of a batch's views."""
    held = batch["held"][:, which] if "held" in batch else None
    masks = batch["masks"][:, which] if "masks" in batch else None
    return Views(batch["pictures"][:, which], batch["K"], batch["extrinsics"][:, which], held, masks)


def objects_of(batch: Batch) -> Boxes:
    """The true boxes of a batch."""
    centre, size = batch["boxes"].unbind(2)
    return Boxes(centre - size / 2, size)


def weighted_bce(logit_BN: Tensor, batch: Batch, pos_weight: float) -> Tensor:
    """Equation (8): the mean cross-entropy of the objects that are there."""
    weight = torch.as_tensor(pos_weight, device=logit_BN.device)
    each = F.binary_cross_entropy_with_logits(logit_BN, batch["label"], reduction="none", pos_weight=weight)
    return (each * batch["there"]).sum() / batch["there"].sum().clamp_min(1)
