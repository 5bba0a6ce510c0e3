"""What a detector is, as recipe data (importing this needs no torch)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from datagen.recipe.section import Count, Positive, Section, Span


class EncoderConfig(Section):
    """What turns a picture into features (section 4.2: ResNet50-FPN)."""

    name: Literal["resnet18", "resnet50", "mobilenetv2", "efficientnet_lite", "dinov2", "colour"] = "resnet50"
    """The ResNets learn and have a feature pyramid; mobilenetv2, efficientnet_lite and dinov2 are held as their file
    has them, with a 1 x 1 convolution that learns; colour is the picture itself, a control."""
    width: Count = 64
    """Channels of a ResNet's first stage."""
    stride: Literal[4, 8, 16] = 4
    """Pixels of the picture a feature; of dinov2 its patch."""
    weights: str = ""
    """A file of weights: .pth, .pt or .safetensors. A ResNet without one begins at random; a held network needs one, or
    the word random (a control)."""

    @model_validator(mode="after")
    def _known(self) -> "EncoderConfig":
        if self.name in ("mobilenetv2", "efficientnet_lite", "dinov2") and not self.weights:
            raise ValueError(
                f"encoder {self.name} is held as a file has it: give the file as weights, or the word random"
            )
        if self.name.startswith("resnet") and self.stride == 16:
            raise ValueError("the pyramid of a ResNet ends at stride 4 or 8")
        return self

    @property
    def held(self) -> bool:
        """Whether its features are the same in every step, so that they can be cached."""
        return not self.name.startswith("resnet")


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

    @property
    def high_m(self) -> tuple[float, ...]:
        """The corner of the volume over the floor that is opposite to `low_m`."""
        return tuple(low + count * self.voxel_m for low, count in zip(self.low_m, self.size, strict=True))

    @property
    def bounds(self) -> str:
        """Where the volume over the floor reaches, in words."""
        spans = zip("xyz", self.low_m, self.high_m, strict=True)
        return ", ".join(f"{axis} {low:g} to {high:g}" for axis, low, high in spans) + " m"


Variant = Literal["paper", "efficient", "imvoxelnet", "detr3d", "points", "residual"]


class DetectorConfig(Section):
    """The paper's detector, every component switchable (Table 2), the efficient variant, and baselines."""

    variant: Variant = "paper"
    """`paper`: voxels of objects attend to their correspondences. `efficient`: one vector an object. `imvoxelnet`,
    `detr3d`: detectors whose classes are normal and anomalous (Table 1). `points`: point clouds of objects, fused from
    depth, compared by a network over graphs (Table 1). `residual`: nothing learned but a scale: how unlike the others'
    features an object's are."""
    dim: Count = 32
    """Channels d of the lifted features."""
    encoder: EncoderConfig = EncoderConfig()
    volume: VolumeConfig = VolumeConfig()
    masked: bool = False
    """Not in the paper: what lies outside of the objects' masks is not lifted, in how many views a voxel is inside of
    them is told, and objects are compared inside their hull. Photographs then need masks."""
    feature_dim: Count = 128
    """Channels d_f of the features that beta projects to, and of what a teacher teaches."""
    render: bool = True
    """Density and colour heads, by which the views are reconstructed (equation 3)."""
    render_px: Count = 128
    """Side of rendered colours and masks; features are rendered at a quarter of it."""
    samples: Count = 128
    """Points along a ray."""
    reach_m: Span = (0.1, 3.84)
    """Distances along the optical axis between which rays are sampled."""
    roi: Count = 8
    """Lattice points along a side of an object's cut-out."""
    most_tokens: Count | None = None
    """Tokens of an object that are compared, those inside of its hull before others; by default all, most of which are
    in the air. Of variant `paper` where it is `masked` and its head `tokens`."""
    match: Literal["none", "full", "sparse"] = "sparse"
    """How objects are compared: not at all (A), all tokens of the others (B, C), the top k of each (final)."""
    k: Count = 20
    blocks: Count = 3
    heads: Count = 8
    attention_dim: Count = 256
    difference: bool = False
    """Not in the paper: tokens begin with how unlike any token of the other objects they are, by the lifted features
    and by beta; attention also gives each token how its own value differs from what it attends to; the head is told of
    each object how odd its oddest tokens are and what it lacks that the others have."""
    head: Literal["flat", "pooled", "tokens"] = "flat"
    """`flat`: the cut-out is halved, flattened and judged by an MLP, as in the paper. `pooled`: the mean and the
    largest value over its tokens are judged, wherever in the object they are. `tokens`: every token is judged by
    itself, and the object by the oddest of their logits; `loss.change` can teach the tokens."""
    centre: Literal["token", "others"] = "token"
    """What the efficient variant subtracts an object from: a learned token's answer, or the others' mean."""
    queries: Count = 24
    """Of detr3d: boxes that it can find in a scene."""
    neighbours: Count = 16
    """Of points: nearest points that a point is compared with."""

    @model_validator(mode="after")
    def _divides(self) -> "DetectorConfig":
        if self.attention_dim % self.heads:
            raise ValueError(f"attention_dim {self.attention_dim} is no multiple of heads {self.heads}")
        if self.variant == "imvoxelnet" and self.volume.around == "objects":
            raise ValueError("imvoxelnet finds its boxes: it needs volume.around floor")
        if self.variant in ("detr3d", "points", "residual", "imvoxelnet", "efficient") and self.render:
            raise ValueError(f"variant {self.variant} renders nothing: set model.render to false")
        if self.masked and self.variant in ("detr3d", "points", "residual"):
            raise ValueError(f"variant {self.variant} lifts no volume: leave model.masked out")
        if self.variant != "paper" and (self.difference or self.head != "flat"):
            raise ValueError(f"variant {self.variant} has no tokens: leave model.difference and model.head out")
        if self.match == "none" and self.difference:
            raise ValueError("match none compares nothing: set difference to false")
        if self.most_tokens and (self.variant != "paper" or not self.masked or self.head != "tokens"):
            raise ValueError("most_tokens keeps those inside of masks: it needs variant paper, masked and head tokens")
        if self.most_tokens and self.k > self.most_tokens:
            raise ValueError(f"k {self.k} is more than most_tokens {self.most_tokens}")
        if self.roi % 2:
            raise ValueError(f"roi {self.roi} has to be even")
        if self.k > self.roi**3:
            raise ValueError(f"k {self.k} is more than the {self.roi**3} tokens of an object")
        return self
