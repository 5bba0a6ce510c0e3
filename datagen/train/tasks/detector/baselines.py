"""What the baselines of Table 1, and the comparison that learns nothing, are trained by and answer."""

from typing import ClassVar, cast

import torch
from torch import Tensor

from datagen.models.detector.detr3d import Detr3D, kept_queries, set_losses
from datagen.models.detector.imvoxelnet import ImVoxelNet, dense_losses, kept
from datagen.models.detector.points import PointCompare, triplet_loss
from datagen.models.detector.residual import Residual
from datagen.train.objective import Batch, Losses
from datagen.train.tasks.detector.found import scored_boxes
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.scenes import SceneObjective, objects_of, trimmed, views_of, weighted_bce


class ImVoxelNetObjective(SceneObjective):
    """A dense head's classes and boxes. An object has the score of the box that fits it best."""

    finds: ClassVar[bool] = True

    def __init__(self, model: ImVoxelNet, recipe: DetectorRecipe) -> None:
        super().__init__(model, {"classes": recipe.loss.classify, "boxes": recipe.loss.boxes}, recipe)
        self.most = recipe.data.most_objects

    def one_way(self, batch: Batch, built: slice, seen: slice, rng: torch.Generator) -> Losses:
        model, objects = cast(ImVoxelNet, self.model), objects_of(batch)
        found = model.detect(model.build(views_of(batch, built), objects))
        return dense_losses(found, objects, batch["label"], batch["there"])

    @torch.no_grad()
    def said(self, batch: Batch) -> dict[str, Tensor]:
        """Scores (B, N), the `iou` (B, N) of the boxes they are of, and how many boxes were found, `count` (B,)."""
        return scored_boxes(self.found(batch), batch["boxes"], batch["there"])

    def found(self, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """Boxes (n, 2, 3) of each scene, and probabilities (n, 2) of normal and anomalous."""
        model = cast(ImVoxelNet, self.model)
        return kept(model.detect(model.build(views_of(batch, slice(None)), None)), self.most)


class Detr3DObjective(SceneObjective):
    """A matched set's classes and boxes. An object has the score of the box that fits it best."""

    finds: ClassVar[bool] = True

    def __init__(self, model: Detr3D, recipe: DetectorRecipe) -> None:
        super().__init__(model, {"classes": recipe.loss.classify, "boxes": recipe.loss.boxes}, recipe)

    def one_way(self, batch: Batch, built: slice, seen: slice, rng: torch.Generator) -> Losses:
        sets = cast(Detr3D, self.model).detect(views_of(batch, built))
        return set_losses(sets, objects_of(batch), batch["label"], batch["there"])

    @torch.no_grad()
    def said(self, batch: Batch) -> dict[str, Tensor]:
        """Scores (B, N), the `iou` (B, N) of the boxes they are of, and how many boxes were found, `count` (B,)."""
        return scored_boxes(self.found(batch), batch["boxes"], batch["there"])

    def found(self, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """Boxes (n, 2, 3) of each scene, and probabilities (n, 2) of normal and anomalous."""
        return kept_queries(cast(Detr3D, self.model).detect(views_of(batch, slice(None)))[-1])


class PointsObjective(SceneObjective):
    """Distances between the clouds of a scene's objects."""

    def __init__(self, model: PointCompare, recipe: DetectorRecipe) -> None:
        super().__init__(model, {"bce": recipe.loss.classify, "triplet": recipe.loss.triplet}, recipe)

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """Cross-entropy of the votes, and the triplet loss."""
        batch = trimmed(batch)
        model, clouds = cast(PointCompare, self.model), clouds_of(batch)
        return {
            "bce": weighted_bce(model.judge(clouds, batch["there"]), batch, self.config.pos_weight),
            "triplet": triplet_loss(model.vectors(clouds), batch["label"], batch["there"]),
        }

    @torch.no_grad()
    def said(self, batch: Batch) -> dict[str, Tensor]:
        """Scores (B, N)."""
        return {"score": torch.sigmoid(cast(PointCompare, self.model).judge(clouds_of(batch), batch["there"]).float())}


class ResidualObjective(SceneObjective):
    """The scale and shift of scores that are not learned."""

    def __init__(self, model: Residual, recipe: DetectorRecipe) -> None:
        super().__init__(model, {"bce": recipe.loss.classify}, recipe)

    def one_way(self, batch: Batch, built: slice, seen: slice, rng: torch.Generator) -> Losses:
        return {"bce": weighted_bce(self._logits(batch, built), batch, self.config.pos_weight)}

    @torch.no_grad()
    def said(self, batch: Batch) -> dict[str, Tensor]:
        """Scores (B, N)."""
        score = torch.sigmoid(self._logits(batch, slice(None)).float())
        return {"score": score, "residual": score}

    def _logits(self, batch: Batch, which: slice) -> Tensor:
        model = cast(Residual, self.model)
        return model.judge(views_of(batch, which), batch["masks"][:, which], objects_of(batch), batch["there"])


def clouds_of(batch: Batch) -> Tensor:
    """The objects' points (B, N, P, 3) about their middle, the scene's largest object one long."""
    points, there = batch["clouds"], batch["there"]
    centred = points - points.mean(2, keepdim=True)
    reach = centred.norm(dim=-1).amax(-1).masked_fill(~there, 0.0).amax(1).clamp_min(1e-6)
    return centred / reach[:, None, None, None]
