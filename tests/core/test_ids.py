"""One text and one hash for one value."""

import numpy as np
import pytest

from datagen.core.ids import canonical_json, content_hash


def test_canonical_json_is_one_text_for_one_value():
    assert canonical_json({"b": 1, "a": [1.5, np.float64(2)]}) == '{"a":[1.5,2.0],"b":1}'
    assert content_hash({"b": 1, "a": 2}) == content_hash({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
