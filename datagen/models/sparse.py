"""Attention over gathered keys: the Q x V x heads matrix is never built.

Scores come from gathered keys, block of rows by block of rows. Sums over chosen values, and the
gradients, are weighted bags of table rows (`embedding_bag`), which read the tables in place; the
gradients of keys and values are bags over the inverted choice, so nothing is scattered and the result
does not depend on the order of threads.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

ROW_BLOCK = 128
"""Query rows whose keys are gathered at once: 128 x k x D floats is what a gather may take."""


def sparse_attention(q_BHQd: Tensor, k_BHVd: Tensor, v_BHVd: Tensor, chosen_BQk: Tensor) -> Tensor:
    """softmax(q k / sqrt d) v over the chosen keys of each row; (B, H, Q, d).

    Keys and values are gathered again in the backward pass instead of being kept. Computed in float32.
    """
    with torch.autocast(q_BHQd.device.type, enabled=False):
        outputs = [
            _SparseItem.apply(*(table.float().contiguous() for table in item), chosen)
            for *item, chosen in zip(q_BHQd, k_BHVd, v_BHVd, chosen_BQk, strict=True)
        ]
    return torch.stack(outputs).to(v_BHVd.dtype)


def _gathered_dot(left_HQd: Tensor, table_HVd: Tensor, chosen_Qk: Tensor) -> Tensor:
    """(H, Q, k): rows of `left` times the chosen rows of `table`."""
    H, Q, d = left_HQd.shape
    rows_VD = table_HVd.transpose(0, 1).reshape(-1, H * d)
    out = left_HQd.new_empty(H, Q, chosen_Qk.shape[1])
    for start in range(0, Q, ROW_BLOCK):
        part = slice(start, start + ROW_BLOCK)
        chosen = chosen_Qk[part]
        picked = rows_VD.index_select(0, chosen.flatten()).view(*chosen.shape, H, d)
        # Heads are columns of one block-diagonal right-hand side, so one small product a row does them all.
        out[:, part] = torch.einsum("qkhd,hqd->hqk", picked, left_HQd[:, part])
    return out


def _bags(table_HVd: Tensor, index_N: Tensor, start_M: Tensor, weight_HN: Tensor) -> Tensor:
    """(H, M, d): for each head, sums of weighted table rows over M bags that start at `start_M`."""
    return torch.stack(
        [
            F.embedding_bag(index_N, table, start_M, mode="sum", per_sample_weights=weight)
            for table, weight in zip(table_HVd, weight_HN, strict=True)
        ]
    )


class _SparseItem(torch.autograd.Function):
    """One item: q (H, Q, d), k and v (H, V, d), chosen (Q, k)."""

    @staticmethod
    def forward(ctx, q_HQd: Tensor, k_HVd: Tensor, v_HVd: Tensor, chosen_Qk: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        d = q_HQd.shape[-1]
        weight_HQk = (_gathered_dot(q_HQd, k_HVd, chosen_Qk) / d**0.5).softmax(dim=-1)
        ctx.save_for_backward(q_HQd, k_HVd, v_HVd, chosen_Qk)
        starts = torch.arange(0, chosen_Qk.numel(), chosen_Qk.shape[1], device=chosen_Qk.device)
        return _bags(v_HVd, chosen_Qk.flatten(), starts, weight_HQk.flatten(1))

    @staticmethod
    def backward(ctx, grad_HQd: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:  # type: ignore[no-untyped-def]
        q_HQd, k_HVd, v_HVd, chosen_Qk = ctx.saved_tensors
        k, d = chosen_Qk.shape[1], q_HQd.shape[-1]
        grad_HQd = grad_HQd.contiguous()
        weight = (_gathered_dot(q_HQd, k_HVd, chosen_Qk) / d**0.5).softmax(dim=-1)
        grad_weight = _gathered_dot(grad_HQd, v_HVd, chosen_Qk)
        grad_score = weight * (grad_weight - (weight * grad_weight).sum(-1, keepdim=True)) / d**0.5
        flat = chosen_Qk.flatten()
        starts = torch.arange(0, flat.numel(), k, device=flat.device)
        grad_q = _bags(k_HVd, flat, starts, grad_score.flatten(1))
        # Inverted choice: for each key, the queries that chose it.
        order = flat.argsort(stable=True)
        query_N = torch.div(order, k, rounding_mode="floor")
        count_V = torch.bincount(flat, minlength=k_HVd.shape[1])
        start_V = count_V.cumsum(0) - count_V
        grad_k = _bags(q_HQd, query_N, start_V, grad_score.flatten(1)[:, order])
        grad_v = _bags(grad_HQd, query_N, start_V, weight.flatten(1)[:, order])
        return grad_q, grad_k, grad_v, None
