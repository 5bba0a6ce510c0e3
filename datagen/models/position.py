"""3D positional encoding (paper, section 4.2): Fourier code of a patch's world position, then an MLP."""

import torch
from torch import Tensor, nn

from datagen.models.blocks import MLP


def fourier_code(xyz_P3: Tensor, bands: int) -> Tensor:
    """(..., 3) to (..., 3 + 6 * bands): p, then sin(2^l p), cos(2^l p) for l = 0..bands-1."""
    scaled = xyz_P3.unsqueeze(-2) * 2.0 ** torch.arange(bands, device=xyz_P3.device, dtype=xyz_P3.dtype)[:, None]
    waves = torch.stack([scaled.sin(), scaled.cos()], dim=-2)
    return torch.cat([xyz_P3, waves.flatten(-3)], dim=-1)


class PositionEncoding(nn.Module):
    """gamma: R^3 -> R^d. A patch without depth (NaN) has a learned position."""

    def __init__(self, dim: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.mlp = MLP(3 + 6 * bands, dim, dim)
        self.nowhere = nn.Parameter(torch.randn(dim) * 0.02)

    def forward(self, xyz_BV3: Tensor) -> Tensor:
        known = xyz_BV3.isfinite().all(-1, keepdim=True)
        code = self.mlp(fourier_code(xyz_BV3.nan_to_num(0.0), self.bands))
        return torch.where(known, code, self.nowhere.to(code.dtype))
