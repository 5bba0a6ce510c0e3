"""Specs of anomalies as JSON."""

import pytest

from datagen.core.anomaly import BrokenSpec, PositionSpec, RotationSpec, spec_from_json


@pytest.mark.parametrize(
    "spec",
    [
        PositionSpec(3, "Leg", (0.1, 0.2, 0.3)),
        RotationSpec(3, "Leg", (0, 0, 0), (0, 0, 1), 12.5),
        BrokenSpec(3, "Leg", "box", (0, 0, 0), (1, 1, 1), ((1, 0, 0), (0, 1, 0), (0, 0, 1)), 0.1, 7),
    ],
)
def test_specs_survive_json(spec):
    assert spec_from_json(spec.to_json()) == spec
