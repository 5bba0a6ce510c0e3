"""The efficient variant (Chito, Rabino, Tommasi 2025): one vector an object, what is normal, and what is left over.

The paper's text is followed, its release's slips are not: the projection of the frozen features learns, and padding is
a mask.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from datagen.models.detector.config import DetectorConfig
from datagen.models.detector.lifted import Lifted, Volume
from datagen.models.detector.volumes import Boxes

CONTEXT_LAYERS = 3


@dataclass(frozen=True, eq=False)
class Judged:
    """Logits (B, N), the scene's idea of normal (B, W), and what the same layer makes of each object (B, N, W)."""

    logit: Tensor
    centre: Tensor
    objects: Tensor


class Efficient(Lifted):
    """Scenes to a logit for each object, without rendering and without correspondences."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__(config)
        W = config.attention_dim

        def layer() -> nn.TransformerEncoderLayer:
            return nn.TransformerEncoderLayer(W, config.heads, 2 * W, dropout=0.0, batch_first=True)

        self.widen = nn.Linear(self.width, W)
        self.token = nn.Parameter(torch.zeros(1, 1, W))
        nn.init.normal_(self.token, std=0.02)
        self.normality = layer()
        self.context = nn.ModuleList(layer() for _ in range(CONTEXT_LAYERS))
        self.project = nn.Sequential(nn.Linear(W, W), nn.LayerNorm(W), nn.ReLU())
        self.answer = nn.Linear(W, 1)

    def vectors(self, volume: Volume, objects: Boxes) -> Tensor:
        """One vector (B, N, W) an object: the mean of a cube about it, as large as the scene's largest box needs."""
        largest = objects.size_BG3.amax(1, keepdim=True).expand_as(objects.size_BG3)
        centre = objects.low_BG3 + objects.size_BG3 / 2
        inside = objects if self.config.volume.around == "objects" else Boxes(centre - largest / 2, largest)
        found: Tensor = self.widen(self.cut(volume.features, volume, inside).mean(2))
        return found

    def judge_all(self, volume: Volume, objects: Boxes, there_BN: Tensor) -> Judged:
        """Logits and what the loss of normality compares."""
        x = self.vectors(volume, objects)
        hidden = torch.cat([torch.zeros_like(there_BN[:, :1]), ~there_BN], dim=1)
        seen = self.normality(torch.cat([self.token.expand(len(x), -1, -1), x], dim=1), src_key_padding_mask=hidden)
        token, each = seen[:, 0], seen[:, 1:]
        centre = token[:, None].expand_as(each)
        if self.config.centre == "others":
            there = there_BN[..., None].float()
            total = (each * there).sum(1, keepdim=True)
            centre = (total - each * there) / (there.sum(1, keepdim=True) - there).clamp_min(1)
        for block in self.context:
            x = block(x, src_key_padding_mask=~there_BN)
        return Judged(self.answer(centre - self.project(x))[..., 0], token, each)

    def judge(self, volume: Volume, objects: Boxes, there_BN: Tensor) -> Tensor:
        """A logit (B, N) for each object; what is not there has one too, which means nothing."""
        return self.judge_all(volume, objects, there_BN).logit
