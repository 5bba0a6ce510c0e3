"""How many cores this process may use: affinity, cgroup and SLURM, never the machine's count."""

import os
from pathlib import Path


def usable_cores() -> int:
    """The least of sched_getaffinity, the cgroup's CPU quota and SLURM_CPUS_PER_TASK; at least 1."""
    limits = [float(len(os.sched_getaffinity(0)))]
    quota = _cgroup_quota()
    if quota:
        limits.append(quota)
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if slurm.isdigit():
        limits.append(float(slurm))
    return max(1, int(min(limits)))


def _cgroup_quota() -> float | None:
    for path in ("/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"):
        try:
            words = Path(path).read_text().split()
            if len(words) == 1:
                words.append(Path(path).with_name("cpu.cfs_period_us").read_text().strip())
            if words[0].lstrip("-").isdigit() and int(words[0]) > 0:
                return int(words[0]) / int(words[1])
        except (OSError, ValueError, IndexError):
            continue
    return None
