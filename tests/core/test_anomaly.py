"""Specs of anomalies as JSON."""

import json

import pytest

from datagen.core.anomaly import AnomalySpec, spec_from_json
from datagen.core.ids import canonical_json


@pytest.mark.parametrize(
    "spec",
    [
        AnomalySpec("position", 3, "Leg", {"translation": [0.1, 0.2, 0.3]}),
        AnomalySpec("missing", 3),
        AnomalySpec("bend", values={"axis": 2, "angle_deg": 31.5, "towards": [0.0, 1.0, 0.0]}),
    ],
)
def test_specs_survive_json(spec):
    assert spec_from_json(json.loads(canonical_json(spec.to_json()))) == spec
