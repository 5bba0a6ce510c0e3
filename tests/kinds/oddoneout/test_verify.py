"""verify of scenes: clean ones pass, the published sample's geometry passes, injected faults are caught."""

import json
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.formats.exr import read_exr, write_exr
from datagen.kinds.oddoneout.verify.audit import SceneAudit
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.examination import SCENES
from datagen.kinds.oddoneout.verify.facts import read_scene
from datagen.kinds.oddoneout.verify.recast import CHECKS
from datagen.kinds.registry import open_tree
from datagen.pipeline.plan import shard_index
from datagen.store.reader import DatasetReader
from datagen.verify.check import FAIL, run_check
from datagen.verify.document import examine
from datagen.verify.rebuild import rebuild
from datagen.verify.tree import Tree
from tests.conftest import SMALL_SCENES, build_scenes, plan_of

GEOMETRY = {
    *("scene_cameras", "scene_floor_at_zero"),
    *("scene_boxes_hold_pixels", "scene_segments_disjoint"),
    *("scene_depth_agrees", "scene_majority_normal"),
    *("scene_label_polarity", "scene_anomaly_visible"),
    *("scene_pictures_opaque", "scene_pictures_sharp"),
    *("scene_colors_steady", "scene_poses_agree"),
}


def failures(root, **options):
    evidence = SceneEvidence(open_tree(root), **options)
    return {r.name: r for r in CHECKS.run(evidence) if r.status == "fail"}


def test_a_clean_dataset_passes_and_says_so(scene_dataset):
    evidence = SceneEvidence(open_tree(scene_dataset), source_options={"shapes": "toys"})
    document = examine(SCENES, evidence)
    assert document.ok, [(r.name, r.examples[:2]) for r in document.results if r.status == "fail"]
    # The horse's scene has no odd object: of the anomalies drawn for it none shows in enough views.
    (warned,) = [r for r in document.results if r.status == "fail"]
    assert (warned.name, warned.subjects) == ("scene_odd_ones_there", ("horse_007-001",))
    skipped = {r.name for r in document.results if r.status == "skipped"}
    assert skipped == {"scene_no_shortcut"}, "four scenes are too few for the audit; all else has to run"
    assert document.counts["scenes"] == 4 and document.counts["images"] == 40
    page = document.page()
    assert page.count("data:image/jpeg") == 4 and "parametric stand-ins" in page and "fake renderer" in page
    assert not re.search(r"https?://", page), "one file without any request"
    for kind, count in document.counts["by_kind"].items():
        assert kind == "normal" or f'<th scope="row">{kind}</th><td>{count}</td>' in page
    json.dumps(document.to_json(), allow_nan=False)


def test_an_unfinished_build_is_no_fault(tmp_path):
    """split.json names the scenes to come; one whose folder is gone although a row tells of it is a fault."""
    for job in list(plan_of(None, "toysad_quickstart", SMALL_SCENES, "toys").jobs())[:2]:
        build_scenes(tmp_path / "data", shard=(shard_index(job.job_id, 9973), 9973))
    made = sorted(path.name for path in (tmp_path / "data" / "scenes").iterdir())
    named = [name for names in json.loads((tmp_path / "data" / "split.json").read_text()).values() for name in names]
    assert 0 < len(made) < len(named)
    assert not failures(tmp_path / "data").keys() - {"scene_odd_ones_there"}
    shutil.rmtree(tmp_path / "data" / "scenes" / made[0])
    assert "scene_splits" in failures(tmp_path / "data")


@pytest.fixture
def sample(samples, tmp_path):
    """The published scene with its masks derived, in a dataset's folder."""
    folder = tmp_path / "data" / "scenes" / "banana_028-001"
    shutil.copytree(samples / "oddoneout_scene", folder)
    (folder / "masks").mkdir()
    for v in range(20):
        parts = [
            np.asarray(Image.open(p).convert("L")) > 127 for p in folder.glob(f"segmentations/object*/*_{v:04d}.png")
        ]
        Image.fromarray(np.logical_or.reduce(parts).astype(np.uint8) * 255).save(folder / "masks" / f"{v:04d}.png")
    return tmp_path / "data"


def test_the_published_sample_passes_reader_and_geometry(sample):
    evidence = SceneEvidence(Tree(sample, DatasetReader(sample), (), "", None, None, None))
    (scene,) = evidence.scenes
    assert not scene.problems and len(scene.views) == 20 and scene.anomalous == 1
    failed = {r.name: r.examples for r in CHECKS.run(evidence) if r.status == "fail"}
    assert not failed.keys() & GEOMETRY, failed
    assert max(view.floor_error_m for view in scene.views) < 1e-3


@pytest.mark.parametrize("mirror", [np.diag([-1.0, 1, 1, 1]), np.diag([-1.0, -1, 1, 1])])
def test_mirrored_extrinsics_fail(sample, mirror):
    path = next(sample.glob("scenes/*/scene3d.metadata.json"))
    meta = json.loads(path.read_text())
    for pose in meta["camera"]["poses"]:
        pose["rotation"] = (mirror @ np.array(pose["rotation"])).tolist()
    path.write_text(json.dumps(meta))
    failed = failures(sample)
    assert failed.keys() & {"scene_cameras", "scene_floor_at_zero", "scene_boxes_hold_pixels"}


def edit(folder: Path, change, name="scene3d.metadata.json"):
    path = folder / name
    meta = json.loads(path.read_text())
    change(meta)
    path.write_text(json.dumps(meta))


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


def swap_split(root, folder):
    path = root / "split.json"
    split = json.loads(path.read_text())
    split[next(key for key in split if key != "train")].append(split["train"][0])
    path.write_text(json.dumps(split))


def black(root, folder):
    Image.new("RGBA", (96, 96), (0, 0, 0, 255)).save(folder / "RGB/0003.png")


def wrong_mask(root, folder):
    Image.new("L", (96, 96), 255).save(folder / "masks/0002.png")


def swap_labels(root, folder):
    edit(folder, lambda m: m.update(anomaly_labels=[1 - x for x in m["anomaly_labels"]]), "scene2d.metadata.json")


def lift(root, folder):
    edit(folder, lambda m: m["objects"][0]["bbox_world"][0].__setitem__(2, m["objects"][0]["bbox_world"][0][2] + 0.02))


def shrink(root, folder):
    edit(folder, lambda m: m["objects"][0]["bbox_world"][1].__setitem__(0, 0.5 * m["objects"][0]["bbox_world"][1][0]))


def all_odd(root, folder):
    def change(meta):
        for thing in meta["objects"]:
            thing["path"] = "x/x-crack-001.obj"

    edit(folder, change)


def unread(root, folder):
    (folder / "depth_exr/0001.exr").write_bytes(b"v/1\x01 no exr")


def missing_view(root, folder):
    (folder / "RGB/0004.png").unlink()


def tilt(root, folder):
    def change(meta):
        for pose in meta["camera"]["poses"]:
            T = np.array(pose["rotation"])
            T[:3, 3] += [0, 0.01, 0]
            pose["rotation"] = T.tolist()

    edit(folder, change)


def enter(root, folder):
    """Two objects in one place."""

    def change(meta):
        a, b = meta["objects"][:2]
        b["T_world_shape"] = a["T_world_shape"]

    edit(folder, change)


def leak(root, folder):
    """A shape of another split's scene."""
    split = json.loads((root / "split.json").read_text())
    others = [name for names in split.values() for name in names if name != folder.name and name not in split["train"]]
    shape = json.loads((root / "scenes" / others[0] / "scene3d.metadata.json").read_text())["objects"][0]["shape_id"]
    scene = root / "scenes" / split["train"][0]
    edit(scene, lambda m: [o.update(shape_id=shape) for o in m["objects"]])


def zero_parts(root, folder):
    Image.fromarray(np.zeros((96, 96), np.uint16)).save(folder / "part_labels/0005.png")


def shared_part_label(root, folder):
    """A part of one object numbered as a part of another."""

    def change(meta):
        a, b = (thing["part_labels"] for thing in meta["objects"][:2])
        b[next(iter(b))] = next(iter(a.values()))

    edit(folder, change)


def stray(root, folder):
    shutil.copy(folder / "RGB/0000.png", folder / "RGB/0000b.png")


def other_size(root, folder):
    Image.open(folder / "RGB/0002.png").resize((48, 48)).save(folder / "RGB/0002.png")


def moved_bbox(root, folder):
    edit(folder, lambda m: m["objects"][1]["bbox"][0].__setitem__(0, m["objects"][1]["bbox"][0][0] + 0.05))


def moved_boxes(root, folder):
    """Every form of an object's box, so that the tables agree."""

    def change(meta):
        for key in ("bbox", "bbox_world", "bbox_published"):
            meta["objects"][1][key][1][0] += 0.02

    edit(folder, change)


def wrong_flat_boxes(root, folder):
    def change(meta):
        for boxes in meta["bbox"].values():
            for box in boxes:
                box[0] += 1

    edit(folder, change, "scene2d.metadata.json")


def odd_scene(root):
    """A scene with an anomaly."""
    for folder in sorted((root / "scenes").iterdir()):
        if any(thing["label"] for thing in json.loads((folder / "scene3d.metadata.json").read_text())["objects"]):
            return folder
    raise AssertionError("no scene has an anomaly")


def wrong_kind(root, folder):
    def change(meta):
        odd = next(thing for thing in meta["objects"] if thing["label"])
        odd["kind"] = "bend" if odd["kind"] != "bend" else "twist"

    edit(odd_scene(root), change)


def copied_scene(root, folder):
    shutil.copytree(folder, folder.with_name(folder.name[:-3] + "777"))


def another_category(root, folder):
    edit(folder, lambda m: m["objects"][0].update(path="cup_001/cup_001.blend"))


def swapped_views(root, folder):
    a, b = (folder / f"RGB/000{k}.png" for k in (1, 6))
    one, two = a.read_bytes(), b.read_bytes()
    a.write_bytes(two)
    b.write_bytes(one)


def picture_of_another(root, folder):
    other = sorted((root / "scenes").iterdir())[1]
    shutil.copy(other / "RGB/0001.png", folder / "RGB/0001.png")


def flat_depth_png(root, folder):
    Image.fromarray(np.full((96, 96), 4000, np.uint16)).save(folder / "depth_png/0001.png")


def no_change_masks(root, folder):
    for path in (odd_scene(root) / "anomaly_masks").iterdir():
        Image.new("L", (96, 96), 0).save(path)


def empty_protocol(root, folder):
    (root / "protocol.json").write_text("{}")


def deeper(root, folder):
    """Objects a little farther away in every view, the floor as it was."""
    for path in sorted((folder / "depth_exr").iterdir()):
        depth = np.asarray(next(iter(read_exr(path.read_bytes(), path.name).values())))
        mask = np.asarray(Image.open(folder / "masks" / f"{path.stem}.png").convert("L")) > 127
        path.write_bytes(write_exr(np.where(mask, 1.003 * depth, depth).astype(np.float32)))


def exchanged(root, folder):
    """An odd and a normal object change places in every table: path, label, kind and all."""
    scene = odd_scene(root)
    told = json.loads((scene / "scene3d.metadata.json").read_text())["objects"]
    a = next(k for k, thing in enumerate(told) if thing["label"])
    b = next(k for k, thing in enumerate(told) if not thing["label"])
    keys = ("path", "label", "kind", "severity", "anomaly", "parts", "part_labels")

    def change(meta):
        one, two = meta["objects"][a], meta["objects"][b]
        for key in keys[:5]:
            one[key], two[key] = two[key], one[key]

    edit(scene, change)

    def labels(meta):
        meta["anomaly_labels"][a], meta["anomaly_labels"][b] = meta["anomaly_labels"][b], meta["anomaly_labels"][a]

    edit(scene, labels, "scene2d.metadata.json")


def no_part_labels(root, folder):
    """Part labels of one object's other part: the object is right."""

    def change(meta):
        for thing in meta["objects"]:
            labels = list(thing["part_labels"].values())
            if len(labels) > 1:
                thing["part_labels"] = dict(zip(thing["part_labels"], labels[1:] + labels[:1], strict=True))

    edit(folder, change)


FAULTS = {
    zero_parts: "scene_part_labels",
    shared_part_label: "scene_part_labels",
    swap_split: "scene_splits",
    black: "scene_pictures_alive",
    wrong_mask: "scene_mask_is_union",
    swap_labels: "scene_label_polarity",
    lift: "scene_contact",
    shrink: "scene_boxes_hold_pixels",
    all_odd: "scene_majority_normal",
    unread: "scene_files_readable",
    missing_view: "scene_files_readable",
    tilt: "scene_floor_at_zero",
    enter: "scene_no_interpenetration",
    leak: "scene_shapes_disjoint",
    stray: "scene_no_stray_files",
    other_size: "scene_pictures_one_size",
    moved_bbox: "scene_boxes_agree",
    moved_boxes: "scene_boxes_recast",
    wrong_flat_boxes: "scene_flat_boxes",
    wrong_kind: "scene_kinds_agree",
    copied_scene: "scene_of_one_shape",
    another_category: "scene_of_one_shape",
    swapped_views: "scene_pictures_are_their_views",
    picture_of_another: "scene_of_one_shape",
    flat_depth_png: "scene_depth_png",
    no_change_masks: "scene_changed_pixels",
    empty_protocol: "scene_protocol",
    deeper: "scene_views_recast",
    exchanged: "scene_views_recast",
    no_part_labels: "scene_views_recast",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_faults_are_caught(scene_dataset, tmp_path, fault):
    root = tmp_path / "data"
    shutil.copytree(scene_dataset, root)
    fault(root, sorted((root / "scenes").iterdir())[0])
    # Only the check that is meant runs: each reads every file otherwise.
    evidence = SceneEvidence(open_tree(root), source_options={"shapes": "toys"})
    assert run_check(CHECKS.checks[FAULTS[fault]], evidence).status == FAIL


def test_a_changed_byte_is_told_by_its_hash(scene_dataset, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(scene_dataset, root)
    path = first(root, "scenes/*/part_labels/0000.png")
    path.write_bytes(path.read_bytes() + b"x")
    (root / "scenes" / "stray.txt").write_text("x")
    evidence = SceneEvidence(open_tree(root))
    check = CHECKS.checks["scene_hashes"]
    assert len(list(check.run(evidence))) == 2


def test_rebuild_makes_scenes_again_and_finds_one_pixel(scene_dataset, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(scene_dataset, root)
    options = {"shapes": "toys"}
    clean = rebuild(SceneEvidence(open_tree(root), source_options=options), 0.3)
    assert clean.jobs == 1 and clean.same_versions and clean.equal == clean.files > 80 and not clean.faults
    paths = [first(root, pattern) for pattern in ("scenes/*/RGB/0003.png", "scenes/*/masks/0003.png")]
    for path in paths:
        with Image.open(path) as image:
            image.putpixel((5, 5), tuple(255 - v for v in image.getpixel((5, 5))) if image.mode == "RGBA" else 255)
            image.save(path)
    document = examine(SCENES, SceneEvidence(open_tree(root), source_options=options), 1.0)
    (result,) = [r for r in document.results if r.name == "rebuild"]
    assert result.failed_as_error and document.rebuild.jobs == 4
    assert {f.subject: f.message.split(",")[0] for f in result.examples} == {
        paths[0].relative_to(root).as_posix(): "1 pixels differ",
        paths[1].relative_to(root).as_posix(): result.examples[-1].message,
    }
    assert "mask IoU 0.9" in result.examples[-1].message
    json.dumps(document.to_json(), allow_nan=False)


def test_rebuild_says_why_it_is_skipped(scene_dataset):
    evidence = SceneEvidence(open_tree(scene_dataset), source_options={"shapes": "abc"})
    assert rebuild(evidence, 1.0).result().why == (
        "abc is not the collection of this dataset (datagen-procedural-toys); give it by --shapes"
    )


class Places:
    """Evidence of many scenes made of numbers: the odd one always comes first, or anywhere."""

    def __init__(self, biased):
        from types import SimpleNamespace as N

        rng = np.random.default_rng(0)
        self.tree = N(files=N(sizes={}))
        self.scenes = []
        for k in range(60):
            odd = 0 if biased else int(rng.integers(4))
            boxes = [[[*rng.normal(size=2), 0.1], [0.2, 0.2, 0.2]] for _ in range(4)]
            things = [N(anomalous=j == odd, name=f"o{j}", record={"bbox": boxes[j]}) for j in range(4)]
            self.scenes.append(N(name=f"s{k}", objects=things, anomalous=1, problems={}))


@pytest.mark.parametrize("biased", [True, False])
def test_the_audit_finds_a_place_in_the_list(biased):
    from datagen.kinds.oddoneout.verify.audit import audit_scenes

    audit: SceneAudit = audit_scenes(Places(biased).tree, Places(biased).scenes)
    assert bool(audit.leaks) == biased
    if biased:
        assert [probe.name for probe in audit.leaks] == ["place in list"]


def test_a_damaged_scene_is_told_not_raised(tmp_path):
    folder = tmp_path / "scenes" / "a-001"
    folder.mkdir(parents=True)
    (folder / "scene3d.metadata.json").write_text('{"camera": {"K": [1], "poses": [{}]}, "objects": [3]}')
    facts = read_scene(DatasetReader(tmp_path), "scenes/a-001")
    assert "scene3d.metadata.json" in facts.problems and not facts.objects[0].anomalous


VALUES = (None, 3, -1e400, "x", [], [[1]], {}, {"changed_px": "x"}, [["a", "b", "c"], [1, 2, 3]])


def mutated(value, rng):
    """One place of a JSON document with another value, or without it."""
    inside = value
    while True:
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        key = rng.choice(list(keys))
        below = inside[key]
        if not isinstance(below, list | dict) or not below or rng.random() < 0.4:
            break
        inside = below
    if rng.random() < 0.3:
        del inside[key]
    else:
        inside[key] = rng.choice(VALUES)
    return value


@pytest.mark.parametrize("name", ["scene3d.metadata.json", "scene2d.metadata.json"])
def test_tables_with_anything_in_them_are_told_not_raised(scene_dataset, tmp_path, name):
    data = tmp_path / "data"
    shutil.copytree(scene_dataset, data)
    (data / "run.json").unlink()  # without a recipe nothing is replayed, which takes most of the time
    path = next((data / "scenes").iterdir()) / name
    whole = path.read_text()
    for seed in range(12):
        path.write_text(json.dumps(mutated(json.loads(whole), random.Random(seed))))
        document = examine(SCENES, SceneEvidence(open_tree(data)))
        assert not document.ok, seed
        assert json.dumps(document.to_json())


def test_a_dataset_of_other_operators_is_not_replayed_and_says_so(scene_dataset, tmp_path):
    """One built before an operator changed: its geometry cannot be made again, all else is checked."""
    data = tmp_path / "data"
    shutil.copytree(scene_dataset, data)
    run = json.loads((data / "run.json").read_text())
    (data / "run.json").write_text(json.dumps({key: value for key, value in run.items() if key != "operators"}))
    evidence = SceneEvidence(open_tree(data))
    assert evidence.plan is None and "another version of the operators" in evidence.source_note
    assert evidence.replays == ()
