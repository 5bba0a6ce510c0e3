"""A training recipe as typed data (importing this needs no torch)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from datagen.core.ids import content_hash
from datagen.datasets.config import DataConfig
from datagen.models.config import ModelConfig
from datagen.recipe.section import Fraction, Positive, Section

Count = Annotated[int, Field(ge=1)]

IDLE_IN_PUBLISHED = ("balance", "tau", "points", "pairs", "hold_views", "align_encoder")
"""Keys of `loss` that the published alignment loss does not read."""

FREE_ON_RESUME: dict[str, Any] = {"data": {"workers", "pack", "eval_batch"}, "log": True}
"""Sections and keys that may change between the sessions of a run: they leave its weights as they are."""


def free_on_resume(name: str) -> bool:
    """Whether a key, by its dotted name, may change between the sessions of a run."""
    section, _, key = name.partition(".")
    free = FREE_ON_RESUME.get(section, set())
    return free is True or key in free


class LossConfig(Section):
    """Weights of equation (15) and of the box."""

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
    key_momentum: Fraction = 0.999
    """Variant published alone: momentum of the key branch of the alignment loss."""


class OptimConfig(Section):
    """Adam, its schedule and its guards."""

    lr: Positive = 2e-5
    betas: tuple[float, float] = (0.9, 0.999)
    epochs: Count = 20
    max_steps: Annotated[int, Field(ge=1)] | None = None
    """End after this many steps, whatever `epochs` says."""
    batch: Count = 8
    """Samples a process and step."""
    accumulate: Count = 1
    """Batches whose gradients are summed before a step: 4 makes 8 x 4 on one device."""
    schedule: Literal["constant", "cosine", "step"] = "constant"
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    step_epochs: Count = 20
    """Schedule `step`: times 0.1 every so many epochs."""
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    amp: Literal["none", "bf16"] = "none"
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Keep an exponential moving average of the weights; it is what is evaluated and predicted with."""


class LogConfig(Section):
    """What is written when."""

    checkpoint_steps: Count = 500
    keep: Count = 2
    """Newest checkpoints kept beside the best one."""
    validate_epochs: Count = 1
    tensorboard: bool = True
    wandb: bool = False


class TrainRecipe(Section):
    """A whole training run."""

    name: str = "cmt"
    seed: Annotated[int, Field(ge=0)] = 0
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    log: LogConfig = LogConfig()

    @model_validator(mode="after")
    def _possible(self) -> "TrainRecipe":
        if self.model.variant == "published":
            if self.data.image_px != 256:
                raise ValueError("variant published needs data.image_px 256")
            if self.optim.batch < 2:
                raise ValueError("variant published needs optim.batch 2 or more")
            idle = [name for name in IDLE_IN_PUBLISHED if getattr(self.loss, name) != getattr(LossConfig(), name)]
            if idle:
                raise ValueError(f"variant published has its own alignment loss; leave loss.{', loss.'.join(idle)} out")
        elif self.model.name == "cmt" and self.loss.view_view and self.data.views < 2:
            raise ValueError("loss.view_view pairs two views: data.views has to be 2 or more")
        if self.optim.batch % self.data.queries_per_shape:
            raise ValueError(
                f"optim.batch {self.optim.batch} is no multiple of data.queries_per_shape {self.data.queries_per_shape}"
            )
        if self.model.name == "viewpoint" and self.data.flip:
            raise ValueError("model viewpoint needs data.flip false: a mirrored view is another view")
        return self

    @property
    def hash(self) -> str:
        """Digest of every value that the weights depend on, defaults included: what `--resume` has to agree in."""
        return content_hash(self.model_dump(mode="json", exclude=FREE_ON_RESUME))
