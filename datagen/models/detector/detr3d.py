"""A baseline of Table 1 in the spirit of DETR3D: queries look their boxes up in the views and agree on a set.

Every query has a point in space; features are read where the views see it, the queries attend to each other, and the
set of boxes is matched to the true one.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from datagen.models.blocks import MLP
from datagen.models.detector.config import DetectorConfig
from datagen.models.detector.imvoxelnet import iou_of_pairs
from datagen.models.detector.lifted import Encoded, Views
from datagen.models.detector.volumes import Boxes, lift

NORMAL, ANOMALOUS, NOTHING = 0, 1, 2
NOTHING_WEIGHT = 0.1
"""Of a query without an object in the cross-entropy."""
SIZE_M = 0.25
"""Edge of a box before anything is learned."""


@dataclass(frozen=True, eq=False)
class SetOfBoxes:
    """Class logits (B, Q, 3) and boxes (B, Q, 2, 3), centre and size."""

    logits: Tensor
    boxes: Tensor


class Layer(nn.Module):
    """Queries see each other, then the views at their points, then themselves."""

    def __init__(self, dim: int, features: int, heads: int) -> None:
        super().__init__()
        self.among = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.look = nn.Linear(features + 1, dim)
        self.place = MLP(3, dim, dim)
        self.ffn = MLP(dim, 2 * dim, dim)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.classes, self.moves = MLP(dim, dim, 3), MLP(dim, dim, 6)

    def forward(self, q_BQW: Tensor, seen_BQC: Tensor, where_BQ3: Tensor) -> Tensor:
        q = self.norms[0](q_BQW + self.among(q_BQW, q_BQW, q_BQW, need_weights=False)[0])
        q = self.norms[1](q + self.look(seen_BQC) + self.place(where_BQ3))
        found: Tensor = self.norms[2](q + self.ffn(q))
        return found


class Detr3D(Encoded):
    """Scenes to a set of boxes with classes, of every layer: the last is the answer."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        W = config.attention_dim
        self.query = nn.Parameter(torch.randn(1, config.queries, W) * 0.1)
        self.start = nn.Linear(W, 3)
        self.layers = nn.ModuleList(Layer(W, config.dim, config.heads) for _ in range(config.blocks))

    def detect(self, views: Views) -> list[SetOfBoxes]:
        """The set of every layer."""
        v = self.config.volume
        f = self.encode(views)
        B = len(f)
        low = f.new_tensor(v.low_m)
        size = f.new_tensor([n * v.voxel_m for n in v.size])
        q = self.query.expand(B, -1, -1)
        where = torch.sigmoid(self.start(q))
        extent = f.new_full(where.shape, SIZE_M)
        sets = []
        for each in self.layers:
            layer = cast(Layer, each)
            q = layer(q, looked_up(f, low + where * size, views), where)
            moves = layer.moves(q)
            where = torch.sigmoid(torch.logit(where.detach().clamp(1e-3, 1 - 1e-3)) + moves[..., :3])
            extent = extent.detach() * torch.exp(moves[..., 3:].clamp(-2, 2))
            sets.append(SetOfBoxes(layer.classes(q), torch.stack([low + where * size, extent], dim=2)))
        return sets


def looked_up(f_BMChw: Tensor, points_BQ3: Tensor, views: Views) -> Tensor:
    """The mean of the views' features at points (B, Q, C + 1), and in which share of the views each is seen."""
    mean, share = lift(f_BMChw, points_BQ3, views.K_B33, views.T_BM44, views.image_px)
    return torch.cat([mean, share[:, None]], dim=1).transpose(1, 2)


def matched_queries(found: SetOfBoxes, true: Boxes, label_BN: Tensor, there_BN: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Of each scene the queries and the objects that belong together: least cost of class, distance, size and IoU."""
    pairs = []
    centre = true.low_BG3 + true.size_BG3 / 2
    for b in range(len(found.logits)):
        rows = torch.nonzero(there_BN[b]).flatten()
        with torch.no_grad():
            p = found.logits[b].softmax(-1)[:, label_BN[b, rows].long()]
            box = torch.stack([centre[b, rows], true.size_BG3[b, rows]], dim=1)
            Q, N = len(p), len(rows)
            away = torch.cdist(found.boxes[b].flatten(1), box.flatten(1), p=1)
            mine = found.boxes[b][:, None].expand(-1, N, -1, -1).reshape(-1, 2, 3)
            fits = iou_of_pairs(mine, box[None].expand(Q, -1, -1, -1).reshape(-1, 2, 3)).view(Q, N)
            q, n = linear_sum_assignment((5 * away - p - fits).cpu().numpy())
        pairs.append((torch.as_tensor(q, device=rows.device), rows[torch.as_tensor(n, device=rows.device)]))
    return pairs


def set_losses(sets: list[SetOfBoxes], true: Boxes, label_BN: Tensor, there_BN: Tensor) -> dict[str, Tensor]:
    """`classes`: cross-entropy of all queries; `boxes`: distance and 1 - IoU of those with an object."""
    centre = true.low_BG3 + true.size_BG3 / 2
    classes, boxes = [], []
    for found in sets:
        target = torch.full(found.logits.shape[:2], NOTHING, device=label_BN.device)
        mine, theirs = [], []
        for b, (q, n) in enumerate(matched_queries(found, true, label_BN, there_BN)):
            target[b, q] = label_BN[b, n].long()
            mine.append(found.boxes[b, q])
            theirs.append(torch.stack([centre[b, n], true.size_BG3[b, n]], dim=1))
        weight = found.logits.new_tensor([1.0, 1.0, NOTHING_WEIGHT])
        classes.append(F.cross_entropy(found.logits.flatten(0, 1), target.flatten(), weight=weight))
        a, b_ = torch.cat(mine), torch.cat(theirs)
        boxes.append(5 * (a - b_).abs().sum((1, 2)).mean() + (1 - iou_of_pairs(a, b_)).mean())
    return {"classes": torch.stack(classes).mean(), "boxes": torch.stack(boxes).mean()}


def kept_queries(found: SetOfBoxes) -> list[tuple[Tensor, Tensor]]:
    """Of each scene boxes (n, 2, 3) and probabilities (n, 2) of the queries that are more an object than nothing.

    At least one.
    """
    scenes = []
    for logits, boxes in zip(found.logits, found.boxes, strict=True):
        p = logits.softmax(-1)
        whole = p[:, NOTHING] < 0.5
        whole[p[:, NOTHING].argmin()] = True
        order = p[:, NOTHING].argsort(stable=True)
        order = order[whole[order]]
        scenes.append((boxes[order], p[order, :NOTHING]))
    return scenes
