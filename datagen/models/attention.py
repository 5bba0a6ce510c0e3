"""Top-k sparse cross-attention (paper, equations 10 and 11) in three forms that give the same numbers.

Shapes: B items, H heads, Q query patches, V reference patches, k chosen, d channels a head.
`q_BHQd`, `k_BHVd`, `v_BHVd`; `chosen_BQk` holds indices into V, the same for every head.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from datagen.models.sparse import sparse_attention


def choose_top_k(similarity_BQV: Tensor, k: int) -> Tensor:
    """Indices (B, Q, k) of the k largest entries of each row; equal values go to the lowest index.

    Raises ValueError where k exceeds V.
    """
    if k > similarity_BQV.shape[-1]:
        raise ValueError(f"k = {k} exceeds the {similarity_BQV.shape[-1]} reference patches")
    threshold = similarity_BQV.topk(k, dim=-1, sorted=True)
    smallest = threshold.values[..., -1:]
    tied = (similarity_BQV == smallest).sum(-1) > (threshold.values == smallest).sum(-1)
    chosen = threshold.indices
    if bool(tied.any()):
        # topk breaks ties as it likes: rows with more candidates than places are sorted stably instead.
        rows = similarity_BQV[tied]
        above = rows > smallest[tied]
        room = k - above.sum(-1, keepdim=True)
        equal = rows == smallest[tied]
        keep = above | (equal & (equal.cumsum(-1) <= room))
        chosen = chosen.clone()
        chosen[tied] = keep.nonzero()[:, 1].view(-1, k)
    return chosen.sort(dim=-1).values


def bias_of(chosen_BQk: Tensor, count: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """The additive mask (B, 1, Q, V) of a choice: 0 where chosen, -inf elsewhere (equation 11)."""
    B, Q, _ = chosen_BQk.shape
    bias = torch.full((B, Q, count), -torch.inf, dtype=dtype, device=chosen_BQk.device)
    return bias.scatter_(-1, chosen_BQk, 0.0).unsqueeze(1)


def dense_attention(q_BHQd: Tensor, k_BHVd: Tensor, v_BHVd: Tensor, bias_B1QV: Tensor | None = None) -> Tensor:
    """The textbook form: every score is made, then masked."""
    scores = q_BHQd @ k_BHVd.transpose(-1, -2) / q_BHQd.shape[-1] ** 0.5
    if bias_B1QV is not None:
        scores = scores + bias_B1QV
    return scores.softmax(dim=-1) @ v_BHVd


def cross_attention(
    q_BHQd: Tensor, k_BHVd: Tensor, v_BHVd: Tensor, chosen_BQk: Tensor | None, form: str = "sparse"
) -> Tensor:
    """Attention of one token row and Q patch rows; (B, H, 1 + Q, d) in and out.

    Row 0 is the token and attends to all; the rows after it attend to their choice, or to all where
    `chosen_BQk` is None.
    """
    if chosen_BQk is None:
        return F.scaled_dot_product_attention(q_BHQd, k_BHVd, v_BHVd)
    if form == "sparse":
        token = F.scaled_dot_product_attention(q_BHQd[:, :, :1], k_BHVd, v_BHVd)
        return torch.cat([token, sparse_attention(q_BHQd[:, :, 1:], k_BHVd, v_BHVd, chosen_BQk)], dim=2)
    bias = bias_of(chosen_BQk, k_BHVd.shape[2], q_BHQd.dtype)
    bias = F.pad(bias, (0, 0, 1, 0))
    if form == "dense":
        return dense_attention(q_BHQd, k_BHVd, v_BHVd, bias)
    return F.scaled_dot_product_attention(q_BHQd, k_BHVd, v_BHVd, attn_mask=bias)
