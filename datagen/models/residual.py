"""The residual of a query and a view without anything learned about pictures: what every network has to beat.

Both are described by histograms of edge directions and the share of object at every place; the residual of a place is
one minus the cosine of the two, the least over its neighbours in the view. The score is the mean of the largest
residuals on the object, and only its scale and zero are learned.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.blocks import Output
from datagen.models.comparator import Compared
from datagen.models.silhouettes import agreements, silhouettes

BINS = 6
"""Edge directions, without sign."""
STRIDE = 4
SHARE = 0.03
"""Of the object's places, those whose residuals are averaged."""
NEIGHBOURS = 3
"""Places along a side among which a query's place is looked for in the view."""
EDGE = 0.05
"""Edge strength that counts half, in units of white minus black a pixel."""


def described(grey_BSS: Tensor) -> tuple[Tensor, Tensor]:
    """Descriptors (B, BINS + 1, h, h) and the object's share (B, h, h) of pictures in [-1, 1], h = S / 4."""
    padded = F.pad(grey_BSS.unsqueeze(1) / 2, (1, 1, 1, 1), mode="replicate")[:, 0]
    dx = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    dy = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    strength = (dx.square() + dy.square()).sqrt()
    strength = strength / (strength + EDGE)
    turn = torch.atan2(dy, dx) % torch.pi / torch.pi * BINS
    low = turn.floor().long() % BINS
    part = turn - turn.floor()
    histogram = torch.zeros(len(grey_BSS), BINS, *grey_BSS.shape[1:], device=grey_BSS.device)
    histogram.scatter_(1, low[:, None], (strength * (1 - part))[:, None])
    histogram.scatter_add_(1, ((low + 1) % BINS)[:, None], (strength * part)[:, None])
    share = F.avg_pool2d(silhouettes(grey_BSS), STRIDE)
    return torch.cat([F.avg_pool2d(histogram, STRIDE), share[:, None]], dim=1), share


def residuals(query_BCh: Tensor, view_BCh: Tensor) -> Tensor:
    """One minus the cosine (B, h, h) of every place of a query and the most similar of its neighbours in a view."""
    B, C, h, _ = query_BCh.shape
    around = F.unfold(view_BCh, NEIGHBOURS, padding=NEIGHBOURS // 2).view(B, C, NEIGHBOURS**2, h, h)
    cosine = F.cosine_similarity(query_BCh[:, :, None], around, dim=1, eps=1e-3)
    return 1 - cosine.amax(1)


class Residual(nn.Module):
    """The comparator's interface without its layers: two numbers are learned, the score's scale and zero."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.zero = nn.Parameter(torch.tensor(10.0)), nn.Parameter(torch.tensor(-3.0))

    def forward(
        self,
        query_Q3SS: Tensor,
        views_GN1SS: Tensor,
        set_B: Tensor | None = None,
        against_B: Tensor | None = None,
        there_BN: Tensor | None = None,
        picture_B: Tensor | None = None,
        own_B1SS: Tensor | None = None,
        use_own_B: Tensor | None = None,
    ) -> Compared:
        """As of the comparator; the view whose silhouette agrees best with the query's is chosen."""
        grey = query_Q3SS.mean(1) if picture_B is None else query_Q3SS.mean(1)[picture_B]
        views = views_GN1SS[:, :, 0] if set_B is None else views_GN1SS[set_B, :, 0]
        likeness = agreements(query_Q3SS.amin(1) if picture_B is None else query_Q3SS.amin(1)[picture_B], views)
        if there_BN is not None:
            likeness = likeness.masked_fill(~there_BN, -1.0)
        view_B = likeness.argmax(dim=1)
        if against_B is not None:
            view_B = torch.where(against_B >= 0, against_B, view_B)
        seen = views[torch.arange(len(views), device=views.device), view_B]
        if own_B1SS is not None:
            use = torch.ones_like(view_B, dtype=torch.bool) if use_own_B is None else use_own_B
            seen = torch.where(use[:, None, None], own_B1SS[:, 0], seen)
        (query, share), (view, other) = described(grey), described(seen)
        away = residuals(query, view)
        weight = torch.maximum(share, other)
        count = max(1, round(SHARE * away[0].numel()))
        score = (away * weight).flatten(1).topk(count, dim=1).values.mean(1)
        change = self.scale * away * weight + self.zero
        return Compared(Output(self.scale * score + self.zero, None, change), likeness, view_B)
