"""How a dataset is read, as recipe data (importing this needs no torch)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from datagen.recipe.section import Count, Fraction, Section

Against = Literal["best", "view", "mesh", "points", "own_camera"]


CELLS = 4
"""Balanced pairs of a picture and its twin: both against the normal and against the anomalous reference."""


class LoadConfig(Section):
    """How samples reach a network, whatever they are."""

    FREE_ON_RESUME: ClassVar[frozenset[str]] = frozenset({"workers", "eval_batch"})
    """Keys that may change between the sessions of a run: they leave its weights as they are."""
    LATER: ClassVar[frozenset[str]] = frozenset()
    """Keys that older runs do not have: at their defaults they leave a recipe's hash as it was."""

    eval_batch: Count | None = None
    """Samples a process evaluates at once; by default `optim.batch`."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that read samples; 0 reads them in the training process."""


class DataConfig(LoadConfig):
    """Sizes, views and augmentation (paper, section 5, Implementation Details)."""

    FREE_ON_RESUME = LoadConfig.FREE_ON_RESUME | {"pack", "against"}
    LATER = frozenset(
        {"flip_together", "thin_views", "own_camera", "pairs", "pair_share", "blank_references", "blank_queries"}
        | {"leave_out", "skip"}
    )

    image_px: Count = 256
    """Side of query and views; a multiple of 32. The feature grid is image_px / 8."""
    views: Count = 10
    """Reference views a training sample sees, drawn without replacement."""
    queries_per_shape: Count = 1
    """Queries of one shape that a batch holds side by side. They share the views drawn, which are then encoded once
    for all of them: with 10 views and 8 queries, 18 pictures instead of 88 go through the encoder."""
    eval_views: Count = 20
    """Views at validation and test, evenly spread over the distinct ones; no augmentation."""
    flip: bool = True
    """Mirror half of the queries. The reference is not mirrored (as in the paper), so a shape without
    left-right symmetry is then compared with its mirror image; docs/train.md has the effect."""
    flip_together: bool = False
    """Mirror half of the shapes, their queries and views alike, anew in every epoch (model comparator)."""
    thin_views: Fraction = 0.0
    """Share of the bundles of which a training epoch sees a random part, down to a quarter of the views, so that the
    nearest one is some steps away (model comparator)."""
    crop: Annotated[float, Field(gt=0, le=1)] = 0.875
    """Side of the random crop as a share of the picture, resized back: 224 of 256; 1 = none."""
    brightness_contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Probability that a training query's contrast is multiplied by 1 + U(-0.2, 0.2) and its brightness shifted by
    U(-0.2, 0.2) of the full range, clipped: not in the paper, 0.2 in the published trainer."""
    shapes: Annotated[int, Field(ge=1)] | None = None
    """Train on the first N shapes of the split alone (learning curves)."""
    own_camera: Fraction = 0.0
    """Share of the bundles of which a training epoch compares the queries with the reference as their own cameras see
    it, instead of with the nearest view; needs a build with reference.at_query (model comparator)."""
    against: Against = "best"
    """What evaluate and predict compare a query with (model comparator). `view`: the view that the network chooses.
    `mesh`, `points`: the reference rendered from the query's camera, which is searched for from that view on; by its
    mesh, or by the points that the views' depth maps give. `own_camera`: the picture from the query's true camera,
    which a build with reference.at_query holds: an upper bound. `best`: the mesh where there is one, else the points
    where there is depth, else the view."""
    shuffle_references: bool = False
    """Control: every sample gets the reference of another shape."""
    blank_references: bool = False
    """Control: white pictures in place of the reference's."""
    blank_queries: bool = False
    """Control: white pictures in place of the queries."""
    leave_out: tuple[str, ...] = ()
    """Control: kinds of anomaly that training does not see."""
    skip: tuple[str, ...] = ()
    """Control: shapes, by their numbers on disk, that training does not see."""
    pairs: Literal["natural", "counterfactual", "mixed"] = "natural"
    """What a training batch holds: pictures against their own shape's normal reference, or pairs of pairs.parquet,
    always all four of a picture and its twin (DATA.md, "Counterfactual pairs"), or both. Validation is natural."""
    pair_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Of mixed batches the part that is pairs, rounded to whole fours."""
    pack: bool = False
    """Read from a packed cache of resized tensors, made once, instead of from PNG and npy files."""

    @model_validator(mode="after")
    def _grid(self) -> "DataConfig":
        if self.image_px % 32:
            raise ValueError(f"image_px {self.image_px} is no multiple of 32")
        return self

    @property
    def grid(self) -> int:
        """Patches along a side."""
        return self.image_px // 8
