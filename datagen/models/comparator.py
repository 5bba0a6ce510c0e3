"""The comparator: chooses the view nearest a query by an embedding, then compares the two place by place.

Query and views have stems of their own and share a trunk to stride 4. What is compared is [q, r, |q - r|, q * r] at
every place; residual blocks go on to stride 32. It sees a difference only where query and view are seen from nearly
one direction: how far off the view may be is measured in docs/reference-worth.md.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.blocks import Heads, Output
from datagen.models.config import ModelConfig
from datagen.models.resnet import BasicBlock

TEMPERATURE = 0.1
"""By which the cosine of two embeddings is divided where views are weighed against each other."""
EMBEDDED = 128
CELLS = 4
"""Places along a side that an embedding keeps apart."""
STRIDE = 4
"""Pixels of the query along a side of a place of the change map."""


@dataclass(frozen=True, eq=False)
class Compared:
    """The answer, how much each view resembles the query (B, N) as logits, and the view that it was compared with (B,)
    by its place among the N."""

    output: Output
    likeness_BN: Tensor
    view_B: Tensor


def _stem(channels_in: int, width: int) -> nn.Sequential:
    layers = [nn.Conv2d(channels_in, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


def _stage(channels_in: int, channels: int, depth: int) -> nn.Sequential:
    """Residual blocks that halve the picture."""
    return nn.Sequential(
        BasicBlock(channels_in, channels, 2), *(BasicBlock(channels, channels, 1) for _ in range(depth - 1))
    )


def _halved(channels: int) -> nn.Module:
    return BasicBlock(channels, channels, 2)


class Embedding(nn.Module):
    """Trunk features (B, C, h, w) to unit vectors (B, 128) that keep where things are."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(BasicBlock(channels, 2 * channels, 2), BasicBlock(2 * channels, channels, 2))
        self.out = nn.Linear(channels * CELLS**2, EMBEDDED)

    def forward(self, f_BChw: Tensor) -> Tensor:
        return F.normalize(self.out(F.adaptive_avg_pool2d(self.stages(f_BChw), CELLS).flatten(1)).float(), dim=-1)


class Comparator(nn.Module):
    """Queries (Q, 3, S, S) and grey views (G, N, 1, S, S), both in [-1, 1], to `Compared`.

    What is compared is B pairs: `picture_B` is the row among Q of each pair's query, without it Q = B; `set_B` the row
    among G of its views, without it G = B. `against_B` is the view to compare with, where it is known (-1: unknown);
    else the likeliest is. `there_BN` says which views there are; by default all. `own_B1SS` is the reference from each
    pair's own camera: where `use_own_B` says so, by default everywhere, the query is compared with that.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        w, depth = config.encoder_width, config.blocks
        self.fuse, self.choice = config.fuse, config.choice
        self.query_stem = _stem(3, w)
        # One stem for both is named once: a checkpoint holds no tensor twice.
        self.view_stem = None if config.stems == "shared" else _stem(1, w)
        self.trunk = nn.Sequential(*_stage(w, 2 * w, depth), *(_halved(2 * w) for _ in range(config.compare_at // 8)))
        self.embedding = Embedding(2 * w)
        self.join = nn.Sequential(nn.Conv2d(8 * w, 4 * w, 1, bias=False), nn.BatchNorm2d(4 * w), nn.ReLU())
        self.widths = (4 * w, 4 * w, 4 * w, 8 * w)[config.compare_at // 8 :]
        """Channels at every stride from that of the comparison to 32."""
        self.stages = nn.ModuleList(_stage(a, b, depth) for a, b in zip(self.widths, self.widths[1:], strict=False))
        self.change = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in self.widths)
        self.token = nn.Linear(2 * self.widths[-1] + 4, config.dim)
        self.heads = Heads(config.dim, config.box)

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
        Q, N = len(query_Q3SS), views_GN1SS.shape[1]
        references = [views_GN1SS.flatten(0, 1), *([] if own_B1SS is None else [own_B1SS])]
        f = self.trunk(torch.cat([self._queries(query_Q3SS), self._references(torch.cat(references))]))
        z = self.embedding(f if own_B1SS is None else f[: -len(own_B1SS)])
        f_query, z_query = (part[:Q] if picture_B is None else part[picture_B] for part in (f, z))
        B = len(f_query)
        rows_BN = (torch.arange(B, device=z.device) if set_B is None else set_B)[:, None] * N
        rows_BN = rows_BN + torch.arange(N, device=z.device)
        with torch.autocast(z.device.type, enabled=False):
            likeness = torch.einsum("bd,bnd->bn", z_query, z[Q:][rows_BN]) / TEMPERATURE
        if there_BN is not None:
            likeness = likeness.masked_fill(~there_BN, -1e4)
        view_B = likeness.argmax(dim=1)
        if against_B is not None:
            view_B = torch.where(against_B >= 0, against_B, view_B)
        places_BF = _best(likeness, view_B, N if self.choice == "soft" else self.fuse)
        rows_BF, weight_BF = rows_BN.gather(1, places_BF), likeness.gather(1, places_BF).softmax(1)
        if own_B1SS is not None:
            own_B = len(z) - Q + torch.arange(B, device=z.device)
            use = torch.ones_like(own_B, dtype=torch.bool) if use_own_B is None else use_own_B
            rows_BF = torch.where(use[:, None], own_B[:, None], rows_BF)
        compared = self._compare(f_query, f[Q:], rows_BF, weight_BF)
        return Compared(self._judge(compared), likeness, view_B)

    def _queries(self, query_Q3SS: Tensor) -> Tensor:
        return self.query_stem(query_Q3SS)

    def _references(self, view_V1SS: Tensor) -> Tensor:
        return self._queries(view_V1SS.expand(-1, 3, -1, -1)) if self.view_stem is None else self.view_stem(view_V1SS)

    def _compare(self, q_BChw: Tensor, r_VChw: Tensor, rows_BF: Tensor, weight_BF: Tensor) -> Tensor:
        """Every query with its F views, the comparisons summed by weight; of a soft choice with the views' mean."""
        r = r_VChw.index_select(0, rows_BF.flatten())
        if self.choice == "soft":
            r = (r.unflatten(0, rows_BF.shape) * weight_BF[..., None, None, None].to(r.dtype)).sum(1)
            rows_BF, weight_BF = rows_BF[:, :1], torch.ones_like(weight_BF[:, :1])
        q = q_BChw.repeat_interleave(rows_BF.shape[1], dim=0)
        joined = self.join(torch.cat([q, r, (q - r).abs(), q * r], dim=1)).unflatten(0, rows_BF.shape)
        return (joined * weight_BF[..., None, None, None].to(joined.dtype)).sum(1)

    def _judge(self, x_BChw: Tensor) -> Output:
        """Logit, box, and the sum of every stride's change map."""
        side = x_BChw.shape[-2:]
        change = self.change[0](x_BChw)
        for stage, head in zip(self.stages, list(self.change)[1:], strict=True):
            x_BChw = stage(x_BChw)
            change = change + F.interpolate(head(x_BChw), size=side, mode="bilinear", align_corners=False)
        change = change.squeeze(1).float()
        pooled = torch.cat([x_BChw.mean(dim=(2, 3)), x_BChw.amax(dim=(2, 3)), extent(change).to(x_BChw.dtype)], dim=1)
        answer = self.heads(torch.relu(self.token(pooled)))
        return Output(answer.logit_B, answer.box_B4, change)


def _best(likeness_BN: Tensor, first_B: Tensor, count: int) -> Tensor:
    """The views (B, F) to compare with: `first_B`, then the likeliest others."""
    ranked = likeness_BN.detach().scatter(1, first_B[:, None], torch.inf)
    return ranked.topk(min(count, ranked.shape[1]), dim=1).indices


def extent(change_Bhw: Tensor) -> Tensor:
    """Where a map lies (B, 4): the mean of x and y in 0..1 and their deviations, weighted by the map's softmax."""
    weight = change_Bhw.flatten(1).softmax(1).view_as(change_Bhw)
    found = []
    for along in (weight.sum(1), weight.sum(2)):
        place = (torch.arange(along.shape[1], device=along.device) + 0.5) / along.shape[1]
        mean = (along * place).sum(1)
        spread = (along * (place - mean[:, None]) ** 2).sum(1)
        found.append((mean, (spread + 1e-6).sqrt()))
    (x, dx), (y, dy) = found
    return torch.stack([x, y, dx, dy], dim=1)


def change_loss(change_Bhw: Tensor, changed_BSS: Tensor) -> Tensor:
    """Cross-entropy of a change map against the share of changed pixels of every place; -1 = unknown, left out."""
    known = changed_BSS[:, 0, 0] >= 0
    if not bool(known.any()):
        return change_Bhw.sum() * 0.0
    target = F.adaptive_avg_pool2d(changed_BSS[known].float(), change_Bhw.shape[-1])
    return F.binary_cross_entropy_with_logits(change_Bhw[known].float(), target)


def change_map(change_Bhw: Tensor, size: int) -> Tensor:
    """Probability (B, S, S) that a pixel differs, the map of logits brought to the picture's size."""
    whole = F.interpolate(change_Bhw.unsqueeze(1).float(), size=(size, size), mode="bilinear", align_corners=False)
    return torch.sigmoid(whole.squeeze(1))
