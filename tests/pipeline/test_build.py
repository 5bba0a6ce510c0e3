"""Whole builds with the fake renderer: determinism, limits, quarantine, bad input."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import OtherRecipe
from datagen.pipeline.build import build
from datagen.pipeline.worker import Site
from datagen.store.manifest import read_manifest
from tests.conftest import ROOT, plan_of, run_build
from tests.helpers.box_chairs import SMALL_PICTURES

SMALL = ("anomaly.slots_per_shape=2", "normal.views={2: 1}", "reference.views=4", "query.size_px=96")
FEW = (*SMALL_PICTURES, "anomaly.slots_per_shape=2", "normal.views={2: 1}")
TREES = ("images", "annotations", "shapes")
PUBLISHED = (*TREES, "split.json", "run.json", "manifest.parquet", "shapes.json", "README.md")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that has to be byte-identical."""
    files = [p for name in PUBLISHED for p in [folder / name, *(folder / name).rglob("*")] if p.is_file()]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_order_changes_no_byte(tmp_path):
    run_build(tmp_path / "a", 3, sets=SMALL)

    def shuffled(jobs):
        jobs = list(jobs)
        random.Random(1).shuffle(jobs)
        return jobs

    run_build(tmp_path / "b", 3, sets=SMALL, order=shuffled)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert a.keys() == b.keys() and all(a[k] == b[k] for k in a)


def test_a_larger_limit_extends_a_run(tmp_path, plain_chairs):
    run_build(tmp_path / "a", 2, sets=FEW, collection=plain_chairs)
    first = contents(tmp_path / "a")
    run_build(tmp_path / "a", 4, sets=FEW, collection=plain_chairs)
    run_build(tmp_path / "b", 4, sets=FEW, collection=plain_chairs)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert a == b
    assert all(a[k] == v for k, v in first.items() if k.startswith(("images", "annotations", "shapes/")))


def test_another_seed_needs_another_folder(tmp_path, plain_chairs):
    run_build(tmp_path / "a", 1, sets=FEW, collection=plain_chairs)
    with pytest.raises(OtherRecipe, match="seed"):
        run_build(tmp_path / "a", 1, sets=FEW, collection=plain_chairs, seed=5)


def test_another_renderer_needs_another_folder(tmp_path, plain_chairs):
    """Pictures of two renderers in one folder would pass for one dataset."""
    run_build(tmp_path / "a", 1, sets=FEW, collection=plain_chairs)
    with pytest.raises(OtherRecipe, match=r'renderer \(asked for "cycles", there "fake"\)'):
        build(Site(plan_of(1, sets=FEW, collection=plain_chairs), tmp_path / "a", "cycles"))


def test_seeds_differ(tmp_path, plain_chairs):
    run_build(tmp_path / "a", 1, sets=FEW, collection=plain_chairs)
    run_build(tmp_path / "b", 1, sets=FEW, collection=plain_chairs, seed=5)
    a, b = ({r["sample_id"] for r in read_manifest(tmp_path / n)} for n in "ab")
    assert not a & b - {""}


def test_demo_plan_has_what_it_promises(fake_dataset):
    rows = [r for r in read_manifest(fake_dataset) if r["row_type"] == "sample"]
    assert len({r["shape_id"] for r in rows}) == 6
    for kind in ("position", "rotation", "broken", "swapped", "missing"):
        assert len({r["shape_id"] for r in rows if r["kind"] == kind}) >= 2, kind
    split = json.loads((fake_dataset / "split.json").read_text())
    assert all(split[name] for name in ("train", "val", "test"))


def test_rows_agree_with_files(fake_dataset):
    for row in read_manifest(fake_dataset):
        for path in row["sha256"]:
            assert (fake_dataset / path).is_file()
        if row["row_type"] != "sample":
            continue
        assert row["status"] == "ok" and row["sample_id"]
        assert ("anomaly" in row["query_path"]) == bool(row["label"])
        if row["label"]:
            info = json.loads((fake_dataset / row["annotation_path"]).read_text())
            assert info["2d_bbox"] == list(row["bbox_xywh_512"])
            check_masks(fake_dataset, row, info)


def check_masks(folder, row, info):
    """Masks and boxes by the words of DATA.md, from the files alone."""
    old = np.asarray(Image.open(folder / row["mask_old_path"])) > 0
    if row["kind"] == "missing":
        assert not row["mask_new_path"] and info["IoU"] == 0
        boxed = old
    else:
        boxed = new = np.asarray(Image.open(folder / row["mask_new_path"])) > 0
        assert np.isclose(info["IoU"], (new & old).sum() / (new | old).sum())
    ys, xs = np.nonzero(boxed)
    x, y, w, h = (v / 2 for v in info["2d_bbox"])
    assert (x, y, x + w, y + h) == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


def copy_chairs(target: Path, count: int) -> list[Path]:
    source = ROOT / "assets" / "partnet" / "chair"
    folders = sorted(p for p in source.iterdir() if p.is_dir())[:count]
    return [Path(shutil.copytree(folder, target / folder.name)) for folder in folders]


def test_a_bad_shape_is_quarantined_and_the_rest_goes_on(tmp_path):
    chairs = copy_chairs(tmp_path / "chairs", 6)
    (chairs[0] / "result_after_merging.json").write_text("[{")
    (chairs[0] / "result.json").write_text("[{")
    next((chairs[1] / "objs").glob("*.obj")).unlink()
    obj = next((chairs[2] / "objs").glob("*.obj"))
    obj.write_text(obj.read_text().replace("v ", "v nan ", 1))
    summary = run_build(tmp_path / "out", None, sets=SMALL, collection=tmp_path / "chairs")
    assert set(summary.quarantined) == {c.name for c in chairs[:3]}
    assert all(c.name in str(summary.quarantined[c.name]) or "obj" in summary.quarantined[c.name] for c in chairs[:3])
    assert summary.shapes == 3
    again = run_build(tmp_path / "out", None, sets=SMALL, collection=tmp_path / "chairs")
    assert set(again.quarantined) == set(summary.quarantined) and again.images == summary.images


def test_a_shape_whose_file_changed_is_not_built_beside_its_old_self(tmp_path):
    first, second = copy_chairs(tmp_path / "chairs", 2)
    run_build(tmp_path / "out", None, sets=SMALL, collection=tmp_path / "chairs")
    before = contents(tmp_path / "out")
    obj = next((first / "objs").glob("*.obj"))
    text = obj.read_text()
    obj.write_text(text + "v 0 0 0\n")
    with pytest.raises(OtherRecipe, match=f"{first.name} as made from other files") as told:
        run_build(tmp_path / "out", None, sets=SMALL, collection=tmp_path / "chairs")
    assert second.name not in str(told.value) and contents(tmp_path / "out") == before
    obj.write_text(text)
    run_build(tmp_path / "out", None, sets=SMALL, collection=tmp_path / "chairs")
    assert contents(tmp_path / "out") == before


def test_the_duplicate_reference_view_is_an_option(tmp_path):
    run_build(tmp_path / "a", 1, sets=(*SMALL, "reference.duplicate_first=true"))
    names = sorted(p.stem.split("_")[2] for p in (tmp_path / "a").glob("shapes/*/mv_images/*.png"))
    assert names == ["0", "180", "270", "360", "90"]
    folder = next((tmp_path / "a").glob("shapes/*/mv_images"))
    first, last = (next(folder.glob(f"*_{a}_20.png")).read_bytes() for a in (0, 360))
    assert first == last


def test_references_through_pyrender(tmp_path):
    from datagen.core.errors import MissingDependency

    try:
        run_build(tmp_path / "a", 1, sets=(*SMALL, "reference.renderer=pyrender"))
    except MissingDependency as error:
        pytest.skip(str(error))
    run_build(tmp_path / "b", 1, sets=SMALL)
    for path in (tmp_path / "a").glob("shapes/*/mv_images/*_depth.npy"):
        ours = np.load(tmp_path / "b" / path.relative_to(tmp_path / "a"))
        theirs = np.load(path)
        both = (ours > 0) & (theirs > 0)
        assert (np.abs(ours - theirs)[both] > 0.01 * ours[both]).mean() < 0.002


def test_one_glb_with_named_nodes(tmp_path):
    import trimesh

    from datagen.shapes.collections import open_collection

    shape = open_collection("partnet/chair").load("1003")
    scene = trimesh.Scene()
    turn = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    for part in shape.parts:
        mesh = trimesh.Trimesh(part.mesh.vertices, part.mesh.faces, process=False)
        scene.add_geometry(mesh.apply_transform(turn), node_name=f"{part.name}_{part.part_id}")
    scene.export(tmp_path / "ladder_chair.glb")
    summary = run_build(tmp_path / "out", None, sets=SMALL, collection=tmp_path / "ladder_chair.glb")
    assert summary.images >= 2 and not summary.quarantined
    rows = [r for r in read_manifest(tmp_path / "out") if r["row_type"] == "sample" and r["label"]]
    assert {r["part_class"] for r in rows} <= {"Leg", "SeatSurface", "BackSurface", "BackFrame", "Arm", "Other"}


@pytest.mark.parametrize("scenes", [False, True])
def test_flat_shading_bakes_no_map_and_makes_no_sky(tmp_path, monkeypatch, scenes):
    """The fake renderer shows mean colours: textures for it would be seconds of work that nobody sees."""
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    if scenes:
        sets = ("layout.poses=stable", "camera.views=10", "camera.size_px=32", "layout.objects={3: 1}")
        run_build(tmp_path / "a", 1, "toysad_quickstart", sets, "toys")
    else:
        run_build(tmp_path / "a", 1, sets=SMALL)
    made = {path.relative_to(tmp_path / "cache").parts[0] for path in (tmp_path / "cache").rglob("*.*")}
    assert made <= {"poses", "features"}
