"""What the detector learns by: reconstruction of views, exact correspondences, and the label of every object."""

from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.models.detector.detector import Detector, Rendered, Views, Volume
from datagen.models.detector.matching import residual_scores
from datagen.models.detector.volumes import Boxes, lattice
from datagen.train.objective import Batch, Losses, Objective
from datagen.train.tasks.detector.found import density_boxes, hull_boxes, judged_in_found
from datagen.train.tasks.detector.predictions import ObjectPredictions
from datagen.train.tasks.detector.recipe import DetectorRecipe


class DetectorObjective(Objective):
    """Losses of a batch of scenes whose views are two halves, each of which builds the volume once."""

    def __init__(self, model: Detector, recipe: DetectorRecipe) -> None:
        loss = recipe.loss
        weights = {"bce": loss.classify, "colour": loss.reconstruct, "mask": loss.reconstruct * loss.mask}
        super().__init__(model, weights | {"exact": loss.exact})
        self.config, self.views = loss, recipe.data.views

    def quality(self, found: ObjectPredictions) -> float:
        """AUC over objects; of a stage that only reconstructs the negative error of the mask."""
        return super().quality(found) if self.config.classify else -float(found.mask_error.mean())

    @property
    def measure(self) -> str:  # type: ignore[override]
        """What `quality` is."""
        return "auc" if self.config.classify else "mask"

    def forward(self, batch: Batch, phase: int, rng: torch.Generator) -> Losses:
        """The mean of both directions, or one of them."""
        halves = [slice(0, self.views), slice(self.views, 2 * self.views)]
        ways = [(halves[0], halves[1]), (halves[1], halves[0])][: 2 if self.config.swap_views else 1]
        parts = [self._one_way(batch, built, seen, rng) for built, seen in ways]
        return {name: torch.stack([part[name] for part in parts]).mean() for name in parts[0]}

    def _one_way(self, batch: Batch, built: slice, seen: slice, rng: torch.Generator) -> Losses:
        model, objects = cast(Detector, self.model), objects_of(batch)
        volume = model.build(views_of(batch, built), objects)
        losses: Losses = {}
        if self.config.reconstruct:
            size = batch["pictures"].shape[-1]
            rendered = model.render(volume, batch["K"], batch["extrinsics"][:, seen], size)
            losses |= reconstruction(rendered, batch["pictures"][:, seen], batch["masks"][:, seen])
        if self.config.exact:
            losses["exact"] = exact_loss(model, volume, batch, self.config.points, self.config.tau, rng)
        if self.config.classify:
            logit = model.judge(volume, objects, batch["there"])
            weight = torch.as_tensor(self.config.pos_weight, device=logit.device)
            each = F.binary_cross_entropy_with_logits(logit, batch["label"], reduction="none", pos_weight=weight)
            losses["bce"] = (each * batch["there"]).sum() / batch["there"].sum().clamp_min(1)
        return losses

    def answer(self, batch: Batch, boxes: Literal["true", "hull", "density"] = "true") -> dict[str, Tensor]:
        """Scores (B, N) of the objects, the parameter-free residual's (B, N), and the mask's error (B,).

        With boxes that are `found` instead of the true ones also `iou` (B, N) and `count` (B,), and the score is NaN
        where no box fits. Density needs a volume over the floor.
        """
        model, objects = cast(Detector, self.model), objects_of(batch)
        views = views_of(batch, slice(None))
        volume = model.build(views, objects)
        score = torch.sigmoid(model.judge(volume, objects, batch["there"]).float())
        _, beta = model.cut_out(volume, objects)
        found = {"score": score, "residual": residual_scores(beta, batch["there"])}
        if boxes == "density":
            there = density_boxes(model, volume)
            found |= judged_in_found(model, views, there, batch["boxes"], batch["there"])
        elif boxes == "hull":
            there = hull_boxes(batch["masks"], batch["K"], batch["extrinsics"], model.config.volume)
            found |= judged_in_found(model, views, there, batch["boxes"], batch["there"])
        error = score.new_full((len(score),), torch.nan)
        if model.config.render:
            rendered = model.render(volume, batch["K"], batch["extrinsics"], batch["pictures"].shape[-1])
            target = shrunk(batch["masks"].float(), rendered.opacity.shape[-1])
            error = (rendered.opacity - target).square().mean((1, 2, 3)).float()
        return found | {"mask_error": error}


def views_of(batch: Batch, which: slice) -> Views:
    """Some of a batch's views."""
    return Views(batch["pictures"][:, which], batch["K"], batch["extrinsics"][:, which])


def objects_of(batch: Batch) -> Boxes:
    """The true boxes of a batch."""
    centre, size = batch["boxes"].unbind(2)
    return Boxes(centre - size / 2, size)


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


def exact_loss(model: Detector, volume: Volume, batch: Batch, points: int, tau: float, rng: torch.Generator) -> Tensor:
    """InfoNCE between tokens of pairs of normal objects that are one point of the shape.

    The lattice of one object is carried into the other by their poses, and beta is read there; every other drawn point
    of the pair is a negative. 0 where poses are unknown or no scene has two normal objects.
    """
    beta = model.over(model.beta, volume)
    whole = lattice(objects_of(batch), model.config.roi, 0.05)
    losses = []
    known = batch["there"] & (batch["label"] < 0.5) & torch.isfinite(batch["poses"]).all(-1).all(-1)
    for b in range(len(beta)):
        normal = torch.nonzero(known[b]).flatten()
        if len(normal) < 2:
            continue
        first, second = normal[torch.randperm(len(normal), generator=rng)[:2].to(normal.device)]
        drawn = torch.randperm(whole.shape[2], generator=rng)[:points].to(whole.device)
        here = whole[b, first, drawn]
        pose = batch["poses"][b]
        carry = pose[second] @ torch.linalg.inv(pose[first])
        there = here @ carry[:3, :3].T + carry[:3, 3]
        z = [_read(beta[b], volume, b, int(n), p) for n, p in ((first, here), (second, there))]
        losses.append(F.cross_entropy(z[0] @ z[1].T / tau, torch.arange(len(drawn), device=whole.device)))
    return torch.stack(losses).mean() if losses else beta.sum() * 0.0


def _read(beta_GFDHW: Tensor, volume: Volume, b: int, n: int, points_P3: Tensor) -> Tensor:
    """beta (P, F) as unit vectors at points of object n: in its own volume, or in the one over the floor."""
    g = n if len(beta_GFDHW) > 1 else 0
    low, size = volume.boxes.low_BG3[b, g], volume.boxes.size_BG3[b, g]
    place = 2 * (points_P3 - low) / size - 1
    read = F.grid_sample(beta_GFDHW[g : g + 1], place[None, None, None], align_corners=False)
    return F.normalize(read.flatten(2)[0].T.float(), dim=-1)
