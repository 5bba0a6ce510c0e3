"""Bundles of anomalous shapes, normal twins and views at the queries' cameras."""

import io
import json

import numpy as np
from PIL import Image

from datagen.formats.brokenchairs import AT_QUERY_SUFFIXES, COUNTERFACTUAL, TWIN, at_query_path, parse_query
from datagen.store.manifest import read_manifest
from tests.conftest import run_build
from tests.kinds.brokenchairs import loader_rules as rules
from tests.kinds.brokenchairs.conftest import PAIRED


def opened(path):
    return np.asarray(Image.open(path))


def vertices(path):
    return {line for line in path.read_text().splitlines() if line.startswith("v ")}


def of(root, reason, row_type):
    return [r for r in read_manifest(root) if r["row_type"] == row_type and r["reason"] == reason]


def anomalies(root):
    return {r["sample_id"]: r for r in read_manifest(root) if r["row_type"] == "sample" and r["label"]}


def test_every_anomalous_picture_has_one_twin_of_its_camera_dress_and_light(paired_dataset):
    known = anomalies(paired_dataset)
    twins = of(paired_dataset, TWIN, "sample")
    assert sorted(twin["detail"] for twin in twins) == sorted(known) and len(known) > 15
    for twin in twins:
        row = known[twin["detail"]]
        for key in ("azimuth_deg", "elevation_deg", "radius", "light_id", "texture_id", "material_ids", "shape_id"):
            assert twin[key] == row[key]
        assert (twin["label"], twin["kind"], twin["mask_old_path"]) == (0, "normal", row["mask_old_path"])
        assert "anomaly" not in twin["query_path"]


def test_twins_differ_within_the_masks_alone(paired_dataset):
    known = anomalies(paired_dataset)
    for twin in of(paired_dataset, TWIN, "sample"):
        row = known[twin["detail"]]
        a, b = (opened(paired_dataset / r["query_path"]).astype(int) for r in (row, twin))
        masks = [opened(paired_dataset / row[k]) > 127 for k in ("mask_old_path", "mask_new_path") if row[k]]
        assert (a != b).any()
        assert (a == b)[~np.logical_or.reduce(masks)].mean() > 0.99, row["query_path"]


def test_a_bundle_of_the_anomalous_shape_is_in_the_frame_of_the_normal_one(paired_dataset):
    rows = of(paired_dataset, COUNTERFACTUAL, "reference")
    assert len(rows) == len({r["job_id"] for r in anomalies(paired_dataset).values()})
    for row in rows:
        folder = {path.split("/")[1] for path in row["sha256"]}.pop()
        assert folder.startswith(f"shape_{row['public_id']}-a") and row["label"] == 1 and row["spec"]
        changed = json.loads(row["detail"])
        assert len(changed) == 6 and row["changed_px"] == max(changed)
        text = (paired_dataset / "shapes" / folder / "model_id.txt").read_text().splitlines()
        normal = paired_dataset / f"shapes/shape_{row['public_id']}"
        assert text[0] == (normal / "model_id.txt").read_text().strip() and row["spec"] in text[1]
        a, b = (vertices(f / "model.obj") for f in (normal, normal.with_name(folder)))
        assert len(a & b) > 0.4 * len(a)


def test_the_published_loader_drops_nothing(paired_dataset):
    samples = [s for mode in ("train", "val", "test") for s in rules.load_split(paired_dataset, mode)]
    assert len(samples) == len(list(paired_dataset.glob("images/*/*")))
    assert sum(s.label for s in samples) == len(anomalies(paired_dataset))
    for folder in paired_dataset.glob("shapes/*"):
        views = rules.load_reference(paired_dataset, folder.name.removeprefix("shape_"))
        assert len(views) == 6 and all(view["xyz"].shape == (32, 32, 3) for view in views)


def test_the_reference_is_there_at_every_querys_camera(paired_dataset):
    known = {r["query_path"]: r for r in anomalies(paired_dataset).values()}
    for row in read_manifest(paired_dataset):
        if row["row_type"] != "sample" or row["reason"] == TWIN:
            continue
        name = parse_query(row["query_path"])
        for side in ("old", "new") if row["query_path"] in known else ("old",):
            paths = [at_query_path(name.folder, side, name.tail, suffix) for suffix in AT_QUERY_SUFFIXES]
            assert set(paths) <= set(row["sha256"])
            grey, normal, parts = (opened(paired_dataset / paths[k]) for k in (0, 2, 3))
            depth = np.load(io.BytesIO((paired_dataset / paths[1]).read_bytes()))
            assert grey.shape == normal.shape == (64, 64, 3) and parts.dtype in (np.uint16, np.int32)
            assert ((depth > 0) == (parts > 0)).all() and ((normal == 0).all(axis=2) == (parts == 0)).all()
            mask = row[f"mask_{side}_path"]
            if mask:
                assert ((parts == row["part_id"]) == (opened(paired_dataset / mask) > 127)).all()


def test_normals_and_parts_of_reference_views_fit_their_depth(paired_dataset):
    bundles = sorted((paired_dataset / "shapes").iterdir())
    for bundle in bundles:
        views = sorted((bundle / "mv_images").glob("*_depth.npy"))
        assert views and {p.suffix for p in (bundle / "mv_images").iterdir()} == {".png", ".npy", ".json"}
        assert len(list((bundle / "maps").iterdir())) == 2 * len(views)
        for view in views:
            stem = view.name.removesuffix("_depth.npy")
            depth = np.load(view)
            normal, parts = (opened(bundle / "maps" / f"{stem}{suffix}") for suffix in ("_normal.png", "_parts.png"))
            assert ((depth > 0) == (parts > 0)).all() and ((normal == 0).all(axis=2) == (parts == 0)).all()
            unit = normal[parts > 0] / 127.5 - 1
            assert np.abs(np.linalg.norm(unit, axis=1) - 1).max() < 0.02 and (unit[:, 2] > -0.02).all()
    named = {path for row in read_manifest(paired_dataset) for path in row["sha256"]}
    assert all(p.relative_to(paired_dataset).as_posix() in named for b in bundles for p in (b / "maps").iterdir())


def test_a_build_that_is_resumed_ends_in_the_same_manifest(paired_dataset, plain_chairs, tmp_path):
    out = tmp_path / "again"
    run_build(out, 2, sets=PAIRED, collection=plain_chairs)
    run_build(out, 4, sets=PAIRED, collection=plain_chairs)
    assert (out / "manifest.parquet").read_bytes() == (paired_dataset / "manifest.parquet").read_bytes()


def test_natural_pictures_are_what_they_are_without_pairs(paired_dataset, plain_chairs, tmp_path):
    plain = [value for value in PAIRED if "counterfactual" not in value and "at_query" not in value]
    run_build(tmp_path, 1, sets=plain, collection=plain_chairs)
    rows = [r for r in read_manifest(tmp_path) if r["row_type"] == "sample" and not r["label"]]
    assert rows
    for row in rows:
        assert (tmp_path / row["query_path"]).read_bytes() == (paired_dataset / row["query_path"]).read_bytes()


def test_a_share_of_normal_bundles_passes_the_repair_path(plain_chairs, tmp_path):
    run_build(tmp_path, 1, sets=(*PAIRED[:-3], "reference.repair_share=1"), collection=plain_chairs)
    (row,) = [r for r in read_manifest(tmp_path) if r["row_type"] == "reference"]
    assert row["repaired_part_id"] > 0
