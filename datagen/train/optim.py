"""Optimiser, learning-rate schedule, gradient guard and weight average."""

import math

import torch
from torch import Tensor, nn

from datagen.train.config import OptimConfig
from datagen.train.errors import Diverged

CURE = "lower optim.lr or set optim.clip_norm, in another --out; --init RUN begins with this run's weights"


def make_optimiser(module: nn.Module, config: OptimConfig) -> torch.optim.Adam:
    """Adam or AdamW over the parameters that learn."""
    learning = (p for p in module.parameters() if p.requires_grad)
    made = torch.optim.AdamW if config.optimiser == "adamw" else torch.optim.Adam
    return made(learning, lr=config.lr, betas=config.betas, weight_decay=config.weight_decay)


def total_steps(config: OptimConfig, epoch_steps: int) -> int:
    """Steps of the whole run."""
    whole = config.epochs * epoch_steps
    return min(whole, config.max_steps) if config.max_steps else whole


def learning_rate(config: OptimConfig, step: int, epoch_steps: int) -> float:
    """The rate of step `step` (from 0): warm-up, then constant, cosine to 0, or times 0.1 every few epochs."""
    if step < config.warmup_steps:
        return config.lr * (step + 1) / config.warmup_steps
    if config.schedule == "cosine":
        left = max(total_steps(config, epoch_steps) - config.warmup_steps, 1)
        return config.lr * 0.5 * (1 + math.cos(math.pi * (step - config.warmup_steps) / left))
    if config.schedule == "step":
        return config.lr * 0.1 ** (step // epoch_steps // config.step_epochs)
    return config.lr


def guarded_step(optimiser: torch.optim.Optimizer, module: nn.Module, clip: float | None, where: str) -> float:
    """Clip, check, step; returns the gradient's norm. Raises Diverged before the weights are touched."""
    parameters = [p for p in module.parameters() if p.grad is not None]
    norm = float(nn.utils.clip_grad_norm_(parameters, clip or math.inf)) if parameters else 0.0
    if not math.isfinite(norm):
        raise Diverged(f"{where}: the gradient is {norm}; {CURE}")
    optimiser.step()
    return norm


class WeightAverage:
    """An exponential moving average of a network's tensors; counts and integers are copied."""

    def __init__(self, tensors: dict[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.begin(tensors)

    def begin(self, tensors: dict[str, Tensor]) -> None:
        """Forget what was averaged and start from these."""
        self.tensors = {name: t.detach().clone() for name, t in tensors.items()}

    @torch.no_grad()
    def update(self, tensors: dict[str, Tensor]) -> None:
        """Move towards the current weights."""
        for name, t in tensors.items():
            if t.is_floating_point():
                self.tensors[name].lerp_(t.detach(), 1 - self.decay)
            else:
                self.tensors[name].copy_(t)
