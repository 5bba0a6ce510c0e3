"""Blender born on as many cores as it may use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def started_on_cores(threads: int) -> Iterator[None]:
    """Show this process `threads` cores while the block imports bpy; afterwards all it had.

    Blender sizes its task pool by the cores it sees at import, whatever a scene's thread count says. The
    threads too many then spin in sched_yield while Cycles works: nearly a second core burnt at one thread.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
