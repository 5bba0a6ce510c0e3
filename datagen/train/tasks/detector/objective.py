"""What the networks that compare objects learn by: the paper's detector and the efficient variant."""

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.models.detector.detector import Detector, ObjectLogits, Rendered, taken
from datagen.models.detector.efficient import Efficient
from datagen.models.detector.lifted import MARGIN
from datagen.models.detector.matching import residual_scores
from datagen.models.detector.volumes import lattice, lift
from datagen.train.objective import Batch, Losses
from datagen.train.tasks.detector.correspondence import exact_loss, recall_at
from datagen.train.tasks.detector.found import Found, found_boxes, judged_in_found
from datagen.train.tasks.detector.predictions import ObjectPredictions
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.scenes import SceneObjective, objects_of, views_of, weighted_bce

CHANGED, SCARCELY, RARE = 0.4, 0.05, 5.0
"""Of views that have a token on an object, the share from which it counts as changed; the least share that is divided
by; and how much more a changed token weighs, of which there are few."""


class DetectorObjective(SceneObjective):
    """Losses of a batch of scenes whose views are two halves, each of which builds the volume once."""

    def __init__(self, model: Detector, recipe: DetectorRecipe) -> None:
        loss = recipe.loss
        weights = {"bce": loss.classify, "colour": loss.reconstruct, "mask": loss.reconstruct * loss.mask}
        weights |= {"exact": loss.exact, "feature": loss.feature, "change": loss.change}
        super().__init__(model, weights, recipe)
        dense = recipe.model.render and recipe.model.volume.around == "floor"
        self.ways = ("hull", "density") if dense else ("hull",)

    def quality(self, found: ObjectPredictions) -> float:
        """AUC over objects; of a stage that only reconstructs the negative error of the mask, or of one that is only
        taught correspondences the share that is found."""
        match self.measure:
            case "auc":
                return super().quality(found)
            case "mask":
                return -float(found.mask_error.mean())
        return float(np.nanmean(found.recall))

    @property
    def measure(self) -> str:  # type: ignore[override]
        """What `quality` is."""
        if self.config.classify:
            return "auc"
        return "mask" if cast(Detector, self.model).config.render else "recall"

    def one_way(self, batch: Batch, built: slice, seen: slice, rng: torch.Generator) -> Losses:
        model, objects = cast(Detector, self.model), objects_of(batch)
        volume = model.build(views_of(batch, built), objects)
        losses: Losses = {}
        if self.config.reconstruct or self.config.feature:
            rendered = model.render(volume, batch["K"], batch["extrinsics"][:, seen], batch["pictures"].shape[-1])
            losses |= reconstruction(rendered, batch["pictures"][:, seen], batch["masks"][:, seen])
            if self.config.feature:
                losses["feature"] = taught_loss(rendered, batch["taught"][:, seen])
        if self.config.exact:
            losses["exact"] = exact_loss(model, volume, batch, self.config.points, self.config.tau, rng)
        if self.config.classify:
            judged = model.judge_tokens(volume, objects, batch["there"])
            losses["bce"] = weighted_bce(judged.objects, batch, self.config.pos_weight)
            if self.config.change:
                losses["change"] = change_loss(judged, batch, lattice(objects, model.config.roi, MARGIN))
        return losses

    @torch.no_grad()
    def said(self, batch: Batch, boxes: Found | None = None) -> dict[str, Tensor]:
        """Scores (B, N) of the objects, the residual's of beta (B, N), the mask's error (B,), and `recall` (B,) of the
        exact correspondences among the k most similar.

        With boxes that are `found` instead of the true ones also `iou` (B, N) and `count` (B,), and the score is NaN
        where no box fits. Density needs a volume over the floor.
        """
        model, objects, views = cast(Detector, self.model), objects_of(batch), views_of(batch, slice(None))
        volume = model.build(views, objects)
        score = torch.sigmoid(model.judge(volume, objects, batch["there"]).float())
        _, beta = model.cut_out(volume, objects)
        inside = model.inside(volume, objects)
        found = {"score": score, "residual": residual_scores(beta, batch["there"], inside)}
        tokens = lattice(objects, model.config.roi, MARGIN)
        found["recall"] = recall_at(beta, batch, tokens, model.config.k, inside)
        if boxes:
            there = found_boxes(boxes, model, volume, batch)
            found |= judged_in_found(model, views, there, batch["boxes"], batch["there"])
        error = score.new_full((len(score),), torch.nan)
        if model.config.render:
            rendered = model.render(volume, batch["K"], batch["extrinsics"], batch["pictures"].shape[-1])
            target = shrunk(batch["masks"].float(), rendered.opacity.shape[-1])
            error = (rendered.opacity - target).square().mean((1, 2, 3)).float()
        return found | {"mask_error": error}


class EfficientObjective(SceneObjective):
    """Cross-entropy, and the token of what is normal."""

    ways = ("hull",)

    def __init__(self, model: Efficient, recipe: DetectorRecipe) -> None:
        super().__init__(model, {"bce": recipe.loss.classify, "normality": recipe.loss.normality}, recipe)

    def one_way(self, batch: Batch, built: slice, seen: slice, rng: torch.Generator) -> Losses:
        model, objects = cast(Efficient, self.model), objects_of(batch)
        judged = model.judge_all(model.build(views_of(batch, built), objects), objects, batch["there"])
        normal = (batch["there"] & (batch["label"] < 0.5)).float()[..., None]
        mean = (judged.objects * normal).sum(1) / normal.sum(1).clamp_min(1)
        has = normal.sum(1).clamp_max(1)
        return {
            "bce": weighted_bce(judged.logit, batch, self.config.pos_weight),
            "normality": ((judged.centre - mean).square() * has).mean(),
        }

    @torch.no_grad()
    def said(self, batch: Batch, boxes: Found | None = None) -> dict[str, Tensor]:
        """Scores (B, N) of the objects; with boxes that are found also `iou` (B, N) and `count` (B,)."""
        model, objects, views = cast(Efficient, self.model), objects_of(batch), views_of(batch, slice(None))
        volume = model.build(views, objects)
        found = {"score": torch.sigmoid(model.judge(volume, objects, batch["there"]).float())}
        if boxes:
            there = found_boxes(boxes, model, volume, batch)
            found |= judged_in_found(model, views, there, batch["boxes"], batch["there"])
        return found


def change_loss(judged: ObjectLogits, batch: Batch, lattice_BNP3: Tensor) -> Tensor:
    """Cross-entropy of every token of the objects that are there: whether it lies where an odd object differs."""
    places = judged.places
    target = changed_tokens(batch, lattice_BNP3 if places is None else taken(lattice_BNP3, places))
    each = F.binary_cross_entropy_with_logits(cast(Tensor, judged.tokens), target.float(), reduction="none")
    counts = batch["there"][..., None].expand_as(each)
    counts = counts if judged.inside is None else counts & judged.inside
    weight = counts * torch.where(target, RARE, 1.0)
    return (each * weight).sum() / weight.sum().clamp_min(1)


def changed_tokens(batch: Batch, lattice_BNP3: Tensor) -> Tensor:
    """Which tokens (B, N, P) lie where an odd object differs: of the views that have one on an object, the share
    `CHANGED` or more has it on a changed pixel. All views of the batch tell, the other half's too."""
    both = torch.stack([batch["changed"], batch["masks"]], dim=2).float()
    B, N, P, _ = lattice_BNP3.shape
    shares, _ = lift(both, lattice_BNP3.flatten(1, 2), batch["K"], batch["extrinsics"], both.shape[-1])
    changed, masked = shares.view(B, 2, N, P).unbind(1)
    return (changed > CHANGED * masked.clamp_min(SCARCELY)) & (batch["label"] > 0.5)[..., None]


def shrunk(values: Tensor, side: int) -> Tensor:
    """Pictures (B, M, ..., S, S) at `side` px a side, by their mean."""
    return F.adaptive_avg_pool2d(values.flatten(0, -3)[:, None], side)[:, 0].view(*values.shape[:-2], side, side)


def reconstruction(rendered: Rendered, pictures: Tensor, masks: Tensor) -> Losses:
    """Equation (3): squared errors of the colours, on black outside the objects, and of the mask."""
    side = rendered.opacity.shape[-1]
    mask = shrunk(masks.float(), side)
    colour = shrunk((pictures + 1) / 2 * masks[:, :, None], side)
    return {
        "colour": (rendered.colour - colour).square().mean(),
        "mask": (rendered.opacity - mask).square().mean(),
    }


def taught_loss(rendered: Rendered, taught_BMFhw: Tensor) -> Tensor:
    """Equation (4): mean cosine distance between the features rendered and the teacher's, at the rendered size.

    Weighted by opacity: where nothing is rendered there is no direction to compare.
    """
    side = rendered.features.shape[-1]
    flat = taught_BMFhw.float().flatten(0, 1)
    taught = F.interpolate(flat, size=side, mode="bilinear", align_corners=False).unflatten(0, taught_BMFhw.shape[:2])
    away = 1 - F.cosine_similarity(rendered.features, taught, dim=2, eps=1e-6)
    there = shrunk(rendered.opacity.detach(), side)
    return (away * there).sum() / there.sum().clamp_min(1e-6)
