"""How this process takes memory from the system."""

import ctypes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Names of glibc's malloc.h."""
MORE_AT_ONCE = 64 << 20
"""Bytes that the heap grows by beyond what is asked for."""


def keep_freed_memory() -> bool:
    """Keep what is freed for what is asked for next, instead of giving it back and taking it anew. Whether it could.

    By default every array of more than some MiB is mapped anew and cleared page by page when it is first touched. A
    training step makes hundreds of them: where pages are dear, as in a virtual machine, that is most of its time. Only
    of glibc (mallopt(3)); elsewhere nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    wanted = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_TOP_PAD, MORE_AT_ONCE))
    return all([mallopt(name, value) == 1 for name, value in wanted])
