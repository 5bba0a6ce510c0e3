"""Comparing objects: correspondences between their cut-outs, attention among them, and the answer (section 3.4).

Shapes: B scenes, N objects, P tokens an object (roi^3), C channels. `there_BN` says which objects there are.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.blocks import MLP, join_heads, split_heads
from datagen.models.detector.unet import norm
from datagen.models.sparse import sparse_attention

Form = Literal["gathered", "masked"]
ODDEST = (0.05, 0.2)
"""Shares of an object's tokens, the oddest of which are averaged."""
ODD_SHARE, LACK_SHARE = 0.05, 0.05
"""Of an object's tokens, those least like the others', and of another's those that it lacks, which are averaged."""
UNLIKE = -2.0
"""Below every cosine."""


def correspondences(z_BNPF: Tensor, k: int, there_BN: Tensor, inside_BNP: Tensor | None = None) -> Tensor:
    """Equation (5) for every ordered pair of objects: indices (B, N, P, (N - 1) k) into the scene's N P tokens.

    By cosine, the k most similar tokens of every other object, those first that are known to be `inside` of it;
    without a gradient. Of objects that are not there the token's own place stands, which attention leaves out.
    """
    _, N, P, _ = z_BNPF.shape
    with torch.no_grad():
        z = F.normalize(z_BNPF.float(), dim=-1)
        rows = []
        for n in range(N):
            likeness = torch.einsum("bpf,bmqf->bpmq", z[:, n], z)
            if inside_BNP is not None:
                likeness = likeness.masked_fill(~inside_BNP[:, None], UNLIKE)
            best = likeness.topk(k, dim=-1).indices + P * torch.arange(N, device=z.device)[:, None]
            own = n * P + torch.arange(P, device=z.device)
            best = torch.where(there_BN[:, None, :, None], best, own[None, :, None, None])
            others = [m for m in range(N) if m != n]
            rows.append(best[:, :, others].flatten(2))
        return torch.stack(rows, dim=1)


class VoxelAttention(nn.Module):
    """Equations (6) and (7): a sum over the other objects of a softmax over that object's chosen tokens.

    `match` none compares nothing; full attends to all tokens of the others at once; sparse to the chosen ones of each.
    The two forms of sparse attention, gathering and masking, give the same numbers.
    """

    def __init__(self, dim: int, width: int, heads: int, match: str, *, difference: bool = False) -> None:
        """`difference`: tokens are also told how their own value differs from the mean of what they attend to."""
        super().__init__()
        self.heads, self.match, self.difference = heads, match, difference
        self.q, self.k, self.v = (nn.Linear(dim, width, bias=False) for _ in range(3))
        self.out = nn.Linear(width * (2 if difference else 1), dim)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.ffn = MLP(dim, 4 * dim, dim)

    def forward(
        self,
        z_BNPC: Tensor,
        chosen_BNPK: Tensor | None,
        there_BN: Tensor,
        form: Form = "gathered",
        inside_BNP: Tensor | None = None,
    ) -> Tensor:
        """Tokens (B, N, P, C) that know of the others'; full attention sees those alone that are `inside`."""
        _, N, P, _ = z_BNPC.shape
        if self.match != "none" and N > 1:
            flat = z_BNPC.flatten(1, 2)
            q, k, v = (split_heads(layer(flat), self.heads) for layer in (self.q, self.k, self.v))
            if self.match == "full" or chosen_BNPK is None:
                seen = _all_others(q, k, v, there_BN, P, inside_BNP)
            else:
                seen = _of_each(q, k, v, chosen_BNPK, there_BN, form)
            told = join_heads(seen)
            if self.difference:
                # Sparse attention is a sum over the other objects, full attention one mean of all their tokens.
                others = (there_BN.sum(1, keepdim=True) - there_BN.int()).clamp_min(1)
                mean = told if chosen_BNPK is None else told / others.repeat_interleave(P, dim=1)[..., None]
                told = torch.cat([told, (join_heads(v) - mean).abs()], dim=-1)
            z_BNPC = self.norm1(z_BNPC + self.out(told).unflatten(1, (N, P)))
        return self.norm2(z_BNPC + self.ffn(z_BNPC))


def _all_others(
    q_BHLd: Tensor, k_BHLd: Tensor, v_BHLd: Tensor, there_BN: Tensor, P: int, inside_BNP: Tensor | None
) -> Tensor:
    N = there_BN.shape[1]
    owner = torch.arange(N, device=q_BHLd.device).repeat_interleave(P)
    allowed = (owner[:, None] != owner) & there_BN.repeat_interleave(P, dim=1)[:, None]
    if inside_BNP is not None:
        allowed = allowed & inside_BNP.flatten(1)[:, None]
    # A token that may see nothing sees itself: its row would have no softmax.
    allowed = allowed | (~allowed.any(-1, keepdim=True) & torch.eye(N * P, dtype=torch.bool, device=q_BHLd.device))
    return F.scaled_dot_product_attention(q_BHLd, k_BHLd, v_BHLd, attn_mask=allowed[:, None])


def _of_each(
    q_BHLd: Tensor, k_BHLd: Tensor, v_BHLd: Tensor, chosen_BNPK: Tensor, there_BN: Tensor, form: Form
) -> Tensor:
    """Attention (B, H, L, d) to each other object's choice by itself, summed over the objects that are there."""
    B, N, P, K = chosen_BNPK.shape
    k = K // (N - 1)
    chosen = chosen_BNPK.view(B, N * P, N - 1, k)
    counts = _others(there_BN).repeat_interleave(P, dim=1)
    total = torch.zeros_like(q_BHLd)
    for other in range(N - 1):
        of_one = chosen[:, :, other]
        if form == "gathered":
            seen = sparse_attention(q_BHLd, k_BHLd, v_BHLd, of_one)
        else:
            bias = torch.full((B, N * P, N * P), -torch.inf, device=q_BHLd.device).scatter_(-1, of_one, 0.0)
            seen = F.scaled_dot_product_attention(q_BHLd, k_BHLd, v_BHLd, attn_mask=bias[:, None])
        total = total + seen * counts[:, None, :, other, None]
    return total


def _others(there_BN: Tensor) -> Tensor:
    """(B, N, N - 1): whether each of the other objects, in ascending order, is there."""
    N = there_BN.shape[1]
    rows = [[m for m in range(N) if m != n] for n in range(N)]
    index = torch.tensor(rows, device=there_BN.device)
    return there_BN[:, index].float()


class ObjectHead(nn.Module):
    """Cut-outs (B, N, P, C) to a logit an object (B, N): halved once in 3D, flattened, a two-layer MLP.

    Every head may also be `told` numbers of each object, (B, N, T).
    """

    def __init__(self, dim: int, roi: int, told: int = 0) -> None:
        super().__init__()
        self.roi = roi
        self.halve = nn.Sequential(nn.Conv3d(dim, dim, 3, 2, 1, bias=False), norm(dim), nn.ReLU())
        self.answer = MLP(dim * (roi // 2) ** 3 + told, 4 * dim, 1)

    def forward(self, z_BNPC: Tensor, told_BNT: Tensor) -> Tensor:
        B, N = z_BNPC.shape[:2]
        cube = z_BNPC.flatten(0, 1).transpose(1, 2).unflatten(-1, (self.roi,) * 3)
        found: Tensor = self.answer(torch.cat([self.halve(cube).flatten(1).view(B, N, -1), told_BNT], dim=-1))[..., 0]
        return found


class PooledHead(nn.Module):
    """Cut-outs (B, N, P, C) to a logit an object (B, N): mean and largest value over the tokens, a two-layer MLP.

    With few scenes what an object looks like as a whole is soon learned by heart; `TokenHead` does not see it.
    """

    def __init__(self, dim: int, told: int = 0) -> None:
        super().__init__()
        self.answer = MLP(2 * dim + told, 4 * dim, 1)

    def forward(self, z_BNPC: Tensor, told_BNT: Tensor) -> Tensor:
        found: Tensor = self.answer(torch.cat([z_BNPC.mean(2), z_BNPC.amax(2), told_BNT], dim=-1))[..., 0]
        return found


class TokenHead(nn.Module):
    """Cut-outs (B, N, P, C) to a logit a token (B, N, P) and, of the oddest of these logits, an object (B, N).

    Of what an object looks like as a whole nothing reaches the answer.
    """

    def __init__(self, dim: int, told: int = 0) -> None:
        super().__init__()
        self.token = MLP(dim, 4 * dim, 1)
        self.answer = MLP(len(ODDEST) + told, 2 * dim, 1)

    def forward(self, z_BNPC: Tensor, told_BNT: Tensor, inside_BNP: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits of objects and of their tokens; tokens that are not `inside` count for nothing."""
        token = self.token(z_BNPC)[..., 0]
        inside = torch.ones_like(token, dtype=torch.bool) if inside_BNP is None else inside_BNP
        oddest = torch.stack([_largest(token, inside, share) for share in ODDEST], dim=-1)
        return self.answer(torch.cat([oddest, told_BNT], dim=-1))[..., 0], token


@dataclass(frozen=True, eq=False)
class Unlikeness:
    """How objects differ by their tokens' cosines, without a weight learned.

    `tokens` (B, N, P, 2): 1 - a token's largest cosine with any token of another object, least over the others and
    their mean. `objects` (B, N, 4): how odd the oddest tokens of an object are; how far it lacks tokens that at least
    two of the others have, or the other one where there is but one; by how much both exceed the mean of the others.
    """

    TOKENS: ClassVar[int] = 2
    OBJECTS: ClassVar[int] = 4
    tokens: Tensor
    objects: Tensor


def unlikeness(z_BNPF: Tensor, there_BN: Tensor, inside_BNP: Tensor | None = None) -> Unlikeness:
    """Every object against every other one, by the tokens that are `inside`; the others are 0 and compared with none,
    as is an object without any. All is 0 for an object that is alone."""
    z = F.normalize(z_BNPF, dim=-1)
    if inside_BNP is None:
        inside_BNP = torch.ones(z.shape[:3], dtype=torch.bool, device=z.device)
    air = ~inside_BNP[:, None]
    # away[b, n, p, m]: how unlike any token of object m token p of object n is.
    away = torch.stack(
        [1 - torch.einsum("bpf,bmqf->bpmq", of, z).masked_fill(air, UNLIKE).amax(-1) for of in z.unbind(1)], dim=1
    )
    pair = _pairs(there_BN & inside_BNP.any(-1))
    has = pair.any(-1)[..., None]
    mean = (away * pair[:, :, None]).sum(-1) / pair.sum(-1).clamp_min(1)[..., None]
    nearest, second = _two_least(away.masked_fill(~pair[:, :, None], torch.inf))
    least = torch.where(has, nearest, 0.0)
    inside = inside_BNP & has
    odd = _largest(least, inside, ODD_SHARE)
    # What object n lacks of m: tokens of m that n has not, less what the rest have not either.
    rest = torch.where(away <= nearest[..., None], second[..., None], nearest[..., None])
    lacking = torch.where(rest.isfinite(), away - rest, away).clamp_min(0) * inside[..., None]
    each = _largest(lacking.transpose(2, 3), inside[:, :, None].expand(-1, -1, z.shape[1], -1), LACK_SHARE) * pair
    lacks = each.sum(1) / pair.sum(1).clamp_min(1)
    both = torch.stack([odd, lacks], dim=-1)
    others = pair.float() @ both / pair.sum(-1).clamp_min(1)[..., None]
    told = torch.cat([both, (both - others) * has], dim=-1)
    return Unlikeness(torch.stack([least, mean], dim=-1) * inside[..., None], told)


def _pairs(there_BN: Tensor) -> Tensor:
    """(B, N, N): two different objects that are both there."""
    own = torch.eye(there_BN.shape[1], dtype=torch.bool, device=there_BN.device)
    return there_BN[:, :, None] & there_BN[:, None] & ~own


def _two_least(values_BNPM: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the second least value over the last axis; infinite where there is none."""
    two = F.pad(values_BNPM, (0, 1), value=torch.inf).topk(2, dim=-1, largest=False).values
    return two[..., 0], two[..., 1]


def _largest(values: Tensor, inside: Tensor, share: float) -> Tensor:
    """The mean of the largest of those values over the last axis that are `inside`: a share of these, one at least.

    0 where none is."""
    ranked = values.masked_fill(~inside, -torch.inf).sort(dim=-1, descending=True).values
    wanted = (inside.sum(-1, keepdim=True) * share).round().clamp_min(1)
    counts = (torch.arange(values.shape[-1], device=values.device) < wanted) & ranked.isfinite()
    return torch.where(counts, ranked, 0.0).sum(-1) / counts.sum(-1).clamp_min(1)


def residual_scores(z_BNPF: Tensor, there_BN: Tensor, inside_BNP: Tensor | None = None) -> Tensor:
    """Without a weight learned: how unlike the other objects each one is (B, N), 0 for one that is alone.

    Of every token one minus its cosine with the most similar token of the others; of an object the mean of its largest.
    The number that every learned head has to beat.
    """
    return unlikeness(z_BNPF.float(), there_BN, inside_BNP).objects[..., 0]
