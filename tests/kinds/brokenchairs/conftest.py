"""A small build with counterfactual references, shared by the tests of pairs."""

import pytest

from tests.conftest import run_build, shared
from tests.helpers.box_chairs import SMALL_PICTURES

PAIRED = (
    *(*SMALL_PICTURES, "reference.views=6", "anomaly.views={2: 1}", "normal.views={3: 1}"),
    *("reference.counterfactual=true", "reference.at_query=true", "reference.maps=true"),
)


@pytest.fixture(scope="session")
def paired_dataset(tmp_path_factory, plain_chairs):
    """Four chairs of boxes at 64 px: bundles of anomalous shapes, twins, views at the queries' cameras."""
    return shared(tmp_path_factory, "paired", lambda folder: run_build(folder, 4, sets=PAIRED, collection=plain_chairs))
