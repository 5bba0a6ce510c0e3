"""Image-shape retrieval by a triplet loss, in the spirit of Table 2's rows LFD and Lin et al.

Queries and views are embedded on one sphere; the anomaly score is the cosine distance between a query and its
reference shape. `pool: mean` takes the mean over the views' embeddings as the shape's (light-field style),
`pool: attention` weighs the views by their likeness to the query (query-attended views).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from datagen.models.blocks import Output
from datagen.models.config import ModelConfig
from datagen.models.resnet import ResNet


class Retrieval(nn.Module):
    """query (B, 3, S, S) and views (B, N, 3, S, S) to embeddings; the logit is a scaled distance."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.pool, self.margin = config.pool, config.margin
        self.image = ResNet(config.encoder_width)
        self.shape = ResNet(config.encoder_width)
        width = self.image.channels[-1]
        self.image_out, self.shape_out = nn.Linear(width, config.dim), nn.Linear(width, config.dim)
        self.threshold = nn.Parameter(torch.tensor(0.5))
        """Distance at which the logit is 0; learned by cross-entropy on detached distances."""
        self.sharpness = nn.Parameter(torch.tensor(10.0))

    def embed(self, query_B3SS: Tensor, views_BN3SS: Tensor) -> tuple[Tensor, Tensor]:
        """Unit embeddings of queries (B, d) and of single views (B, N, d)."""
        q = self.image_out(self.image(query_B3SS)[-1].mean(dim=(2, 3)))
        v = self.shape_out(self.shape(views_BN3SS.flatten(0, 1))[-1].mean(dim=(2, 3)))
        return F.normalize(q.float(), dim=-1), F.normalize(v.float(), dim=-1).unflatten(0, views_BN3SS.shape[:2])

    def distances(self, q_Bd: Tensor, v_CNd: Tensor) -> Tensor:
        """Cosine distance (B, C) between every query and every shape, in float32 under mixed precision too."""
        with torch.autocast(q_Bd.device.type, enabled=False):
            if self.pool == "mean":
                return 1 - q_Bd @ F.normalize(v_CNd.mean(dim=1), dim=-1).T
            likeness = torch.einsum("bd,cnd->bcn", q_Bd, v_CNd)
            shape = torch.einsum("bcn,cnd->bcd", (likeness / 0.1).softmax(-1), v_CNd)
            return 1 - (q_Bd.unsqueeze(1) * F.normalize(shape, dim=-1)).sum(-1)

    def forward(self, query_B3SS: Tensor, views_BN3SS: Tensor) -> Output:
        return self.judge(self.distances(*self.embed(query_B3SS, views_BN3SS)).diagonal())

    def judge(self, distance_B: Tensor) -> Output:
        """Logit of being anomalous from the distance to the own reference."""
        return Output(self.sharpness * (distance_B - self.threshold))


def triplet_loss(distance_BB: Tensor, label_B: Tensor, shape_B: Tensor, margin: float) -> Tensor:
    """A normal query is nearer its own shape than any other shape; an anomalous one is pushed off its own.

    For normal i: max(0, d_ii - d_ij + margin) over the batch's other shapes j, and
    max(0, d_ii - d_aa + margin) over the batch's anomalous queries a.
    """
    own = distance_BB.diagonal()
    normal, anomalous = label_B < 0.5, label_B > 0.5
    if not bool(normal.any()):
        return distance_BB.sum() * 0.0
    others = F.relu(own[:, None] - distance_BB + margin)
    others = others[normal][(shape_B[:, None] != shape_B)[normal]]
    broken = F.relu(own[normal][:, None] - own[anomalous][None] + margin).flatten()
    terms = torch.cat([others, broken])
    return terms.mean() if len(terms) else distance_BB.sum() * 0.0
