"""What the comparator learns by: detection, the choice of the view, and the map of what changed."""

from typing import Literal, cast

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from datagen.datasets.matching import PairPlan, normalised
from datagen.models.blocks import Output
from datagen.models.comparator import Comparator, Compared, change_loss, change_map
from datagen.models.residual import Residual
from datagen.models.silhouettes import agreements
from datagen.train.objective import Batch, Losses
from datagen.train.tasks.matching.objective import DetectionObjective, distinct_pictures, distinct_views
from datagen.train.tasks.matching.predictions import BINS
from datagen.train.tasks.matching.recipe import MatchingRecipe

Against = Literal["chosen", "nearest", "opposite", "blank"]
"""What a query is compared with: the view that the network chooses, the true nearest one (where it is known), the one
half a turn from that, or an empty picture."""


class ComparatorObjective(DetectionObjective):
    """Detection, cross-entropy of the view, and cross-entropy of the change map.

    In training a query is compared with the true nearest view, where it is known.
    """

    def __init__(self, model: Comparator | Residual, recipe: MatchingRecipe) -> None:
        super().__init__(model, recipe)
        self.weights |= {"view": recipe.loss.view, "change": recipe.loss.change}

    def plan(self) -> PairPlan:
        """The nearest of the views that are drawn."""
        return PairPlan(nearest="drawn")

    def predict(self, batch: Batch, k: int | None = None) -> Output:
        """Logit, box and change map of every item, against the view that the network chooses."""
        return self._compare(batch, "chosen").output

    def locate(self, batch: Batch, k: int | None = None) -> tuple[Output, Tensor]:
        """The answer, and the chosen view."""
        found = self._compare(batch, "chosen")
        return found.output, found.view_B

    def answer(self, batch: Batch, k: int | None = None, against: Against = "chosen") -> dict[str, Tensor]:
        """As of every network of this task; and `pixels` and `regions`, as of `MatchingPredictions`, all 0 where the
        masks are unknown."""
        found = self._compare(batch, against)
        columns = self.columns(batch, found.output, found.view_B)
        if "changed" in batch:
            change = cast(Tensor, found.output.change_Bhw)
            columns["pixels"] = pixel_counts(change, batch["changed"])
            columns["regions"] = region_shares(change, batch["changed"])
        return columns

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Named losses; a batch without the nearest view or without masks has none of theirs."""
        if self.config.view_label == "silhouette":
            batch = batch | {"nearest": nearest_by_outline(batch)}
        found = self._compare(batch, "nearest" if self.config.view else "chosen")
        losses = self.judged(found.output, batch)
        known = batch["nearest"] >= 0
        if self.config.view and bool(known.any()):
            losses["view"] = F.cross_entropy(found.likeness_BN[known], batch["nearest"][known])
        if "changed" in batch:
            losses["change"] = change_loss(cast(Tensor, found.output.change_Bhw), batch["changed"])
        return losses

    def _compare(self, batch: Batch, against: Against) -> Compared:
        views, _, set_B = distinct_views(batch)
        pictures = normalised(views).unsqueeze(2)
        if against == "blank":
            pictures = torch.ones_like(pictures)
        wanted = None
        if against in ("nearest", "opposite"):
            nearest, count = batch["nearest"], views.shape[1]
            turned = (nearest + count // 2) % count if against == "opposite" else nearest
            wanted = torch.where(nearest >= 0, turned, nearest)
        queries, picture_B = distinct_pictures(batch)
        own = None
        # A view that is asked for by name is not replaced.
        if "own" in batch and (self.training or against in ("chosen", "blank")):
            own = torch.ones_like(batch["own"]) if against == "blank" else normalised(batch["own"])
            own = own.to(pictures.dtype).unsqueeze(1)
        return cast(Comparator, self.model)(
            queries, pictures, set_B, wanted, batch.get("there"), picture_B, own, batch.get("use_own")
        )


def nearest_by_outline(batch: Batch) -> Tensor:
    """The view (B,) of every query's bundle whose outline agrees best with the query's, among those that count."""
    likeness = agreements(batch["query"].amin(1), normalised(batch["views"]))
    if "there" in batch:
        likeness = likeness.masked_fill(~batch["there"], -1.0)
    return likeness.argmax(dim=1)


def region_shares(change_Bhw: Tensor, changed_BSS: Tensor) -> Tensor:
    """(B, BINS + 1): over the connected regions of the true change, the sum of the shares of their pixels in each of
    equal bins of the map's probability; and the number of regions."""
    probability = change_map(change_Bhw, changed_BSS.shape[-1]).cpu().numpy()
    cells = (probability * BINS).astype(np.int64).clip(0, BINS - 1)
    found = np.zeros((len(cells), BINS + 1), dtype=np.float32)
    for row, (cell, changed) in enumerate(zip(cells, changed_BSS.cpu().numpy(), strict=True)):
        if changed[0, 0] < 0:
            continue
        regions, count = ndimage.label(changed > 0, np.ones((3, 3)))
        for region in range(1, count + 1):
            inside = cell[regions == region]
            found[row, :BINS] += np.bincount(inside, minlength=BINS) / len(inside)
        found[row, BINS] = count
    return torch.from_numpy(found).to(change_Bhw.device)


def pixel_counts(change_Bhw: Tensor, changed_BSS: Tensor) -> Tensor:
    """Pixels (B, 2, BINS) by truth (unchanged, changed) and by the map's probability, in equal bins of 0..1."""
    probability = change_map(change_Bhw, changed_BSS.shape[-1])
    cell = (probability * BINS).long().clamp(0, BINS - 1) + BINS * (changed_BSS > 0)
    counts = [torch.bincount(row.flatten(), minlength=2 * BINS) for row in cell]
    known = (changed_BSS[:, 0, 0] >= 0).long()
    return torch.stack(counts).view(-1, 2, BINS) * known[:, None, None]
