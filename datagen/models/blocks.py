"""Small parts that several networks share: MLPs, attention heads, self-attention, output heads."""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Output:
    """What every detector answers: `logit_B` (anomalous above 0), `box_B4` cx, cy, w, h in 0..1 or None.

    `change_Bhw` is a map of logits over the query, above 0 where it differs from the reference, or None.
    """

    logit_B: Tensor
    box_B4: Tensor | None = None
    change_Bhw: Tensor | None = None

    def rows(self, row_B: Tensor) -> "Output":
        """The answers of these rows, each as often as it is named."""
        box, change = (part if part is None else part[row_B] for part in (self.box_B4, self.change_Bhw))
        return Output(self.logit_B[row_B], box, change)


class MLP(nn.Module):
    """Linear layers with ReLU between them; `sizes` are the widths from input to output."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def forward(self, x_D: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x_D = torch.relu(layer(x_D))
        return self.layers[-1](x_D)


def split_heads(x_BLD: Tensor, heads: int) -> Tensor:
    """(B, L, D) to (B, heads, L, D/heads); head h owns consecutive channels."""
    B, L, D = x_BLD.shape
    return x_BLD.view(B, L, heads, D // heads).transpose(1, 2)


def join_heads(x_BHLd: Tensor) -> Tensor:
    """The inverse of `split_heads`."""
    return x_BHLd.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Multi-head self-attention with residual and layer norm after it (the paper's SA, equation 3)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(x_BLD).chunk(3, dim=-1))
        return self.norm(x_BLD + self.out(join_heads(F.scaled_dot_product_attention(q, k, v))))


class TransformerBlock(nn.Module):
    """Self-attention and feed-forward, each with residual and norm after it."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention = SelfAttention(dim, heads)
        self.ffn = MLP(dim, 4 * dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        x_BLD = self.attention(x_BLD)
        return self.norm(x_BLD + self.ffn(x_BLD))


class Heads(nn.Module):
    """Class logit and, if wanted, box (paper, section 5.1: a 4-layer MLP) from one vector a sample.

    In float32 under mixed precision too: bf16 has 128 steps between 1 and 2, so scores would tie and boxes would jump.
    """

    def __init__(self, dim: int, box: bool) -> None:
        super().__init__()
        self.classify = MLP(dim, 2 * dim, 1)
        self.locate = MLP(dim, 2 * dim, 2 * dim, 2 * dim, 4) if box else None

    def forward(self, token_BD: Tensor) -> Output:
        with torch.autocast(token_BD.device.type, enabled=False):
            token_BD = token_BD.to(next(self.parameters()).dtype)
            box = torch.sigmoid(self.locate(token_BD)) if self.locate is not None else None
            return Output(self.classify(token_BD).squeeze(-1), box)
