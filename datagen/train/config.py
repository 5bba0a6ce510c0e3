"""What every training recipe says, as typed data (importing this needs no torch)."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from datagen.core.ids import content_hash
from datagen.datasets.config import LoadConfig
from datagen.recipe.section import Count, Positive, Section

UNNAMED_TASK = "matching"
"""The task of recipes, checkpoints and runs made before tasks had names."""


class OptimConfig(Section):
    """The optimiser, its schedule and its guards."""

    LATER: ClassVar[frozenset[str]] = frozenset({"optimiser", "weight_decay"})
    """As in `datasets.config.LoadConfig`."""

    optimiser: Literal["adam", "adamw"] = "adam"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Under adam added to the gradient, under adamw taken off the weights; 0 = none."""
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
    """A whole training run. A task's own recipe narrows `task` and `data`, and adds sections such as `model`."""

    LATER: ClassVar[frozenset[str]] = frozenset()
    """Sections that older runs do not have: at their defaults they leave a recipe's hash as it was."""

    name: str = "run"
    task: str
    seed: Annotated[int, Field(ge=0)] = 0
    data: LoadConfig = LoadConfig()
    optim: OptimConfig = OptimConfig()
    log: LogConfig = LogConfig()

    def is_free_on_resume(self, name: str) -> bool:
        """Whether a key, by its dotted name, may change between the sessions of a run."""
        section, _, key = name.partition(".")
        return section == "log" or key in getattr(getattr(self, section, None), "FREE_ON_RESUME", ())

    @property
    def hash(self) -> str:
        """Digest of every value that the weights depend on, defaults included: what `--resume` has to agree in.

        The task counts where it has to be named, so that runs made before tasks had names go on.
        """
        left_out: dict[str, Any] = {"log": True}
        for name in type(self).model_fields:
            section = getattr(self, name)
            if name in self.LATER and is_default(self, name):
                left_out[name] = True
                continue
            later = {key for key in getattr(section, "LATER", ()) if is_default(section, key)}
            free = later | set(getattr(section, "FREE_ON_RESUME", ()))
            if free and name != "log":
                left_out[name] = free
        if self.task == UNNAMED_TASK:
            left_out["task"] = True
        return content_hash(self.model_dump(mode="json", exclude=left_out))


def is_default(section: Section, key: str) -> bool:
    """Whether a section's key has its default value."""
    return bool(getattr(section, key) == type(section).model_fields[key].default)
