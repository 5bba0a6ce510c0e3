"""Named crash points: where the crash tests end the process, as a power cut would."""

import os
import time

VARIABLE = "DATAGEN_CRASH"
"""`<point>:<n>` ends the process with SIGKILL at the n-th passing of a point. For tests alone."""

JOB_VARIABLE = "DATAGEN_CRASH_JOB"
"""`<job id>:<how>`: a job whose geometry half ends its process (die), asks for ever more memory (hoard) or never ends
(hang). For tests alone."""

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


def job(job_id: str) -> None:
    """Misbehave here if the environment names this job."""
    target, _, how = os.environ.get(JOB_VARIABLE, "").partition(":")
    if target != job_id:
        return
    if how == "hoard":
        hoard = []
        while True:
            hoard.append(b"\1" * 2**26)
    if how == "hang":
        time.sleep(3600)
    os.kill(os.getpid(), 9)
