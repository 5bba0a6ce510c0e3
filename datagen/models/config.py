"""What a network is, as recipe data (importing this needs no torch)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from datagen.recipe.section import Count, Section

ModelName = Literal[
    "cmt",
    "resnet_fpn",
    "resnet_fpn_sa",
    "vit",
    "retrieval",
    "viewpoint",
    "comparator",
    "cmt_residual",
    "residual",
]


class ModelConfig(Section):
    """A network by name, with every component of CMT switchable (paper, Table 2).

    `cga: false` replaces the sparse by standard cross-attention over all patches, `position: false`
    leaves the 3D positional encoding out, `box: false` the localisation head. Alignment (VLFA) is a
    loss: its switches stand in the recipe's `loss` section.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"fuse", "stems", "choice", "compare_at"})
    """As in `datasets.config.LoadConfig`."""

    name: ModelName = "cmt"
    variant: Literal["paper", "published"] = "paper"
    dim: Count = 128
    """Feature width d of encoder and transformer."""
    encoder_width: Count = 64
    """Channels of the ResNet's first stage; 64 is ResNet-18."""
    blocks: Annotated[int, Field(ge=0)] = 3
    """Transformer blocks; of the comparator residual blocks at every stride."""
    heads: Count = 8
    k: Annotated[int, Field(ge=0)] = 100
    """Reference patches a query patch may attend to; capped at the number there are; 0 = all."""
    cga: bool = True
    position: bool = True
    box: bool = True
    attention: Literal["sparse", "dense", "sdpa"] = "sparse"
    """How top-k attention is computed; all three give the same numbers."""
    fourier_bands: Count = 10
    query_position: bool = False
    """A learned code of the query patch's place; neither the paper nor the published code has one."""
    pool: Literal["mean", "attention"] = "mean"
    """Retrieval only: how the views' embeddings become the shape's."""
    margin: Annotated[float, Field(gt=0)] = 0.2
    """Retrieval only: the triplet loss's margin, in cosine distance."""
    patch_px: Count = 16
    """ViT only."""
    fuse: Annotated[int, Field(ge=1, le=3)] = 1
    """Comparator only: views that a query is compared with, the comparisons weighted by the views' likeness."""

    stems: Literal["separate", "shared"] = "separate"
    """Comparator only: whether query and views have first layers of their own."""
    choice: Literal["hard", "soft"] = "hard"
    """Comparator only: a query is compared with the likeliest views, or with the mean of all, weighted by likeness."""
    compare_at: Literal[4, 8, 16] = 4
    """Comparator only: the stride at which query and view are compared."""

    @property
    def network(self) -> str:
        """The name by which a network is found: `published`, or `name`."""
        return "published" if self.variant == "published" else self.name

    @model_validator(mode="after")
    def _fits(self) -> "ModelConfig":
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} is no multiple of heads {self.heads}")
        if self.variant == "published":
            free = {"name", "variant", "k", "pool", "margin", "patch_px"}
            wrong = [
                name
                for name, field in type(self).model_fields.items()
                if name not in free and getattr(self, name) != field.default
            ]
            if wrong or self.name != "cmt":
                raise ValueError(f"variant published is fixed; leave {', '.join(wrong) or 'name'} at the default")
        return self
