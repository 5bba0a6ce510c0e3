"""Every command works on every built-in kind, however the files lie, or says what is missing for it."""

import numpy as np
import pytest
from PIL import Image

from tests.conftest import build_scenes, run_build
from tests.helpers.forked_commands import run_forked


@pytest.mark.parametrize("name", ["fake_dataset", "scene_dataset"])
def test_show_and_status(name, request, tmp_path):
    folder = request.getfixturevalue(name)
    shown = run_forked(["show", folder, "--sheet", "2", "--out", tmp_path / "sheet.png"])
    assert shown.returncode == 0 and "2 s" in shown.stderr, shown.stderr
    assert np.asarray(Image.open(tmp_path / "sheet.png")).std() > 10
    assert run_forked(["show", folder, "nosuch", "--out", tmp_path / "one.png"]).returncode == 2


@pytest.mark.parametrize("kind", ["chairs", "scenes"])
def test_shards_are_shown_as_loose_files_are(kind, tmp_path):
    for layout in ("loose", "shards"):
        if kind == "chairs":
            run_build(tmp_path / layout, 1, layout=layout, sets=["query.size_px=64", "reference.views=4"])
        else:
            build_scenes(tmp_path / layout, 1, layout=layout)
        shown = run_forked(["show", tmp_path / layout, "--sheet", "2", "--out", tmp_path / f"{layout}.png"])
        assert shown.returncode == 0, shown.stderr
    loose, shards = (np.asarray(Image.open(tmp_path / f"{layout}.png")) for layout in ("loose", "shards"))
    assert np.array_equal(loose, shards)


def test_a_task_of_another_kind_is_refused_both_ways(scene_dataset, fake_dataset):
    for recipe, data, says in (
        ("recipes/train/smoke.yaml", scene_dataset, "matching does not learn: detector does"),
        ("oddoneout_small", fake_dataset, "detector does not learn: matching does"),
    ):
        said = run_forked(["train", "--recipe", recipe, "--data", data])
        assert said.returncode == 2 and says in said.stderr
