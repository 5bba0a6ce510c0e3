"""One writer at a time among processes, by flock on a lock file: the kernel frees it when its holder dies."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What flock answers on a filesystem that has no locks."""


@contextmanager
def sole_writer(path: Path, *, wait: bool = True) -> Iterator[bool | None]:
    """Hold the lock file `path`, made here and removed at the end; waits while another holds it.

    Gives True while it is held, False where another holds it and `wait` is off, None on a filesystem without locks.
    Raises OSError when the file cannot be made.
    """
    descriptor, held = _take(path, wait)
    try:
        yield held
    finally:
        # Removed before it is let go: whoever waits for this file sees that it is gone and makes another.
        if held is not False:
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(path: Path, wait: bool) -> tuple[int, bool | None]:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is_at(path, descriptor):
                return descriptor, True
        except BlockingIOError:
            return descriptor, False
        except OSError as error:
            if error.errno in NO_LOCKS:
                return descriptor, None
            os.close(descriptor)
            raise
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
