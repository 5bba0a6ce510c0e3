"""The parent never dies, whatever a mesh file holds; every case ends as loaded or as a MeshLoadError."""

import subprocess
import sys
from collections import Counter

import pytest

from tests.conftest import ROOT
from tests.geometry.mutate import FORMATS


def survey(seed: int, total: int, *formats: str) -> Counter:
    """Outcomes of all cases; a case that kills its process counts as `died` and the next process goes on after it."""
    found: Counter = Counter()
    case = 0
    while case < total:
        command = [sys.executable, "-m", "tests.geometry.mutate", str(seed), str(case), str(total - case), *formats]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        lines = [line.split(" ", 1) for line in result.stdout.splitlines()]
        found.update(text for _, text in lines)
        case += len(lines)
        if case < total:
            assert result.returncode < 0, result.stderr[-2000:]  # only a signal may end it, never a Python error
            found["died"] += 1
            case += 1
    return found


def check(found: Counter, total: int) -> None:
    print(dict(found))
    assert set(found) <= {"loaded", "refused", "died"}, found
    assert sum(found.values()) == total
    assert found["loaded"] > 0.02 * total and found["refused"] > 0.02 * total
    assert found["died"] < 0.03 * total


def test_mutated_meshes():
    check(survey(0, 300), 300)


@pytest.mark.soak
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("seed", range(1, 31))
def test_many_mutated_meshes(seed, kind):
    check(survey(seed, 1000, kind), 1000)
