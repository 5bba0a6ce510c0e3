"""View-agnostic local feature alignment (paper, section 4.3, equations 13 and 14).

z are L2-normalised projections beta(f), (B, P, d), one row a patch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def pseudo_labels(z_query: Tensor, z_view: Tensor) -> Tensor:
    """Equation (13): for each row of `z_query` (..., R, d) the index of the most similar row of `z_view`."""
    with torch.no_grad(), torch.autocast(z_query.device.type, enabled=False):
        return (z_query @ z_view.transpose(-1, -2)).argmax(dim=-1)


def alignment_loss(z_from: Tensor, z_to: Tensor, positive: Tensor, tau: float) -> Tensor:
    """Equation (14), mean over rows: the positive against every other patch of the same view.

    `z_from` (..., R, d), `z_to` (..., P, d), `positive` (..., R) indices into P, -1 where there is none
    (such rows weigh nothing; without any row the loss is 0). The paper prints a sum over patches; the mean
    keeps the loss's weight independent of how many are drawn.
    """
    with torch.autocast(z_from.device.type, enabled=False):
        similarity = (z_from @ z_to.transpose(-1, -2)).float() / tau
    valid = positive >= 0
    if not bool(valid.any()):
        return similarity.sum() * 0.0
    return F.cross_entropy(similarity.flatten(0, -2), positive.masked_fill(~valid, -100).flatten(), ignore_index=-100)


def take_rows(z_BPd: Tensor, index_BR: Tensor) -> Tensor:
    """Rows (B, R, d) of `z_BPd`; negative indices give row 0, to be ignored later."""
    index = index_BR.clamp(min=0).unsqueeze(-1).expand(-1, -1, z_BPd.shape[-1])
    return z_BPd.gather(1, index)
