"""`variant: published`: what the published implementation computes, numerically.

Written from a description of its structure and numbers, and held to them by tests. It differs from the paper's
text in width, norms, foreground masks, position code and heads. Ties in the selection go to the lowest index.
Sizes are fixed: 256-px images, 32 x 32 patches, row-major.
"""

import copy
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.attention import choose_top_k, cross_attention
from datagen.models.blocks import MLP, Output, join_heads, split_heads
from datagen.models.encoder import Encoder, flat_patches
from datagen.models.position import fourier_code

WIDTH, HEADS, DIM = 512, 8, 128
DEAD = {
    "encoder": ("conv1x1_mask.",),
    "encoder_ema": ("conv1x1_mask.",),
    "attention_decoder": ("q_pos_emb.", "kv_spatial_pos_emb.", "pose_to_3d_emb.", "crossatten.norm."),
}
"""Entries of a published checkpoint that no output depends on."""
PARTS = ("encoder", "encoder_ema", "projector", "projector_ema", "attention_decoder")


def foreground(image_B3SS: Tensor) -> Tensor:
    """Soft foreground (B, 32, 32) of images in [-1, 1]: grey below 0.8, dilated by 2 px, averaged on the grid."""
    weights = torch.tensor([0.2989, 0.587, 0.114], device=image_B3SS.device)
    grey = torch.einsum("bchw,c->bhw", image_B3SS.float(), weights)
    wide = F.max_pool2d((grey < 0.8).float().unsqueeze(1), 5, 1, 2).squeeze(1)
    # Bilinear reduction by 8 without antialiasing is the mean of the four middle pixels of each cell.
    rows = (wide[:, 3::8] + wide[:, 4::8]) / 2
    return (rows[:, :, 3::8] + rows[:, :, 4::8]) / 2


class Projector(nn.Module):
    """1 x 1 convolutions 128-1024-1024-1024-256 with ReLU between, then unit length."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (DIM, 1024, 1024, 1024, 256)
        layers: list[nn.Module] = []
        for level, (a, b) in enumerate(pairwise(sizes)):
            layers += [nn.Conv2d(a, b, 1, bias=level < 3), nn.ReLU()]
        self.mlp = nn.Sequential(*layers[:-1])

    def forward(self, f_BDhw: Tensor) -> Tensor:
        return F.normalize(self.mlp(f_BDhw).float(), dim=1, eps=1e-12)


class Attention(nn.Module):
    """Multi-head attention of rows over a context, 8 heads of 64."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(WIDTH, WIDTH, bias=False)
        self.to_k = nn.Linear(context, WIDTH, bias=False)
        self.to_v = nn.Linear(context, WIDTH, bias=False)
        self.to_out = nn.Sequential(nn.Linear(WIDTH, WIDTH))

    def forward(self, x_BLW: Tensor, context_BVC: Tensor, chosen_BQk: Tensor | None = None) -> Tensor:
        rows = (self.to_q(x_BLW), self.to_k(context_BVC), self.to_v(context_BVC))
        q, k, v = (split_heads(part, HEADS) for part in rows)
        return self.to_out(join_heads(cross_attention(q, k, v, chosen_BQk)))


class GatedFeedForward(nn.Module):
    """W2 (a * gelu(g)) of the two halves of one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        gate = nn.ModuleDict({"proj": nn.Linear(WIDTH, 8 * WIDTH)})
        self.net = nn.ModuleDict({"0": gate, "2": nn.Linear(4 * WIDTH, WIDTH)})

    def forward(self, x_BLW: Tensor) -> Tensor:
        a, g = self.net["0"]["proj"](x_BLW).chunk(2, dim=-1)  # type: ignore[index]
        return self.net["2"](a * F.gelu(g))


class PublishedBlock(nn.Module):
    """Pre-norm self-attention, cross-attention and gated feed-forward, each with a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.attn1, self.attn2, self.ff = Attention(WIDTH), Attention(2 * DIM), GatedFeedForward()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(WIDTH) for _ in range(3))

    def forward(self, x_BLW: Tensor, context_BVC: Tensor, chosen_BQk: Tensor | None) -> Tensor:
        normed = self.norm1(x_BLW)
        x_BLW = x_BLW + self.attn1(normed, normed)
        x_BLW = x_BLW + self.attn2(self.norm2(x_BLW), context_BVC, chosen_BQk)
        return x_BLW + self.ff(self.norm3(x_BLW))


class CrossTransformer(nn.Module):
    """128 to 512, three blocks, back to 128; no norm and no skip around."""

    def __init__(self) -> None:
        super().__init__()
        self.proj_in, self.proj_out = nn.Linear(DIM, WIDTH), nn.Linear(WIDTH, DIM)
        self.transformer_blocks = nn.ModuleList(PublishedBlock() for _ in range(3))

    def forward(self, x_BLD: Tensor, context_BVC: Tensor, chosen_BQk: Tensor | None) -> Tensor:
        x = self.proj_in(x_BLD)
        for block in self.transformer_blocks:
            x = block(x, context_BVC, chosen_BQk)
        return self.proj_out(x)


class Decoder(nn.Module):
    """Token, transformer over the reference patches, heads."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Embedding(1, DIM)
        self.map_to_pos_enc = nn.Linear(63, DIM)
        self.crossatten = CrossTransformer()
        self.cls_layer = MLP(DIM, 256, 1)
        self.bbox_layer = MLP(DIM, 256, 256, 4)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, f_query_BQD: Tensor, f_views_BVD: Tensor, xyz_BV3: Tensor, chosen_BQk: Tensor | None) -> Output:
        position = self.map_to_pos_enc(fourier_code(xyz_BV3, 10))
        context = torch.cat([f_views_BVD, position.to(f_views_BVD.dtype)], dim=-1)
        token = self.token.weight.expand(len(f_query_BQD), 1, DIM).to(f_query_BQD.dtype)
        o_BD = self.crossatten(torch.cat([token, f_query_BQD], dim=1), context, chosen_BQk)[:, 0]
        # As in Heads: scores and boxes in float32 under mixed precision too.
        with torch.autocast(o_BD.device.type, enabled=False):
            o_BD = o_BD.to(next(self.parameters()).dtype)
            return Output(self.cls_layer(o_BD).squeeze(-1), torch.sigmoid(self.bbox_layer(o_BD)))


class PublishedCMT(nn.Module):
    """The five parts of a published checkpoint; inputs as for CMT, xyz being the published position maps."""

    def __init__(self, k: int = 100) -> None:
        super().__init__()
        self.k = k
        self.encoder, self.projector = Encoder(DIM, 64), Projector()
        self.encoder_ema, self.projector_ema = copy.deepcopy(self.encoder), copy.deepcopy(self.projector)
        for part in (self.encoder_ema, self.projector_ema):
            part.requires_grad_(False)
        self.attention_decoder = Decoder()

    def encode(self, query_B3SS: Tensor, views_BN3SS: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, D, 32, 32) of queries and (B, N, D, 32, 32) of views from one batch, views first."""
        B, N = views_BN3SS.shape[:2]
        f = self.encoder(torch.cat([views_BN3SS.flatten(0, 1), query_B3SS]))
        return f[B * N :], f[: B * N].unflatten(0, (B, N))

    @torch.no_grad()
    def projected(self, f_BDhw: Tensor, image_B3SS: Tensor) -> Tensor:
        """Masked projections (B, 1024, 256)."""
        return flat_patches(self.projector(f_BDhw) * foreground(image_B3SS).unsqueeze(1))

    def choose(
        self, f_query: Tensor, f_views: Tensor, query: Tensor, views: Tensor, k: int | None = None
    ) -> Tensor | None:
        """Indices (B, 1024, k) into the N * 1024 reference patches; None for all. ValueError if k is too large."""
        k = self.k if k is None else k
        if k <= 0:
            return None
        z_query = self.projected(f_query, query)
        z_views = self.projected(f_views.flatten(0, 1), views.flatten(0, 1)).unflatten(0, views.shape[:2]).flatten(1, 2)
        with torch.autocast(z_query.device.type, enabled=False):
            items = zip(z_query.float(), z_views.float(), strict=True)
            return torch.stack([choose_top_k(q[None] @ v.T, k)[0] for q, v in items])

    def forward(
        self,
        query_B3SS: Tensor,
        views_BN3SS: Tensor,
        xyz_BNP3: Tensor,
        k: int | None = None,
        chosen_BQk: Tensor | None = None,
    ) -> Output:
        """Logit and box; `chosen_BQk` replaces the selection. NaN positions become the published -1."""
        f_query, f_views = self.encode(query_B3SS, views_BN3SS)
        if chosen_BQk is None:
            chosen_BQk = self.choose(f_query, f_views, query_B3SS, views_BN3SS, k)
        xyz = xyz_BNP3.nan_to_num(-1.0).flatten(1, -2)
        context = f_views.flatten(3).transpose(2, 3).flatten(1, 2)
        return self.attention_decoder(flat_patches(f_query), context, xyz, chosen_BQk)

    @torch.no_grad()
    def update_keys(self, momentum: float) -> None:
        """Key branch = momentum * key branch + (1 - momentum) * online branch; parameters, not buffers."""
        for key, online in ((self.encoder_ema, self.encoder), (self.projector_ema, self.projector)):
            for slow, fast in zip(key.parameters(), online.parameters(), strict=True):
                slow.mul_(momentum).add_(fast, alpha=1 - momentum)


def load_published(checkpoint: dict[str, dict[str, Tensor]], k: int = 100) -> PublishedCMT:
    """The network of a published checkpoint (five state dicts).

    Accepts a leading `module.` and the pyramid names of old torchvision. Raises KeyError, RuntimeError on a
    missing part, a missing or unknown name or a wrong shape.
    """
    model = PublishedCMT(k)
    for part in PARTS:
        state = {_present_name(name): value for name, value in checkpoint[part].items()}
        dead = DEAD.get(part, ())
        model.get_submodule(part).load_state_dict({n: v for n, v in state.items() if not n.startswith(dead or ("\0",))})
    return model


def _present_name(name: str) -> str:
    name = name.removeprefix("module.")
    for blocks in ("fpn.inner_blocks.", "fpn.layer_blocks."):
        if name.startswith(blocks):
            level, *rest = name.removeprefix(blocks).split(".")
            return f"{blocks}{level}.0.{rest[-1]}"
    return name
