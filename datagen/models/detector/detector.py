"""The paper's detector: lifting, 3D network, heads, rendering, and the comparison of objects (Figure 2)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.detector.config import DetectorConfig
from datagen.models.detector.lifted import Lifted, Volume, over, pointwise
from datagen.models.detector.matching import (
    ObjectHead,
    PooledHead,
    TokenHead,
    Unlikeness,
    VoxelAttention,
    correspondences,
    unlikeness,
)
from datagen.models.detector.volumes import Boxes, render

FAINT = -4.6
"""The density head's bias at the start: a step through the volume is then some hundredth opaque, not a wall."""
HULL = 0.9
"""A token in the masks of this share of the views is of the object, not of the air about it."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """Colours (B, M, 3, s, s) in 0..1 on black and opacity (B, M, s, s); features (B, M, F, s/4, s/4)."""

    colour: Tensor
    opacity: Tensor
    features: Tensor


@dataclass(frozen=True, eq=False)
class ObjectLogits:
    """Logits of objects (B, N) and of their tokens (B, N, P), and which tokens are inside of the objects' hull.

    `places` (B, N, P): which of the lattice's points the tokens are; None for all of them in order.
    """

    objects: Tensor
    tokens: Tensor | None = None
    inside: Tensor | None = None
    places: Tensor | None = None


def make_head(config: DetectorConfig, width: int, told: int) -> nn.Module:
    """What judges an object by its tokens of `width` channels and by `told` numbers of its own."""
    match config.head:
        case "flat":
            return ObjectHead(width, config.roi, told)
        case "pooled":
            return PooledHead(width, told)
        case "tokens":
            return TokenHead(width, told)


class Detector(Lifted):
    """Scenes to a logit for each object.

    `build` makes the volume of some views, `render` looks at it from others, `judge` compares the objects in boxes.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        c, width = config, self.width
        self.density = pointwise(width, width, 1)
        self.colour = pointwise(width, width, 3)
        self.beta = pointwise(width, c.feature_dim, c.feature_dim, c.feature_dim, c.feature_dim)
        nn.init.constant_(self.density[-1].bias, FAINT)  # type: ignore[arg-type]
        self.blocks = nn.ModuleList(
            VoxelAttention(width, c.attention_dim, c.heads, c.match, difference=c.difference) for _ in range(c.blocks)
        )
        spaces = 2 if c.difference else 0  # Features as they were lifted, and what beta makes of them.
        self.unlike = nn.Linear(spaces * Unlikeness.TOKENS, width) if c.difference else None
        self.told = spaces * Unlikeness.OBJECTS
        self.head = make_head(c, width, self.told)

    def sigma(self, volume: Volume) -> Tensor:
        """Density (B, G, 1, D, H, W) per metre."""
        return F.softplus(over(self.density, volume)) / self.config.volume.voxel_m

    def render(self, volume: Volume, K_B33: Tensor, T_BM44: Tensor, image_px: int) -> Rendered:
        """What cameras see of a volume (equations 3 and 4); features give the density no gradient."""
        c, density = self.config, self.sigma(volume)
        colour = torch.sigmoid(over(self.colour, volume))
        cameras = (volume.boxes, K_B33, T_BM44)
        seen, opacity = render(density, colour, *cameras, c.render_px, image_px, c.samples, c.reach_m)
        features = over(self.beta, volume)
        coarse = max(c.render_px // 4, 1)
        taught, _ = render(density.detach(), features, *cameras, coarse, image_px, c.samples, c.reach_m)
        return Rendered(seen, opacity, taught)

    def cut_out(self, volume: Volume, objects: Boxes) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, roi^3, C) of every object and their projections by beta (B, N, roi^3, F)."""
        both = torch.cat([volume.features, over(self.beta, volume)], dim=2)
        read = self.cut(both, volume, objects)
        return read[..., : self.width], read[..., self.width :]

    def inside(self, volume: Volume, objects: Boxes) -> Tensor | None:
        """Which tokens (B, N, roi^3) are of the object, not of the air about it; None where masks are not known."""
        return None if volume.inside is None else self.cut(volume.inside, volume, objects)[..., 0] > HULL

    def judge(self, volume: Volume, objects: Boxes, there_BN: Tensor) -> Tensor:
        """A logit (B, N) for each object; what is not there has one too, which means nothing."""
        return self.judge_tokens(volume, objects, there_BN).objects

    def judge_tokens(self, volume: Volume, objects: Boxes, there_BN: Tensor) -> ObjectLogits:
        """Logits of objects, and of their tokens where the head judges these."""
        z, beta = self.cut_out(volume, objects)
        inside = self.inside(volume, objects)
        places = None
        if inside is not None and self.config.most_tokens:
            places = kept_tokens(inside, self.config.most_tokens)
            z, beta = (taken(values, places) for values in (z, beta))
            inside = inside.gather(2, places)
        if inside is not None:
            # What no view shows enough of to have a token is compared with nothing.
            there_BN = there_BN & inside.any(-1)
        chosen = None
        if self.config.match == "sparse" and z.shape[1] > 1:
            chosen = correspondences(beta, self.config.k, there_BN, inside)
        told = z.new_zeros(*z.shape[:2], 0)
        if self.unlike is not None:
            with torch.no_grad():
                lifted = self.cut(volume.lifted, volume, objects)
                untaught = unlikeness(lifted if places is None else taken(lifted, places), there_BN, inside)
            taught = unlikeness(beta, there_BN, inside)
            z = z + self.unlike(torch.cat([untaught.tokens, taught.tokens], dim=-1))
            told = torch.cat([untaught.objects, taught.objects], dim=-1)
        for block in self.blocks:
            z = block(z, chosen, there_BN, inside_BNP=inside)
        return self.answer(z, told, inside, places)

    def answer(
        self, z_BNPC: Tensor, told_BNT: Tensor, inside_BNP: Tensor | None = None, places_BNP: Tensor | None = None
    ) -> ObjectLogits:
        """What the head says of compared tokens."""
        if isinstance(self.head, TokenHead):
            logits, tokens = self.head(z_BNPC, told_BNT, inside_BNP)
            return ObjectLogits(logits, tokens, inside_BNP, places_BNP)
        return ObjectLogits(self.head(z_BNPC, told_BNT))


def kept_tokens(inside_BNP: Tensor, most: int) -> Tensor:
    """Places (B, N, min(most, P)) of tokens of each object, those inside before others.

    Where more are inside, the same places of the lattice are always left out.
    """
    P = inside_BNP.shape[-1]
    # An order by chance, so that what is left out is no side of the object.
    order = torch.randperm(P, generator=torch.Generator().manual_seed(0)).to(inside_BNP.device)
    rank = order + P * inside_BNP
    return rank.topk(min(most, P), dim=-1).indices


def taken(values_BNPC: Tensor, places_BNT: Tensor) -> Tensor:
    """Values (B, N, T, C) of the tokens at places."""
    return values_BNPC.gather(2, places_BNT[..., None].expand(-1, -1, -1, values_BNPC.shape[-1]))
