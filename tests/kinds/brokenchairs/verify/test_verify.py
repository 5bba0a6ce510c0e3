"""`datagen verify` end to end: exit codes, JSON, partial and published trees, shards, rebuild, audit."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

from datagen.kinds.brokenchairs.bench.verify import measure_apart
from datagen.kinds.brokenchairs.verify.checks import CHECKS
from datagen.kinds.brokenchairs.verify.digests import content
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.examination import CHAIRS
from datagen.kinds.registry import open_tree
from datagen.verify.check import FAIL, SKIPPED
from datagen.verify.document import byte_digest, examine
from datagen.verify.logistic import auc_interval, held_out_scores
from datagen.verify.rebuild import rebuild
from tests.conftest import run_build
from tests.helpers.forked_commands import run_forked
from tests.kinds.brokenchairs.verify.editor import Editor


def verify(*arguments):
    return run_forked(["verify", *arguments])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Three chairs, few views."""
    out = tmp_path_factory.mktemp("tiny") / "data"
    run_build(out, 3, sets=("anomaly.slots_per_shape=2", "normal.views={2: 1}", "reference.views=6"))
    return out


def statuses(root, **options):
    return {r.name: r for r in CHECKS.run(ChairEvidence(open_tree(root), **options))}


def test_command_prints_json_and_ends_with_4(tiny, tmp_path):
    good = verify(tiny, "--json", "--report", tmp_path / "good.html")
    assert good.returncode == 0 and "PASS: " in good.stderr, good.stderr
    document = json.loads(good.stdout)
    assert document["ok"] and document["errors"] == 0 and (tmp_path / "good.html").is_file()
    assert {"name", "level", "status", "count", "examples"} <= set(document["checks"][0])
    assert set(document["digest"]) == {"content", "bytes"}
    assert not (tiny / "report.html").exists()

    editor = Editor(tiny, tmp_path / "bad")
    editor.put_picture(editor.samples()[0]["query_path"], np.zeros((256, 256, 3), np.uint8), stamp=False)
    bad = verify(editor.root)
    assert bad.returncode == 4 and bad.stdout == ""
    assert all(word in bad.stderr for word in ("files_hash", "pictures_exposed", "FAIL: "))
    # The path is said last.
    assert bad.stderr.rstrip().splitlines()[-1] == f"report: {editor.root / 'report.html'}"


def test_a_build_that_has_made_nothing_points_to_its_status(tmp_path):
    (tmp_path / "log").mkdir()
    said = verify(tmp_path)
    assert said.returncode == 2 and f"`datagen status {tmp_path}` says why" in said.stderr


def test_no_dataset_is_a_usage_error(tmp_path):
    result = verify(tmp_path)
    assert result.returncode == 2 and "is it a dataset's folder" in result.stderr
    assert verify(tmp_path, "--rebuild", "2").returncode == 2


def test_every_check_says_what_it_protects(tiny):
    results = statuses(tiny)
    assert len(results) == len(CHECKS.checks) >= 45
    assert all(r.protects.endswith(".") for r in results.values())
    assert not [r.name for r in results.values() if r.status == FAIL and r.level == "error"]


def test_published_tree_is_checked_without_our_manifest(tiny, tmp_path):
    root = tmp_path / "published"
    for name in ("images", "annotations", "shapes"):
        shutil.copytree(tiny / name, root / name)
    shutil.copy(tiny / "split.json", root)
    for path in [*root.glob("shapes/*/mv_images/*_depth.npy"), *root.glob("shapes/*/model.obj")]:
        path.unlink()
    results = statuses(root)
    assert not [r for r in results.values() if r.failed_as_error]
    for name in ("boxes_fit_masks", "reference_points", "reference_positions", "pictures_sharp", "names_parse"):
        assert results[name].status == "pass", name
    skipped = [r for r in results.values() if r.status == SKIPPED]
    assert skipped and all(r.why for r in skipped)
    assert results["files_hash"].why == "there is no manifest.parquet and no log"


def test_without_the_source_meshes_still_replay(tiny, tmp_path):
    results = statuses(tiny, source_options={"shapes": str(tmp_path)})
    assert results["masks_replay"].status == SKIPPED and "cannot be opened" in results["masks_replay"].why
    assert results["masks_in_silhouettes"].status == "pass" and results["pictures_show_geometry"].status == "pass"


def test_partial_build_is_read_from_its_logs(tiny, tmp_path):
    root = tmp_path / "partial"
    shutil.copytree(tiny, root, copy_function=os.link, ignore=shutil.ignore_patterns("*.html"))
    (root / "manifest.parquet").unlink()
    tree = open_tree(root)
    assert tree.rows_from == "log" and len(tree.rows) == len(open_tree(tiny).rows)
    assert not [r for r in CHECKS.run(ChairEvidence(tree)) if r.failed_as_error]


def test_shards_read_as_the_loose_tree(tiny, tmp_path):
    sets = ("anomaly.slots_per_shape=2", "normal.views={2: 1}", "reference.views=6")
    run_build(tmp_path / "shards", 3, sets=sets, layout="shards")
    loose, packed = ChairEvidence(open_tree(tiny)), ChairEvidence(open_tree(tmp_path / "shards"))
    assert packed.file_hashes == loose.file_hashes
    assert content(packed) == content(loose)
    assert not [r for r in CHECKS.run(packed) if r.failed_as_error]


def test_digests_tell_datasets_apart(tiny, tmp_path):
    whole = ChairEvidence(open_tree(tiny))
    editor = Editor(tiny, tmp_path / "copy")
    row = editor.samples(1)[0]
    x, y, w, h = row["bbox_xywh_512"]
    editor.put_box(row, (x, y, w / 2, h / 2))
    editor.save()
    other = ChairEvidence(open_tree(editor.root))
    assert byte_digest(whole) != byte_digest(other) and content(whole) != content(other)
    pixels = editor.picture(row["query_path"]).copy()
    editor.put_box(row, (x, y, w, h))
    pixels[0, 0] ^= 1
    editor.put_picture(row["query_path"], pixels)
    again = ChairEvidence(open_tree(editor.root))
    assert byte_digest(whole) != byte_digest(again) and content(whole) == content(again)


def test_rebuild_is_byte_equal_and_finds_one_pixel(tiny, tmp_path):
    clean = rebuild(ChairEvidence(open_tree(tiny)), 1.0)
    assert clean.same_versions and clean.equal == clean.files > 50 and not clean.faults
    editor = Editor(tiny, tmp_path / "copy")
    path = editor.samples()[0]["query_path"]
    pixels = editor.picture(path).copy()
    pixels[128, 128] ^= 1
    editor.put_picture(path, pixels)
    editor.save()
    evidence = ChairEvidence(open_tree(editor.root))
    assert not [r for r in CHECKS.run(evidence) if r.failed_as_error]
    document = examine(CHAIRS, evidence, 1.0)
    assert not document.ok and [d.path for d in document.rebuild.faults] == [path]
    assert "1 pixels differ" in document.rebuild.faults[0].message


def test_a_damaged_tree_is_findings_not_a_crash(tiny, tmp_path):
    editor = Editor(tiny, tmp_path / "copy")
    row = editor.samples(1)[0]
    editor.write(row["query_path"], b"no picture")
    editor.write(row["annotation_path"], b'{"2d_bbox": [NaN, 0, 1, 1]}')
    view = editor.references()[0]
    editor.write(view.with_suffix(".npy"), b"\x93NUMPY\x01\x00nothing")
    editor.write(view.with_suffix(".json"), b'{"K": "none"}')
    (editor.root / "images/loose.png").write_bytes(b"")
    (editor.root / "images" / row["query_path"].split("/")[1] / "nodash").write_bytes(b"")
    editor.save()
    (editor.root / "split.json").unlink()
    (editor.root / "split.json").write_text('{"train": [1, 2]')
    document = examine(CHAIRS, ChairEvidence(open_tree(editor.root)))
    failing = {r.name for r in document.results if r.status == FAIL}
    assert {"files_readable", "reference_arrays", "names_parse", "tables_readable", "files_committed"} <= failing
    assert json.dumps(document.to_json(), allow_nan=False)


def test_probe_finds_what_is_there_and_nothing_else():
    groups = [f"shape{k // 10}" for k in range(400)]
    blocks = [str(k) for k in range(400)]
    above = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y, noise = rng.integers(0, 2, 400), rng.normal(size=(400, 6))
        low, _ = auc_interval(noise, y[:, None], held_out_scores(noise, y, groups)[:, None], groups, blocks)
        above += low > 0.5
        noise[:, 2] += y
        low, _ = auc_interval(noise, y[:, None], held_out_scores(noise, y, groups)[:, None], groups, blocks)
        assert low > 0.6
    assert above <= 2, "2.5 % of nulls may be called a leak"


def test_the_interval_of_an_average_over_kinds_holds_it_and_is_narrower_than_that_of_one_kind():
    rng = np.random.default_rng(1)
    groups, blocks = [f"shape{k // 4}" for k in range(400)], [str(k) for k in range(400)]
    Y = np.eye(5, dtype=int)[rng.integers(0, 5, 400)]
    noise = rng.normal(size=(400, 4))
    scores = np.stack([held_out_scores(noise, y, groups) for y in Y.T], axis=1)
    low, high = auc_interval(noise, Y, scores, groups, blocks)
    one = auc_interval(noise, Y[:, :1], scores[:, :1], groups, blocks)
    assert low < 0.5 < high < 0.6 and high - low < one[1] - one[0]
    noise[:, 1] += 2 * Y[:, 3]
    scores = np.stack([held_out_scores(noise, y, groups) for y in Y.T], axis=1)
    assert auc_interval(noise, Y, scores, groups, blocks)[0] > 0.5


@pytest.mark.soak
def test_planted_leak_is_reported(tmp_path):
    """One material only for anomalies: nothing else changes."""
    run_build(tmp_path / "out", 14, sets=("reference.views=2",))
    editor = Editor(tmp_path / "out", tmp_path / "leak")
    for row in editor.samples(1):
        row["material_ids"] = sorted({*row["material_ids"], "leather_999_planted"})
    editor.save()
    clean, planted = (ChairEvidence(open_tree(tmp_path / name)).audit for name in ("out", "leak"))
    assert "material" not in {probe.name for probe in clean.leaks}
    assert {"metadata", "material"} <= {probe.name for probe in planted.leaks}


def test_planted_leak_in_drawn_pictures(tmp_path):
    """A dataset drawn by hand, so that it costs nothing: balanced, then with a light of its own for anomalies."""
    for leak in (False, True):
        root = tmp_path / str(leak)
        draw_dataset(root, leak)
        found = ChairEvidence(open_tree(root)).audit
        names = {probe.name for probe in found.leaks}
        assert ("light" in names and "metadata" in names) == leak, names


def draw_dataset(root, leak, shapes=24, views=12):
    rng = np.random.default_rng(3)
    for shape in range(shapes):
        for k in range(views):
            label = k % 2
            light = 7 if leak and label and rng.random() < 0.7 else int(rng.integers(4))
            azimuth = 18 * int(rng.integers(20))
            name = (
                f"render_{shape}_{100 + k // 2}_2.5_{azimuth}_{20 + k}_{light}_{'anomaly' if label else 'normal'}.png"
            )
            image = Image.new("RGB", (64, 64), "white")
            box = [int(v) for v in (*rng.integers(5, 25, 2), *rng.integers(35, 60, 2))]
            ImageDraw.Draw(image).rectangle(box, fill=tuple(int(v) for v in rng.integers(20, 200, 3)))
            path = root / "images" / f"{shape}-{label}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)


@pytest.mark.soak
def test_ten_thousand_samples_in_a_minute():
    """The checks that always run: under 60 CPU-s and 1 GiB on 10,000 samples; the page stays under 25 MB."""
    found = measure_apart(10_000)
    print(found)
    assert found["samples"] >= 10_000
    assert found["check_cpu_s"] < 60 and found["peak_mib"] < 1024 and found["page_mib"] < 25
