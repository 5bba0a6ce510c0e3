"""What a detector is, as recipe data (importing this needs no torch)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from datagen.recipe.section import Positive, Section

Count = Annotated[int, Field(ge=1)]


class VolumeConfig(Section):
    """Where features are lifted to (section 3.2; section 4.2 for the sizes)."""

    around: Literal["floor", "objects"] = "floor"
    """One volume over the floor, as in the paper; or one about each object's box, finer and smaller."""
    size: tuple[Count, Count, Count] = (96, 96, 16)
    """Voxels along x, y and z of the volume over the floor."""
    voxel_m: Positive = 0.04
    low_m: tuple[float, float, float] = (-1.92, -1.92, -0.32)
    """The corner of the volume over the floor; voxel i's centre is at low + (i + 1/2) voxel wherever it is used."""
    side: Count = 16
    """Voxels along a side of an object's volume."""
    pad: Annotated[float, Field(ge=0)] = 0.15
    """How much an object's volume is wider than its box on each side, as a share of the box's longest side."""
    widths: tuple[Count, ...] = (32, 64, 128, 256)
    """Channels of the 3D network's scales."""
    down: tuple[Count, ...] = (1, 2, 3, 4)
    """Residual blocks of each scale on the way down."""
    up: tuple[Count, ...] = (3, 2, 1)

    @model_validator(mode="after")
    def _fits(self) -> "VolumeConfig":
        if len(self.down) != len(self.widths) or len(self.up) != len(self.widths) - 1:
            raise ValueError("volume.down has to have as many numbers as volume.widths, volume.up one fewer")
        least = 2 ** (len(self.widths) - 1)
        sides = self.size if self.around == "floor" else (self.side,)
        if any(side % least for side in sides):
            raise ValueError(f"every side of the volume has to be a multiple of {least}, for {len(self.widths)} scales")
        return self


class DetectorConfig(Section):
    """The paper's detector, every component switchable (Table 2)."""

    dim: Count = 32
    """Channels d of the lifted features."""
    encoder_width: Count = 64
    """Channels of the 2D encoder's first stage; 64 is ResNet-18."""
    volume: VolumeConfig = VolumeConfig()
    feature_dim: Count = 128
    """Channels d_f of the features that beta projects to, and of what a teacher teaches."""
    render: bool = True
    """Density and colour heads, by which the views are reconstructed (equation 3)."""
    render_px: Count = 128
    """Side of rendered colours and masks; features are rendered at a quarter of it."""
    samples: Count = 128
    """Points along a ray."""
    reach_m: tuple[float, float] = (0.1, 3.84)
    """Distances along the optical axis between which rays are sampled."""
    roi: Count = 8
    """Lattice points along a side of an object's cut-out."""
    match: Literal["none", "full", "sparse"] = "sparse"
    """How objects are compared: not at all (A), all tokens of the others (B, C), the top k of each (final)."""
    k: Count = 20
    blocks: Count = 3
    heads: Count = 8
    attention_dim: Count = 256

    @model_validator(mode="after")
    def _divides(self) -> "DetectorConfig":
        if self.attention_dim % self.heads:
            raise ValueError(f"attention_dim {self.attention_dim} is no multiple of heads {self.heads}")
        if self.roi % 2:
            raise ValueError(f"roi {self.roi} has to be even")
        if self.k > self.roi**3:
            raise ValueError(f"k {self.k} is more than the {self.roi**3} tokens of an object")
        return self
