"""A training in progress: network, optimiser, weight average, progress; saved and restored as one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from datagen.train import checkpoint as files
from datagen.train.checkpoint import Progress
from datagen.train.config import TrainRecipe
from datagen.train.errors import BadCheckpoint
from datagen.train.objective import Objective
from datagen.train.optim import WeightAverage, make_optimiser
from datagen.train.runtime import Runtime


class Training:
    """Everything that a checkpoint has to bring back."""

    def __init__(self, run: Path, recipe: TrainRecipe, objective: Objective, runtime: Runtime) -> None:
        self.run, self.recipe, self.objective, self.runtime = run, recipe, objective, runtime
        self.optimiser = make_optimiser(objective, recipe.optim)
        self.progress = Progress()
        self.average = WeightAverage(objective.weights_dict(), recipe.optim.ema) if recipe.optim.ema else None

    def set_rate(self, rate: float) -> None:
        """Set the learning rate and clear the gradients."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)

    def count_step(self) -> None:
        """A whole step is done."""
        self.progress = replace(self.progress, step=self.progress.step + 1)
        if self.average:
            self.average.update(self.objective.weights_dict())

    def save(self) -> None:
        """The newest checkpoint, by the leading process; older ones are pruned."""
        if self.runtime.leads:
            tensors = self._network() | files.optimiser_tensors(self.optimiser)
            path = files.checkpoint_path(self.run, self.progress.step)
            files.write_checkpoint(path, self.recipe, self.progress, tensors)
            files.prune(self.run, self.recipe.log.keep)
        self.runtime.barrier()

    def save_best(self) -> None:
        """The network alone, as `best.safetensors`."""
        if self.runtime.leads:
            path = self.run / "checkpoints" / "best.safetensors"
            files.write_checkpoint(path, self.recipe, self.progress, self._network())
        self.runtime.barrier()

    def restore(self) -> None:
        """Go on from the newest checkpoint, or from the start where a run was ended before its first.

        Raises BadCheckpoint when it is another recipe's.
        """
        path = files.newest_checkpoint(self.run)
        if path is None:
            return
        found = files.read_checkpoint(path)
        if found.recipe.hash != self.recipe.hash:
            raise BadCheckpoint(f"{path} was made by another recipe; resume with the recipe in {self.run}/run.json")
        self.objective.model.load_state_dict(found.part("model."))
        files.restore_optimiser(self.optimiser, found.part("optim."))
        self.progress = found.progress
        if self.average:
            self.average.tensors = {n: t.to(self.runtime.device) for n, t in found.part("ema.").items()}

    def begin_with(self, found: files.Checkpoint, origin: str) -> None:
        """Start from another training's weights. Raises BadCheckpoint where they are another network's."""
        try:
            self.objective.model.load_state_dict(found.network())
        except RuntimeError as error:
            why = files.other_network(found.recipe, self.recipe, error)
            raise BadCheckpoint(f"{origin}: {why}; --init needs the same model section") from error
        if self.average:
            self.average.begin(self.objective.weights_dict())

    def agree(self) -> None:
        """Give every process the leading one's tensors: batch norm's statistics are each process's own."""
        self.runtime.share(self.objective.weights_dict().values())
        if self.average:
            self.runtime.share(self.average.tensors.values())

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in place of the trained ones, for evaluation."""
        if self.average is None:
            yield
            return
        kept = {name: t.detach().clone() for name, t in self.objective.weights_dict().items()}
        self.objective.model.load_state_dict(self.average.tensors)
        try:
            yield
        finally:
            self.objective.model.load_state_dict(kept)

    def _network(self) -> dict[str, Tensor]:
        tensors = {f"model.{name}": t for name, t in self.objective.weights_dict().items()}
        if self.average:
            tensors |= {f"ema.{name}": t for name, t in self.average.tensors.items()}
        return tensors
