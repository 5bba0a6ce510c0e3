"""The Correspondence Matching Transformer as the paper describes it (section 4.2, Figure 3).

Where the paper is silent or slips: equation (3) is self-attention of the query features, with the residual
and norm of a standard module; (7) adds the projected Q as printed; the token attends to all patches and is
appended in front.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.attention import choose_top_k, cross_attention
from datagen.models.blocks import MLP, Heads, Output, SelfAttention, join_heads, split_heads
from datagen.models.config import ModelConfig
from datagen.models.encoder import Encoder, flat_patches
from datagen.models.position import PositionEncoding


@dataclass(frozen=True, eq=False)
class Features:
    """Patch features and their normalised projections: query (B, Q, d), views (G, N, Q, d).

    `set_B` is the row of every query's views, None where G = B and each query has its own.
    """

    query: Tensor
    views: Tensor
    z_query: Tensor
    z_views: Tensor
    set_B: Tensor | None = None

    @property
    def z_views_of_each(self) -> Tensor:
        """(B, N, Q, d)."""
        return rows_of_each(self.z_views, self.set_B)


def rows_of_each(x_G: Tensor, set_B: Tensor | None) -> Tensor:
    """(G, ...) to (B, ...): what belongs to every query."""
    return x_G if set_B is None else x_G.index_select(0, set_B)


class Projection(nn.Module):
    """beta: R^d -> R^d, a four-layer MLP and L2 normalisation over channels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.mlp = MLP(dim, dim, dim, dim, dim)

    def forward(self, f_BLD: Tensor) -> Tensor:
        return F.normalize(self.mlp(f_BLD).float(), dim=-1)


class MatchingBlock(nn.Module):
    """One block of the CGA network: equations (2) to (9)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.heads, self.form = config.heads, config.attention
        self.alpha = nn.Linear(2 * dim if config.position else dim, dim)
        self.attention = SelfAttention(dim, config.heads)
        self.w_q = nn.Linear(dim, dim, bias=False)
        self.w_k = nn.Linear(dim, dim, bias=False)
        self.w_v = nn.Linear(dim, dim, bias=False)
        self.out = nn.Linear(dim, dim)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.ffn = MLP(dim, 4 * dim, dim)

    def forward(
        self, f_BLD: Tensor, context_GVC: Tensor, chosen_BQk: Tensor | None, set_B: Tensor | None = None
    ) -> Tensor:
        views = self.alpha(context_GVC)
        q = self.w_q(self.attention(f_BLD))
        k, v = (rows_of_each(part, set_B) for part in (self.w_k(views), self.w_v(views)))
        rows = (split_heads(part, self.heads) for part in (q, k, v))
        q_heads, k_heads, v_heads = rows
        o = self.out(join_heads(cross_attention(q_heads, k_heads, v_heads, chosen_BQk, self.form)))
        o = self.norm1(self.joined(q, o))
        return self.norm2(self.ffn(o) + o)

    def joined(self, q_BLD: Tensor, o_BLD: Tensor) -> Tensor:
        """Queries and what they attended to as one: equation (7)."""
        return o_BLD + q_BLD


class ResidualBlock(MatchingBlock):
    """A block that also sees how a patch differs from what it attends to: [q, o, |q - o|] in place of q + o, and the
    patches' mean and largest |q - o| added to the token. Not in the paper."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.join = nn.Linear(3 * config.dim, config.dim)
        self.tell = nn.Linear(2 * config.dim, config.dim)

    def joined(self, q_BLD: Tensor, o_BLD: Tensor) -> Tensor:
        away = (q_BLD - o_BLD).abs()
        patches = away[:, 1:]
        told = self.tell(torch.cat([patches.mean(1), patches.amax(1)], dim=-1))
        found = self.join(torch.cat([q_BLD, o_BLD, away], dim=-1))
        return q_BLD + torch.cat([found[:, :1] + told[:, None], found[:, 1:]], dim=1)


class CMT(nn.Module):
    """Query images and reference views to a logit and a box; `cmt_residual` has blocks that see residuals.

    query (B, 3, S, S), views (G, N, 3, S, S) in [-1, 1]; xyz (G, N, P, 3) world positions of the patches,
    NaN where there is no depth, P = (S/8)^2. Queries may share views: `features` takes the row among G of every
    query's views; without it, and in `forward`, G = B.
    """

    def __init__(self, config: ModelConfig, image_px: int) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.dim, config.encoder_width)
        self.beta = Projection(config.dim)
        self.gamma = PositionEncoding(config.dim, config.fourier_bands) if config.position else None
        self.token = nn.Parameter(torch.randn(1, 1, config.dim) * 0.02)
        patches = (image_px // 8) ** 2
        self.place = nn.Parameter(torch.randn(patches, config.dim) * 0.02) if config.query_position else None
        block = ResidualBlock if config.name == "cmt_residual" else MatchingBlock
        self.blocks = nn.ModuleList(block(config) for _ in range(config.blocks))
        self.heads = Heads(config.dim, config.box)

    def features(
        self, query_B3SS: Tensor, views_GN3SS: Tensor, set_B: Tensor | None = None, hold_encoder: bool = False
    ) -> Features:
        """Encode both kinds of image by the shared encoder, in one batch.

        With `hold_encoder` the projections give the encoder no gradient.
        """
        B, shape = len(query_B3SS), views_GN3SS.shape[:2]
        f = flat_patches(self.encoder(torch.cat([query_B3SS, views_GN3SS.flatten(0, 1)])))
        z = self.beta(f.detach() if hold_encoder else f)
        return Features(f[:B], f[B:].unflatten(0, shape), z[:B], z[B:].unflatten(0, shape), set_B)

    def choose(self, features: Features, k: int | None = None) -> Tensor | None:
        """Equation (12) and the choice of equation (11): indices (B, Q, k) into N*P patches, or None for all."""
        k = self.config.k if k is None else k
        if not self.config.cga or k == 0:
            return None
        # Item by item, in float32: a similarity matrix is the largest tensor there is, and bf16 would tie its ranks.
        with torch.no_grad(), torch.autocast(features.z_query.device.type, enabled=False):
            z_views = features.z_views_of_each.flatten(1, 2)
            k = min(k, z_views.shape[1])
            items = zip(features.z_query, z_views, strict=True)
            return torch.cat([choose_top_k(query[None] @ views.T, k) for query, views in items])

    def decide(self, features: Features, xyz_GNP3: Tensor, k: int | None = None) -> Output:
        """The CGA network and the heads."""
        context = features.views.flatten(1, 2)
        if self.gamma is not None:
            context = torch.cat([context, self.gamma(xyz_GNP3.flatten(1, 2)).to(context.dtype)], dim=-1)
        chosen = self.choose(features, k)
        query = features.query if self.place is None else features.query + self.place
        f = torch.cat([self.token.expand(len(query), -1, -1).to(query.dtype), query], dim=1)
        for block in self.blocks:
            f = block(f, context, chosen, features.set_B)
        return self.heads(f[:, 0])

    def forward(self, query_B3SS: Tensor, views_BN3SS: Tensor, xyz_BNP3: Tensor, k: int | None = None) -> Output:
        return self.decide(self.features(query_B3SS, views_BN3SS), xyz_BNP3, k)
