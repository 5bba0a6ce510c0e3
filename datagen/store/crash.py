"""Named crash points: where the crash tests end the process, as a power cut would."""

import os

VARIABLE = "DATAGEN_CRASH"
"""`<point>:<n>` ends the process with SIGKILL at the n-th passing of a point. For tests alone."""

_passed: dict[str, int] = {}


def point(name: str) -> None:
    """Die here if the environment asks for it."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    target, _, count = wanted.partition(":")
    if target == name:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] >= int(count or 1):
            os.kill(os.getpid(), 9)
