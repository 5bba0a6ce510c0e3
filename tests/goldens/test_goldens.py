"""Not a byte of a dataset changes without being meant to: see datasets.py for what is compared where."""

import json
from pathlib import Path

import pytest

from tests.goldens.datasets import BUILDS, DIGESTS, PLANNED, digests, maker, vector_units


def check(name: str, folder: Path) -> None:
    recorded = json.loads(DIGESTS.read_text())
    wanted, found = recorded[name], digests(folder)
    assert sorted(found) == sorted(wanted)
    alike = vector_units() == recorded["vector_units"] and (maker() == recorded["maker"] or "cycles" not in name)
    groups = wanted if alike else set(wanted) & set(PLANNED)
    moved = [group for group in groups if found[group] != wanted[group]]
    assert moved == [], f"{name} differs from its digests; if that is meant: python -m tests.goldens.datasets"


def test_demo(fake_dataset: Path) -> None:
    check("demo", fake_dataset)


def test_toys(scene_dataset: Path) -> None:
    check("toys", scene_dataset)


@pytest.mark.parametrize(
    "name", [n if "cycles" not in n else pytest.param(n, marks=pytest.mark.cycles) for n in BUILDS]
)
def test_built_for_this(name: str, tmp_path: Path) -> None:
    BUILDS[name](tmp_path / name)
    check(name, tmp_path / name)
