"""The comparison that learns nothing but a scale: how unlike the others' patches an object's are."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.detector.config import DetectorConfig
from datagen.models.detector.encoders import frozen_backbone
from datagen.models.detector.lifted import Views
from datagen.models.detector.volumes import Boxes, project

SHARE = 0.05
"""Of an object's patches, those least like the others' whose mean is its score."""
NOBODY = -1


class Residual(nn.Module):
    """Each object's patches in all views against the nearest patch of any other object, by cosine.

    The patches are those of the held encoder, or the colours. A scale and a shift turn the score into a logit, so that
    the loss and the threshold mean something.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        self._held = [frozen_backbone(config.encoder)]
        self.scale, self.shift = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))

    def encode(self, views: Views) -> Tensor:
        """Features (B, M, C, h, w)."""
        if views.held is not None:
            return views.held.float()
        B, M = views.pictures.shape[:2]
        flat = views.pictures.flatten(0, 1)
        network = self._held[0]
        found = F.avg_pool2d(flat, self.config.encoder.stride) if network is None else network(flat)
        return found.unflatten(0, (B, M))

    @torch.no_grad()
    def score(self, views: Views, masks_BMSS: Tensor, objects: Boxes, there_BN: Tensor) -> Tensor:
        """How unlike the others each object is (B, N), 0 for alike; of one without a patch, or alone, 0."""
        f = self.encode(views)
        if self.config.encoder.name == "colour":
            # The cosine of colours would leave their brightness out.
            f = torch.cat([f, torch.ones_like(f[:, :, :1])], dim=2)
        owner = patch_owners(views, masks_BMSS, objects, there_BN, f.shape[-1])
        z = F.normalize(f, dim=2).permute(0, 1, 3, 4, 2).flatten(1, 3)
        found = torch.zeros(there_BN.shape, device=z.device)
        for b, (patches, owners) in enumerate(zip(z, owner.flatten(1), strict=True)):
            whole = owners != NOBODY
            patches, owners = patches[whole], owners[whole]
            if not len(owners):
                continue
            other = owners[:, None] != owners
            nearest = (patches @ patches.T).masked_fill(~other, -torch.inf).amax(-1)
            for n in torch.unique(owners).tolist():
                away = (1 - nearest[owners == n]).clamp(max=2)
                if torch.isfinite(away).all():
                    found[b, n] = away.topk(max(1, round(SHARE * len(away)))).values.mean()
        return found

    def judge(self, views: Views, masks_BMSS: Tensor, objects: Boxes, there_BN: Tensor) -> Tensor:
        """Logits (B, N)."""
        return self.scale * (self.score(views, masks_BMSS, objects, there_BN) - self.shift)


def patch_owners(views: Views, masks_BMSS: Tensor, objects: Boxes, there_BN: Tensor, side: int) -> Tensor:
    """Which object each of side x side patches of each view is of (B, M, side, side); `NOBODY` where none.

    A patch that is mostly mask is of the nearest object whose projected box holds its centre.
    """
    S = masks_BMSS.shape[-1]
    N = there_BN.shape[1]
    share = torch.tensor([0.0, 1.0], device=there_BN.device)
    corners = torch.cartesian_prod(share, share, share)
    points = objects.low_BG3[:, :, None] + corners * objects.size_BG3[:, :, None]
    pixel, depth = project(points.flatten(1, 2), views.K_B33, views.T_BM44)
    pixel, depth = pixel.unflatten(2, (N, 8)), depth.unflatten(2, (N, 8)).mean(-1)
    low, high = pixel.amin(3), pixel.amax(3)
    centre = (torch.arange(side, device=there_BN.device) + 0.5) * S / side
    inside = (centre >= low[..., None]) & (centre <= high[..., None])  # (B, M, N, 2 -> x and y, side)
    holds = inside[:, :, :, 0, None, :] & inside[:, :, :, 1, :, None]
    holds &= there_BN[:, None, :, None, None]
    away = torch.where(holds, depth[..., None, None], torch.inf)
    owner = away.argmin(2)
    object_there = F.adaptive_avg_pool2d(masks_BMSS.float(), side) >= 0.5
    return torch.where(holds.any(2) & object_there, owner, NOBODY)
