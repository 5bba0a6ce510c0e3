"""`datagen inspect`: a table a shape, JSON, what is refused."""

import json

import numpy as np
import trimesh
from typer.testing import CliRunner

from datagen.cli.main import app
from tests.conftest import write_plain_chairs

RUN = CliRunner()


def test_shapes_parts_and_operators_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")
    write_plain_chairs(tmp_path / "chairs", 2)
    found = RUN.invoke(app, ["inspect", str(tmp_path / "chairs"), "--tries", "1", "--limit", "1"])
    assert found.exit_code == 0, found.output
    assert "in the units of its file" in found.output and "position" in found.output and "1/1" in found.output
    assert "1 of 2 shapes looked at, 0 will be refused" in found.output
    assert [line for line in found.stderr.splitlines() if "looking at" in line] == ["looking at 1001, 1 of 1"]
    told = json.loads(RUN.invoke(app, ["inspect", str(tmp_path / "chairs"), "--tries", "1", "--json"]).stdout)
    assert len(told) == 2 and {"position", "rotation", "broken", "missing"} == {
        one["kind"] for one in told[0]["parts"][0]["tried"]
    }
    assert told[0]["parts"][0]["health"]["faces"] > 0


def test_sizes_are_those_of_the_file(tmp_path):
    trimesh.creation.box((20, 30, 50)).export(tmp_path / "block.stl")
    told = json.loads(RUN.invoke(app, ["inspect", str(tmp_path), "--tries", "1", "--json"]).stdout)
    np.testing.assert_allclose(sorted(told[0]["size"]), [20, 30, 50], rtol=1e-3)


def test_a_shape_that_will_be_refused_is_named_and_the_others_go_on(tmp_path):
    trimesh.creation.box((1, 1, 1)).export(tmp_path / "good.stl")
    (tmp_path / "bad.obj").write_text("v 0 0 0\nv 1 0 nan\nf 1 2 9\n")
    found = RUN.invoke(app, ["inspect", str(tmp_path), "--tries", "1"])
    assert found.exit_code == 3
    assert "bad:" in found.output and "good:" in found.output and "1 will be refused" in found.output


STATION = """
size_px: [1280, 1024]
focal_mm: 25
pixel_um: 4.8
lens: {k1: -0.1, k2: 0.02}
ring: {count: 3, radius_mm: 300, height_mm: 150}
cameras: [{name: top, position_mm: [0, 0, 400]}]
"""


def test_a_station_tells_pixels_a_millimetre_and_the_smallest_defect(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")
    trimesh.creation.box((20, 30, 50)).export(tmp_path / "block.stl")
    station = tmp_path / "station.yaml"
    station.write_text(STATION)
    given = ["inspect", str(tmp_path / "block.stl"), "--tries", "1", "--recipe", "inspection"]
    given += ["--station", str(station)]
    refused = RUN.invoke(app, [*given, "--set", "units=file"])
    assert refused.exception.exit_code == 2 and "nothing says the unit" in str(refused.exception)
    told = json.loads(RUN.invoke(app, [*given, "--set", "units=mm", "--json"]).stdout)
    (*ring, _), top = told[0]["station"][1:], told[0]["station"][0]
    assert top["camera"] == "top" and len(ring) == 2 and top["whole"]
    # 25 mm over 4.8 um are 5,208 px; the block's top is 350 to 380 mm off, as it stands.
    assert 5208 / 390 * 0.98 < top["px_per_mm"][1] < 5208 / 350
    found = RUN.invoke(app, [*given, "--set", "units=mm"])
    assert "smallest defect" in found.output and "ring-02" in found.output
    for wrong, why in (("position_mm: [0, 0, 10]", "stands inside"), ("position: 1", "unknown key")):
        station.write_text(STATION.replace("position_mm: [0, 0, 400]", wrong))
        bad = RUN.invoke(app, [*given, "--set", "units=mm"])
        assert bad.exception.exit_code == 2 and why in str(bad.exception)
