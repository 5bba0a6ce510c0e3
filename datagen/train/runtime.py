"""Processes and devices: torchrun's environment, the device, mixed precision, errors that mean out of memory."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from datagen.core.errors import MissingDependency, UsageError
from datagen.core.memory import keep_freed_memory
from datagen.train.errors import OutOfMemory

PATIENCE = timedelta(hours=12)
"""How long processes wait for each other: one may verify and pack a dataset of 180,000 pictures meanwhile."""


@dataclass(frozen=True)
class Runtime:
    """This process among `ranks`, and its device."""

    rank: int
    ranks: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """DDP where there is more than one process."""
        module = module.to(self.device)
        if self.ranks == 1:
            return module
        ids = [self.device.index] if self.device.type == "cuda" else None
        # Alignment losses may leave parts of the network without a gradient in a step.
        return nn.parallel.DistributedDataParallel(module, device_ids=ids, find_unused_parameters=True)

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, in rank order."""
        if self.ranks == 1:
            return [value]
        found: list[Any] = [None] * self.ranks
        torch.distributed.all_gather_object(found, value)
        return found

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite tensors on this device, in place, with the leading process's."""
        if self.ranks > 1:
            for tensor in tensors:
                torch.distributed.broadcast(tensor.detach(), 0)

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.ranks > 1:
            torch.distributed.barrier()

    def memory_gib(self) -> float:
        """Peak memory: the device's on CUDA, the process's otherwise."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**30
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    def precision(self, amp: str) -> AbstractContextManager[Any]:
        """Autocast to bf16, or nothing."""
        return torch.autocast(self.device.type, torch.bfloat16) if amp == "bf16" else nullcontext()

    def to_device(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The batch on this process's device."""
        return {name: t.to(self.device, non_blocking=True) for name, t in batch.items()}


@contextmanager
def open_runtime(device: str | None = None) -> Iterator[Runtime]:
    """The runtime of this process; under torchrun a process group is opened and closed. On a CPU the process keeps
    the memory that it frees from then on.

    Raises UsageError, MissingDependency for a device that is unknown or not here.
    """
    rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    local = int(os.environ.get("LOCAL_RANK", 0))
    chosen = choose_device(device, local)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    elif chosen.type == "cpu":
        keep_freed_memory()
    if ranks > 1:
        torch.distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Runtime(rank, ranks, chosen)
    finally:
        if ranks > 1:
            torch.distributed.destroy_process_group()


def choose_device(named: str | None, local: int = 0) -> torch.device:
    """`cpu`, `cuda` (the `local`-th of this node), `cuda:N`, `mps`; by default CUDA where there is one, else the CPU.

    Raises UsageError for another name, MissingDependency for a device that is not here.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    try:
        wanted = torch.device(named or ("cuda" if count else "cpu"))
    except RuntimeError:
        wanted = torch.device("meta")
    if wanted.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f"unknown device '{named}'; the devices are cpu, cuda, cuda:N, mps")
    if wanted.type == "cuda":
        wanted = torch.device("cuda", local if wanted.index is None else wanted.index)
        if wanted.index >= count:
            raise MissingDependency(f"device {wanted} is not here: torch sees {count} CUDA devices; take --device cpu")
    if wanted.type == "mps" and not torch.backends.mps.is_available():
        raise MissingDependency("device mps is not here; take --device cpu")
    return wanted


@contextmanager
def full_memory_as_error(advice: str) -> Iterator[None]:
    """Turn a device's or the host's out-of-memory error into OutOfMemory with advice."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(f"{_first_line(error)}; {advice}") from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "not enough memory" in str(error):
            raise OutOfMemory(f"{_first_line(error)}; {advice}") from error
        raise


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
