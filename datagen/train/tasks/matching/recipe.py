"""The recipe of the matching task: network, data and losses (importing this needs no torch)."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from datagen.core.errors import UsageError
from datagen.datasets.config import CELLS, DataConfig
from datagen.models.config import ModelConfig
from datagen.recipe.section import Count, Fraction, Positive, Section
from datagen.train.config import UNNAMED_TASK, TrainRecipe

IDLE_IN_PUBLISHED = ("balance", "tau", "points", "pairs", "hold_views", "align_encoder")
"""Keys of `loss` that the published alignment loss does not read."""

ALIGNED = ("cmt", "cmt_residual")
"""Networks that learn from corresponding patches of two views."""
COMPARES = ("comparator", "residual")
"""Networks that compare a query with one view or one render."""
QUERY_ONLY = ("resnet_fpn", "resnet_fpn_sa", "vit")
NO_PAIRS = ("published", "retrieval", "viewpoint")
"""Networks whose losses are of natural samples."""


class LossConfig(Section):
    """Weights of equation (15), of the box, and of what the comparator learns."""

    LATER: ClassVar[frozenset[str]] = frozenset({"view", "change", "rank", "view_label"})
    """As in `datasets.config.LoadConfig`."""

    balance: Fraction = 0.5
    """a: weight of the query-view alignment; 1 - a is the view-view alignment's."""
    query_view: bool = True
    """Pseudo-labelled alignment of query and views (Table 3, second column)."""
    view_view: bool = True
    """Alignment of view pairs with ground truth (Table 3, first column)."""
    tau: Positive = 0.1
    points: Count = 32
    """Correspondences drawn a pair."""
    pairs: Count = 2
    """View pairs, and query-view pairs, drawn a sample."""
    box_l1: Annotated[float, Field(ge=0)] = 5.0
    box_giou: Annotated[float, Field(ge=0)] = 2.0
    hold_views: bool = True
    """No gradient to the views' side of the query-view loss. The paper is silent and the published code holds its
    keys; with a gradient the pseudo-labels feed on themselves and the features collapse (docs/train.md)."""
    align_encoder: bool = True
    """Alignment trains the encoder, as in the paper; false: the projection beta alone. With a small encoder and few
    steps the alignment's gradient keeps detection at chance (docs/train.md)."""
    view: Annotated[float, Field(ge=0)] = 1.0
    """Comparator alone: weight of the choice of the nearest view; at 0 nothing tells it, and training too compares with
    the view that is chosen."""
    view_label: Literal["pose", "silhouette"] = "pose"
    """Comparator alone: what tells the nearest view in training; poses or the names' azimuths, or for data without the
    outlines of query and views."""
    change: Annotated[float, Field(ge=0)] = 1.0
    """Comparator alone: weight of the change map, where a dataset has masks."""
    rank: Annotated[float, Field(ge=0)] = 0.5
    """Pairs alone (data.pairs): weight of softplus(-(anomalous - normal)) over the pairs of a picture and its twin."""
    key_momentum: Fraction = 0.999
    """Variant published alone: momentum of the key branch of the alignment loss."""


class PriorConfig(Section):
    """A query-only network g that was trained before, on natural labels, and is held (counterfactual.md, Pitfalls 5).

    Training learns f where f + g is scored, so f need not learn what a query alone tells. Pairs are then judged by f,
    natural samples by f + g. Only `run` is given: the network's section and digest are read from its best checkpoint,
    and its weights become part of the new one.
    """

    FREE_ON_RESUME: ClassVar[frozenset[str]] = frozenset({"run"})
    """As in `datasets.config.LoadConfig`: the digest says which network it is, wherever it lies."""

    run: str = ""
    """Folder of the run, or a checkpoint."""
    model: ModelConfig = ModelConfig()
    sha256: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not given.get("run") or given.get("sha256"):
            return given
        # Reads weights, which a recipe without a prior does not need.
        from datagen.train.tasks.matching.known_run import described_run

        return {**given, **described_run(str(given["run"]))}


class MatchingRecipe(TrainRecipe):
    """One query against a bundle of reference views."""

    LATER = frozenset({"prior"})

    name: str = "cmt"
    task: Literal["matching"] = "matching"
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    prior: PriorConfig | None = None

    @model_validator(mode="after")
    def _possible(self) -> "MatchingRecipe":
        together = self.data.queries_per_shape
        wrong = RULES[self.model.network](self) if self.model.network in RULES else None
        if not wrong and self.model.network not in COMPARES:
            wrong = _comparators_own(self)
        if not wrong and self.optim.batch % together:
            wrong = f"optim.batch {self.optim.batch} is no multiple of data.queries_per_shape {together}"
        wrong = wrong or _pairs(self) or _prior(self)
        if wrong:
            raise ValueError(wrong)
        return self


def require_matching(recipe: TrainRecipe) -> None:
    """Raises UsageError for a recipe of another task."""
    if recipe.task != UNNAMED_TASK:
        raise UsageError(f"{recipe.name} is a recipe of task {recipe.task}; give one of task {UNNAMED_TASK}")


def with_data(recipe: MatchingRecipe, **values: Any) -> MatchingRecipe:
    """The recipe with other values of its data section."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=values)})


def _published(recipe: MatchingRecipe) -> str | None:
    if recipe.data.image_px != 256:
        return "variant published needs data.image_px 256"
    if recipe.optim.batch < 2:
        return "variant published needs optim.batch 2 or more"
    idle = [name for name in IDLE_IN_PUBLISHED if getattr(recipe.loss, name) != getattr(LossConfig(), name)]
    return f"variant published has its own alignment loss; leave loss.{', loss.'.join(idle)} out" if idle else None


def _cmt(recipe: MatchingRecipe) -> str | None:
    if recipe.loss.view_view and recipe.data.views < 2:
        return "loss.view_view pairs two views: data.views has to be 2 or more"
    return None


def _viewpoint(recipe: MatchingRecipe) -> str | None:
    return "model viewpoint needs data.flip false: a mirrored view is another view" if recipe.data.flip else None


def _comparator(recipe: MatchingRecipe) -> str | None:
    if recipe.data.flip or recipe.data.crop < 1:
        return (
            "model comparator compares place by place: it needs data.flip false (flip_together mirrors) and data.crop 1"
        )
    if recipe.data.image_px < 64 or recipe.model.blocks < 1:
        return "model comparator needs data.image_px 64 or more and model.blocks 1 or more"
    return None


def _pairs(recipe: MatchingRecipe) -> str | None:
    """What is wrong with a recipe for pairs: twins have to stay twins, and fours whole."""
    data, network = recipe.data, recipe.model.network
    if data.pairs == "natural":
        return None
    if network in NO_PAIRS:
        return f"model {network} does not learn from pairs; data.pairs is for the others"
    apart = ["data.flip true has to be false"] if data.flip else []
    apart += [f"data.crop {data.crop:g} has to be 1"] if data.crop < 1 else []
    apart += [f"data.brightness_contrast {data.brightness_contrast:g} has to be 0"] if data.brightness_contrast else []
    if apart:
        return f"data.pairs compares twins: {', '.join(apart)}"
    if data.queries_per_shape > 1 and data.queries_per_shape % CELLS:
        return f"data.pairs keeps fours whole: data.queries_per_shape has to be 1 or a multiple of {CELLS}"
    step = max(CELLS, data.queries_per_shape)
    least = 2 * step if data.pairs == "mixed" else step
    if recipe.optim.batch % step or recipe.optim.batch < least:
        return f"data.pairs {data.pairs} needs optim.batch to be a multiple of {step}, {least} or more"
    return None


def _prior(recipe: MatchingRecipe) -> str | None:
    if recipe.prior is None:
        return None
    if recipe.prior.model.name not in QUERY_ONLY:
        return f"prior.run is of model {recipe.prior.model.name}, which sees the reference; give a query-only run"
    return f"model {recipe.model.network} takes no prior" if recipe.model.network in NO_PAIRS else None


COMPARATORS_MODEL = {"fuse": 1, "stems": "separate", "choice": "hard", "compare_at": 4}


def _comparators_own(recipe: MatchingRecipe) -> str | None:
    used = [f"data.{key}" for key in ("flip_together", "thin_views", "own_camera") if getattr(recipe.data, key)]
    used += ["data.against"] if recipe.data.against not in ("best", "view") else []
    used += [f"model.{key}" for key, usual in COMPARATORS_MODEL.items() if getattr(recipe.model, key) != usual]
    return f"model {recipe.model.network} has no {used[0]}; it is for model comparator" if used else None


RULES: Mapping[str, Callable[[MatchingRecipe], str | None]] = {
    "published": _published,
    "cmt": _cmt,
    "viewpoint": _viewpoint,
    "comparator": _comparator,
    "residual": _comparator,
    "cmt_residual": _cmt,
}
"""Name of a network -> what is wrong with a recipe of it, for those that ask more of a recipe than the others."""
