"""Scenes without an odd object although the recipe gives them one: the build says so at its end, and so does verify."""

from pathlib import Path

from datagen.cli.build import run_build as run_build_command
from datagen.cli.options import BuildOptions
from datagen.verify.check import FAIL, PASS, WARNING
from tests.conftest import ROOT, build_scenes
from tests.kinds.oddoneout.conftest import TINY
from tests.kinds.oddoneout.faults import run_named

NONE_MADE = (*TINY, "camera.size_px=48", "anomaly.shapes=0.1")


def test_a_build_that_gives_no_shape_an_anomaly_says_so(tmp_path: Path, capsys) -> None:
    options = BuildOptions(
        recipe=str(ROOT / "recipes/toysad_quickstart.yaml"),
        out=tmp_path / "data",
        shapes="toys",
        renderer="fake",
        executor="serial",
        limit=2,
        overrides=list(NONE_MADE),
    )
    assert not run_build_command(options)
    said = " ".join(capsys.readouterr().err.split())
    assert "warning: scenes hold no odd object although the recipe gives them one (2): " in said
    assert "no anomalous shape is made of its shape, raise anomaly.shapes" in said
    result = run_named(tmp_path / "data", "scene_odd_ones_there")
    assert (result.status, result.level, result.count) == (FAIL, WARNING, 3)
    assert "no scene holds an odd object" in {finding.message for finding in result.examples}


def test_a_scene_whose_anomalies_were_refused_is_told_with_the_reasons(tmp_path: Path) -> None:
    # No view shows so many changed pixels.
    summary = build_scenes(tmp_path / "data", 1, (*TINY, "anomaly.min_changed_px=60000", "layout.attempts=1"))
    told = summary.warnings[0]
    assert told.line.startswith("scenes hold no odd object although the recipe gives them one (1): ")
    assert "hidden 1" in told.line
    assert run_named(tmp_path / "data", "scene_odd_ones_there").status == FAIL


def test_scenes_that_the_recipe_leaves_normal_are_no_fault(tmp_path: Path) -> None:
    summary = build_scenes(tmp_path / "data", 1, (*TINY, "layout.normal_share=1", "camera.size_px=48"))
    assert summary.warnings == ()
    assert run_named(tmp_path / "data", "scene_odd_ones_there").status == PASS
