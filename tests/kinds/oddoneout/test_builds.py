"""The store's promises hold for scene jobs: order, growth, shards, merge, kills, quarantine, other recipes."""

import json
import os
import random
import shutil
import signal
import time

import pytest

from datagen.core.errors import OtherRecipe
from datagen.pipeline.merge import merge
from datagen.store.log import LogReader
from datagen.store.manifest import read_manifest
from datagen.store.shards import unpack
from tests.conftest import build_scenes
from tests.crash.harness import assert_same, start

TINY = ("layout.poses=stable", "camera.views=2", "camera.size_px=48", "layout.objects={3: 1}",
        "anomaly.kinds={missing: 1, material: 1, bump: 1}", "anomaly.min_changed_px=5",
        "split.scenes={unseen-test: 2, train: 4, seen-test: 2}")  # fmt: skip
FILES = ("scenes", "split.json", "split-count.json", "protocol.json", "shapes.json", "run.json", "README.md",
         "manifest.parquet")  # fmt: skip


def contents(folder):
    files = [p for name in FILES for p in [folder / name, *(folder / name).rglob("*")] if p.is_file()]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Eight small scenes, uninterrupted."""
    out = tmp_path_factory.mktemp("whole") / "data"
    build_scenes(out, sets=TINY)
    return out


def test_order_limit_and_growth_change_no_byte(tmp_path, whole):
    def shuffled(jobs):
        random.Random(2).shuffle(jobs)
        return jobs

    build_scenes(tmp_path / "a", limit=3, sets=TINY)
    first = contents(tmp_path / "a")
    build_scenes(tmp_path / "a", sets=TINY, order=shuffled)
    grown = contents(tmp_path / "a")
    assert grown == contents(whole)
    assert all(grown[name] == data for name, data in first.items() if name.startswith("scenes/"))
    build_scenes(tmp_path / "a", limit=3, sets=TINY)
    assert json.loads((tmp_path / "a" / "split.json").read_bytes()) == json.loads((whole / "split.json").read_bytes())


def test_shards_hold_every_split_and_merge_to_the_same_tree(tmp_path, whole):
    for k in range(2):
        build_scenes(tmp_path / f"part{k}", sets=TINY, layout="shards", shard=(k, 2))
    merge([tmp_path / "part0", tmp_path / "part1"], tmp_path / "merged")
    unpack(tmp_path / "merged", tmp_path / "out")
    wanted = {name: data for name, data in contents(whole).items() if name.startswith("scenes/")}
    assert {n: d for n, d in contents(tmp_path / "out").items() if n.startswith("scenes/")} == wanted
    build_scenes(tmp_path / "packed", sets=TINY, layout="shards")
    tars = sorted(p.name for p in (tmp_path / "packed" / "shards").glob("*.tar"))
    assert tars == ["seen-test-000000.tar", "train-000000.tar", "unseen-test-000000.tar"]
    from datagen.cli.show import run_show

    run_show(tmp_path / "packed", (), tmp_path / "packed.png", 2)
    run_show(whole, (), tmp_path / "whole.png", 2)
    assert (tmp_path / "packed.png").read_bytes() == (tmp_path / "whole.png").read_bytes()
    unpack(tmp_path / "packed", tmp_path / "loose")
    assert {n: d for n, d in contents(tmp_path / "loose").items() if n.startswith("scenes/")} == wanted


def command_sets():
    return [text for assignment in TINY for text in ("--set", assignment)]


@pytest.mark.parametrize("point", ["before-log", "mid-rename"])
def test_a_crash_in_the_commit_of_a_scene(tmp_path, whole, point):
    resume_after(tmp_path / "data", whole, {"DATAGEN_CRASH": f"{point}:2"})


def resume_after(out, whole, environment):
    options = ["--recipe", "toysad_quickstart", "--shapes", "toys", *command_sets()]
    process = start(out, *options, limit=100, sets=[], environment=environment)
    assert process.wait(timeout=300) == -signal.SIGKILL
    build_scenes(out, sets=TINY)
    assert contents(out) == contents(whole)


@pytest.mark.soak
def test_a_scene_build_killed_at_random(tmp_path, whole):
    out = tmp_path / "data"
    rng = random.Random(5)
    options = ["--recipe", "toysad_quickstart", "--shapes", "toys", *command_sets()]
    for _ in range(10):
        process = start(out, *options, limit=100, sets=[])
        while process.poll() is None and not ((out / "log").is_dir() and LogReader(out / "log").refresh().entries):
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 1.5))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    build_scenes(out, sets=TINY)
    assert contents(out) == contents(whole)
    assert_same(
        out,
        {name: data for name, data in contents(whole).items() if not name.startswith(("scenes", "split-", "protocol"))},
    )


def test_another_recipe_is_refused(whole):
    with pytest.raises(OtherRecipe, match="seed"):
        build_scenes(whole, sets=(*TINY, "seed=4"))


def test_a_shape_that_cannot_be_read_is_quarantined_and_named_by_no_split(tmp_path):
    from tests.conftest import box

    shapes = tmp_path / "shapes"
    for k in range(4):
        folder = shapes / "thing" / f"thing_{k:03d}"
        folder.mkdir(parents=True)
        mesh = box((1, 0.6 + 0.1 * k, 0.5))
        lines = [f"v {x} {y} {z}" for x, y, z in mesh.vertices] + [f"f {a} {b} {c}" for a, b, c in mesh.faces + 1]
        (folder / "mesh.obj").write_text("\n".join(lines))
    (shapes / "thing" / "thing_002" / "mesh.obj").write_text("v 0 0 nan\n")
    sets = (*TINY, "split.by=shape", "split.scenes={train: 3, test: 1}", "split.unseen=[]", "anomaly.kinds={bump: 1}")
    summary = build_scenes(tmp_path / "out", sets=sets, collection=shapes)
    rows = read_manifest(tmp_path / "out")
    bad = {row["shape_id"] for row in rows if row["row_type"] == "quarantine"}
    assert bad == {"thing/thing_002"} and "mesh.obj" in summary.quarantined["thing/thing_002"]
    split = json.loads((tmp_path / "out" / "split.json").read_text())
    named = {name for names in split.values() for name in names}
    assert named == {folder.name for folder in (tmp_path / "out" / "scenes").iterdir()} and len(named) == 3
    shutil.rmtree(shapes / "thing" / "thing_002")


def test_rows_tell_scenes_objects_and_views(whole):
    rows = read_manifest(whole)
    kinds = {name: [r for r in rows if r["row_type"] == name] for name in ("scene", "object", "sample", "rejection")}
    assert len(kinds["scene"]) == 8 and len(kinds["sample"]) == 16 and len(kinds["object"]) == 24
    for row in kinds["object"]:
        assert bool(row["spec"]) == bool(row["label"]) == (row["kind"] != "normal")
    named = {path for row in rows for path in row["sha256"]}
    assert named == {p.relative_to(whole).as_posix() for p in (whole / "scenes").rglob("*") if p.is_file()}
