"""Set-ups that tests of several formats share."""

import pytest

from datagen.export.run import export_dataset


@pytest.fixture(scope="module", params=["fake_dataset", "scene_dataset"])
def exported(request, tmp_path_factory):
    """(dataset, export) of chairs and of scenes, in the format that the test's module calls FORMAT."""
    root, out = request.getfixturevalue(request.param), tmp_path_factory.mktemp(request.module.FORMAT) / "out"
    export_dataset(root, request.module.FORMAT, out)
    return root, out
