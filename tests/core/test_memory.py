"""Memory that is kept is not cleared anew."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, sys
import numpy as np
from datagen.core.memory import keep_freed_memory
kept = sys.argv[1] == "keep" and keep_freed_memory()
np.ones(1 << 23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(1 << 23)
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how):
    told = subprocess.run([sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True).stdout.split()
    return told[0] == "True", int(told[1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_arrays_made_again_and_again_fault_once():
    kept, few = faults("keep")
    _, many = faults("free")
    assert kept
    assert few * 4 < many
