"""Stopping a build between jobs: SLURM's warning (USR1), a first SIGTERM."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from datagen.core.row import Job


class Drain:
    """True once the build has been asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the jobs under way end, no other begins; asked twice, stop at once."""
        if self.asked and number == signal.SIGTERM:
            raise KeyboardInterrupt
        self.asked = True

    def gate(self, jobs: Iterator[Job]) -> Iterator[Job]:
        """The jobs, until asked to stop."""
        for job in jobs:
            if self.asked:
                return
            yield job


@contextmanager
def drain_on_signals() -> Iterator[Drain]:
    """Handle USR1 and TERM for the length of a build (in the main thread; elsewhere nothing changes)."""
    drain = Drain()
    try:
        before = {number: signal.signal(number, drain.ask) for number in (signal.SIGUSR1, signal.SIGTERM)}
    except ValueError:
        yield drain
        return
    try:
        yield drain
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
