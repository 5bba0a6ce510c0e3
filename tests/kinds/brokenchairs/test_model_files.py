"""Deviations of the manifest against the model files of a dataset of pairs, read and measured by numpy alone."""

from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest
import trimesh

from datagen.shapes.standins.brackets import write_brackets
from tests.conftest import plan_of, run_build, shared
from tests.helpers.model_files import RIGID, Layout, ModelFiles

SETS = (
    *("query.size_px=96", "reference.views=4", "reference.points=64", "quality.ground_share=0.5"),
    *("quality.ground_floor=0", "anomaly.views={1: 1}", "normal.views={6: 1}", "anomaly.min_changed_px=2"),
    *("reference.counterfactual=true", "variation.tray={}", "tolerance.together={head: [screw_1, screw_2]}"),
    "anomaly.slots={position: 4, rotation: 3, missing: 1, dent: 1}",
    "tolerance.by_part={plate: {position_mm: 0.02, rotation_deg: 0.05}}",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    def make(folder):
        run_build(folder / "data", 2, "inspection", SETS, write_brackets(folder, 2))

    return shared(tmp_path_factory, "model-files", make)


@pytest.fixture
def models(made):
    plan = plan_of(2, "inspection", SETS, made / "parts")
    layouts = {}
    for shape_id in ("bracket_001", "bracket_002"):
        size_m = trimesh.load(made / "parts" / f"{shape_id}.glb").extents
        parts = tuple((part.part_id, part.name, len(part.mesh.vertices)) for part in plan.source.load(shape_id).parts)
        layouts[shape_id] = Layout(parts, float(np.linalg.norm(size_m)) * 1000)
    rows = pq.read_table(made / "data" / "manifest.parquet").to_pylist()
    return ModelFiles(made / "data", layouts, rows)


def test_model_files_say_what_the_manifest_says(models):
    kinds = Counter(row["kind"] for row in models.samples)
    assert kinds["position"] >= 6 and kinds["rotation"] >= 5 and kinds["normal"] > 20
    assert len(models.bundles) == len({row["job_id"] for row in models.samples if row["label"]})
    assert not list(models.disagreements())


@pytest.mark.parametrize("column", ["deviation_mm", "deviation_deg", "magnitude"])
def test_a_number_that_is_not_of_the_files_is_found(models, column):
    row = next(row for row in models.samples if row["kind"] in RIGID)
    row[column] += 0.03
    (found,) = models.disagreements()
    assert row["query_path"] in found and "measures" in found


def test_parts_on_the_wrong_side_of_the_band_are_found(models):
    models.tolerance = {"position_mm": 0.05, "rotation_deg": 0.15, "by_part": {}}
    assert any("good part" in line for line in models.disagreements())
    models.tolerance = {"position_mm": 5.5, "rotation_deg": 11, "by_part": {}}
    within = [line for line in models.disagreements() if "the defect lies within" in line]
    assert len(within) == sum(row["kind"] in RIGID for row in models.samples)
