"""Memory that is kept is not cleared anew."""

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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_arrays_made_again_and_again_fault_once():
    kept, few = faults("keep")
    if not kept:
        pytest.skip("this libc has no mallopt")
    _, many = faults("free")
    assert few * 4 < many
