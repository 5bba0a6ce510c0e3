"""The known bias: a query-only network trained before, held, and added to what another network learns."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from datagen.train.checkpoint import checkpoint_of, read_checkpoint
from datagen.train.tasks.matching.known_run import digest_of
from datagen.train.tasks.matching.recipe import PriorConfig


def add_prior(model: nn.Module, prior: PriorConfig, make: Callable[[], nn.Module]) -> None:
    """Give a network its `prior`, held, with the run's weights while the run is there.

    A checkpoint of the network holds them too, so that the run may go.
    """
    held = make()
    path = Path(prior.run)
    if path.exists() and digest_of(checkpoint_of(path)) == prior.sha256:
        held.load_state_dict(read_checkpoint(checkpoint_of(path)).network())
    model.add_module("prior", held.requires_grad_(False))


def prior_logit(model: nn.Module, query_B3SS: Tensor) -> Tensor | None:
    """What a network's prior makes of queries (B,), without a gradient; None where it has none."""
    held = cast(nn.Module | None, getattr(model, "prior", None))
    if held is None:
        return None
    # Batch norm must not learn from what passes through.
    held.eval()
    found: Tensor = held(query_B3SS).logit_B
    return found
