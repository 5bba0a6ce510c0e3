"""How many cores and how much memory this process may use: affinity, cgroup and SLURM, never the machine's count."""

import os
import resource
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


def usable_memory() -> int:
    """Bytes: the least of the machine's memory, the cgroup's limit and SLURM_MEM_PER_NODE (MiB)."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            word = Path(path).read_text().strip()
        except OSError:
            continue
        if word.isdigit():
            limits.append(int(word))
    slurm = os.environ.get("SLURM_MEM_PER_NODE", "")
    if slurm.isdigit() and int(slurm):
        limits.append(int(slurm) * 2**20)
    return min(limits)


def cap_memory(cap_bytes: int | None) -> None:
    """Let this process's own data (RLIMIT_DATA) grow to `cap_bytes`, by default its core's share of the memory.

    Past it an allocation fails: a MemoryError in Python, the process's end in most native code. A share under
    2 GiB is rounded up to that: Blender needs it.
    """
    cap = cap_bytes or max(usable_memory() // usable_cores(), 2 * 2**30)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (cap if hard == resource.RLIM_INFINITY else min(cap, hard), hard))
