"""The script for a lent GPU, at tiny size on a CPU: every part, equal losses, its table."""

import json

from datagen.bench.gpu import NETWORKS, PRESETS, main, rendering, table


def test_every_part_is_measured_and_written(tmp_path, capsys):
    main(["--out", str(tmp_path), "--tiny", "--no-rendering", "--device", "cpu"])
    told = json.loads((tmp_path / "gpu.json").read_text())
    assert set(told["attention"]) == {"dense", "sdpa", "sparse"}
    assert set(told["steps"]) == {f"{name}, {kind}" for name in NETWORKS for kind in ("float32", "bfloat16")}
    assert all(figure["seconds"] > 0 for figure in told["steps"].values())
    assert all(figure["within"] and figure["difference"] == 0 for figure in told["equality"].values())
    assert capsys.readouterr().out == (tmp_path / "gpu.md").read_text() == table(told)


def test_without_blender_rendering_is_left_out_and_a_failed_build_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("datagen.bench.gpu.find_spec", lambda name: None)
    assert rendering(tmp_path, tiny=True) == {"left out": "bpy is not here"}
    monkeypatch.setattr("datagen.bench.gpu.find_spec", lambda name: object())
    (tmp_path / f"{PRESETS[0]}-cpu").write_text("a file where the dataset would go")
    (tmp_path / f"{PRESETS[0]}-auto").write_text("a file where the dataset would go")
    told = rendering(tmp_path, tiny=True)
    assert set(told) == {f"{PRESETS[0]}, cpu", f"{PRESETS[0]}, auto"} and all(one["failed"] for one in told.values())
