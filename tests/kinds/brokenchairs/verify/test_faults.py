"""Injected faults are found by the check meant for them; near misses and clean builds are not."""

import numpy as np
import pytest

from datagen.core.ids import canonical_json
from datagen.core.rng import stream
from datagen.kinds.brokenchairs.verify import source
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.registry import open_tree
from datagen.verify.check import ERROR, FAIL
from tests.conftest import run_build
from tests.kinds.brokenchairs.verify.editor import Editor
from tests.kinds.brokenchairs.verify.faults import FAULTS, near_misses

SMALL = ("anomaly.slots_per_shape=3", "anomaly.views={2: 1}", "normal.views={2: 1}", "reference.views=6")
PLACES = 4


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Six chairs, four kinds each, few views; and its source, opened once."""
    out = tmp_path_factory.mktemp("verify") / "small"
    run_build(out, sets=SMALL)
    return out, ChairEvidence(open_tree(out))._opened


@pytest.fixture(autouse=True)
def operators_once(monkeypatch):
    """Replayed operators are functions of (shape, spec): most faults leave them alone."""

    def apply(shape, spec, setting):
        key = canonical_json([shape.shape_id, spec.to_json()])
        if key not in APPLIED:
            APPLIED[key] = source.apply_plainly(shape, spec, setting)
        return APPLIED[key]

    monkeypatch.setattr(source, "apply_plainly", source.apply_all, raising=False)
    monkeypatch.setattr(source, "apply_all", apply)


APPLIED = {}


def failures(root, opened, names=()):
    evidence = ChairEvidence(open_tree(root))
    evidence.__dict__["_opened"] = opened
    return {r.name: r for r in CHECKS.run(evidence, names) if r.status == FAIL and r.level == ERROR}


STAMPED = ("files_hash", "files_present", "files_committed", "rows_match_files", "tables_readable", "rows_unique")
"""Checks that a well-stamped fault gives nothing to find."""


def injected(fault, place, small, tmp_path, names=()):
    editor = Editor(small[0], tmp_path / "copy")
    fault.inject(editor, stream(place, "fault", fault.name))
    editor.save()
    return failures(editor.root, small[1], names)


def assert_found(fault, found):
    assert set(found) & set(fault.found_by), f"{fault.name}: found by {sorted(found) or 'nothing'}"
    if fault.name != "stale_hash":
        assert not set(found) & set(STAMPED), found


def test_there_are_twenty_six():
    assert len(FAULTS) == 26


def test_clean_build_has_no_error(small):
    found = failures(*small)
    assert not found, {name: r.examples[:2] for name, r in found.items()}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found(fault, small, tmp_path):
    """The checks meant for the fault, and those that stamping has to satisfy; `make soak` runs all of them."""
    assert_found(fault, injected(fault, 0, small, tmp_path, (*fault.found_by, *STAMPED)))


@pytest.mark.soak
@pytest.mark.parametrize("place", range(1, PLACES))
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found_elsewhere(fault, place, small, tmp_path):
    assert_found(fault, injected(fault, place, small, tmp_path))


@pytest.mark.parametrize("name,inject", near_misses(), ids=lambda value: value if isinstance(value, str) else "")
def test_near_miss_passes(name, inject, small, tmp_path):
    for place in range(1):
        editor = Editor(small[0], tmp_path / f"copy{place}")
        inject(editor, np.random.default_rng(place))
        editor.save()
        found = failures(editor.root, small[1])
        assert not found, {n: r.examples[:2] for n, r in found.items()}


@pytest.mark.soak
@pytest.mark.parametrize("seed", (1, 2))
def test_other_seeds_are_clean(seed, tmp_path):
    run_build(tmp_path / "out", seed=seed)
    root = tmp_path / "out"
    found = failures(root, ChairEvidence(open_tree(root))._opened)
    assert not found, {name: r.examples[:2] for name, r in found.items()}
