"""How objects come to lie: several drops, poses shared by odd and normal objects, pieces that stand by themselves."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from datagen.core.rng import stream
from datagen.core.shape import Mesh, Part, Shape
from datagen.kinds.oddoneout.verify.audit import audit_scenes
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.registry import open_tree
from datagen.recipe.scenes import LayoutRecipe
from datagen.render.blender.client import BlenderProcess
from datagen.scenes.layout import start_rotations
from datagen.scenes.pieces import Pieces
from datagen.scenes.poses import Rest
from datagen.scenes.rest import down_of, laid_like, nearest_rest, tilt_between, turn_between
from datagen.store.manifest import read_manifest
from tests.conftest import box, build_scenes

DOWN = np.array([0.0, 0.0, -1.0])


def at(size, centre):
    mesh = box(size)
    return Mesh(mesh.vertices + np.array(centre), mesh.faces)


def shape_of(*meshes):
    return Shape("thing", "test", tuple(Part(k + 1, f"p{k}", f"p{k}", "Other", m) for k, m in enumerate(meshes)))


def bench():
    """Four legs 0.4 tall, 0.2 deep in all, a back of 0.5 at the rear: let go with a tilt to the rear it falls over."""
    legs = [at((0.05, 0.05, 0.4), (x, y, 0.2)) for x in (-0.45, 0.45) for y in (-0.075, 0.075)]
    return shape_of(at((1, 0.2, 0.05), (0, 0, 0.4)), at((1, 0.05, 0.5), (0, 0.075, 0.65)), *legs)


def tilted(degrees, azimuth):
    up = np.array([np.sin(np.radians(degrees)) * np.cos(azimuth), np.sin(np.radians(degrees)) * np.sin(azimuth), 0.0])
    up[2] = np.cos(np.radians(degrees))
    return turn_between(np.array([0.0, 0.0, 1.0]), up)


class Toppling:
    """Falls over where the start is tilted towards +y by more than a degree."""

    def __init__(self):
        self.drops = 0

    def drop(self, bodies, starts):
        self.drops += 1
        (start,) = starts
        end = np.eye(4)
        if start[1, 2] > np.sin(np.radians(1.0)):
            end[:3, :3] = turn_between(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))
        return [end]


def test_the_pose_most_often_reached_counts(tmp_path):
    physics = Toppling()
    rest = Rest(tmp_path, lambda: physics)
    starts = [tilted(2, np.pi / 2), *(tilted(2, np.pi / 2 + 2 * np.pi * k / 5) for k in range(2, 5)), np.eye(3)]
    assert tilt_between(rest.most_reached(bench(), starts[:1], "rigid_body"), np.eye(3)) > 80, "one drop misleads"
    assert tilt_between(rest.most_reached(bench(), starts, "rigid_body"), np.eye(3)) < 1e-6
    assert physics.drops == 4, "the first is remembered, and three that agree of five are enough"
    tie = rest.most_reached(bench(), [starts[0], starts[1]], "rigid_body")
    assert tilt_between(tie, np.eye(3)) > 80, "of equals the first reached"


def test_drops_tilt_little_and_towards_every_side():
    recipe = LayoutRecipe()
    starts = list(start_rotations(recipe, stream(3, "tilt")))
    assert len(starts) == recipe.drops == 5
    assert all(tilt_between(start, np.eye(3)) <= recipe.tilt_deg == 2.0 for start in starts)
    sides = np.sort(np.unwrap([np.arctan2(*start[:2, 2]) for start in starts]))
    assert np.allclose(np.diff(sides), 2 * np.pi / 5)
    turned = list(start_rotations(recipe.model_copy(update={"start": "random"}), stream(3, "tilt")))
    assert max(tilt_between(a, b) for a in turned for b in turned) <= 4.0


@pytest.mark.cycles
def test_a_bench_stands_on_its_legs(tmp_path):
    blender = BlenderProcess(1)
    try:
        rest = Rest(tmp_path, lambda: blender)
        fallen = [
            tilt_between(rest.from_pose(bench(), tilted(4, k * np.pi / 2), "rigid_body"), np.eye(3)) for k in range(4)
        ]
        lying = [
            rest.most_reached(bench(), start_rotations(LayoutRecipe(), stream(seed, "tilt")), "rigid_body")
            for seed in range(4)
        ]
    finally:
        blender.close()
    assert sum(angle > 45 for angle in fallen) == 1, "towards one of four sides it falls over"
    assert max(tilt_between(rotation, np.eye(3)) for rotation in lying) < 1


def test_an_odd_one_lies_as_near_as_it_stays_stable_and_normal_ones_like_it():
    block = shape_of(box((1.0, 0.5, 0.3)))
    # A wedge of 4 degrees beneath: it can lie on the wedge's slope only.
    vertices = box((1.0, 0.5, 0.3)).vertices.copy()
    vertices[(vertices[:, 2] < 0) & (vertices[:, 0] > 0), 2] += np.tan(np.radians(4))
    odd = nearest_rest(shape_of(Mesh(vertices, box((1.0, 0.5, 0.3)).faces)), np.eye(3))
    assert tilt_between(odd, np.eye(3)) == pytest.approx(4, abs=1e-6)
    like = laid_like(odd, np.eye(3))
    assert np.allclose(down_of(like), down_of(odd)) and tilt_between(like, odd) < 1e-6
    assert tilt_between(like, nearest_rest(block, like)) == pytest.approx(4, abs=1e-6), "so far the normal one leans"
    assert np.allclose(np.linalg.det(like), 1) and np.allclose(like @ like.T, np.eye(3))
    assert np.allclose(nearest_rest(block, tilted(30, 0.3))[2], [0, 0, 1]), "the least turn, not another side"


def test_pieces_are_judged_one_by_one():
    """Two plates side by side, one stacked cup on the first: all that stands, stands on the floor or on a plate."""
    plates = [at((0.4, 0.4, 0.05), (x, 0, 0.025)) for x in (-0.4, 0.4)]
    cup = at((0.15, 0.15, 0.2), (-0.4, 0, 0.15))
    tea = Pieces.of(shape_of(*plates, cup), 0.012)
    assert len(tea.points) == 2 and tea.floating(np.eye(3)) == 0
    lifted = Pieces.of(shape_of(plates[0], at((0.4, 0.4, 0.05), (0.4, 0, 0.12)), cup), 0.012)
    assert lifted.floating(np.eye(3)) == pytest.approx(plates[1].area / (2 * plates[1].area + cup.area))
    no_saucer = Pieces.of(shape_of(plates[1], cup), 0.012)
    assert no_saucer.floating(np.eye(3)) == pytest.approx(cup.area / (plates[1].area + cup.area))


def write_toy(folder, *meshes):
    """A toy of parts, y up as its format says."""
    folder.mkdir(parents=True)
    lines, start = [], 1
    for n, mesh in enumerate(meshes):
        lines.append(f"g piece{n}")
        lines += [f"v {x} {z} {-y}" for x, y, z in mesh.vertices]
        lines += ["f " + " ".join(str(i + start) for i in face) for face in mesh.faces]
        start += len(mesh.vertices)
    (folder / "mesh.obj").write_text("\n".join(lines))


TEA = ("layout.poses=stable", "camera.views=4", "camera.size_px=64", "layout.objects={3: 1}", "layout.normal_share=0",
       "split.scenes={train: 6}", "split.unseen=[]", "anomaly.min_views=0", "anomaly.min_changed_px=1",
       "anomaly.kinds={twist: 1, translation: 1}")  # fmt: skip


def test_a_twist_lifts_no_plate(tmp_path):
    """Four plates of one set: those twists and shifts that lift one are refused, and the rest lies on the floor."""
    for k in range(6):
        low = 0.02 + 0.002 * k
        plates = [at((0.4, 0.4, low), (x, y, low / 2)) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]
        write_toy(tmp_path / "sets" / "tea" / f"tea_{k:03d}", *plates, at((0.3, 0.3, 0.5), (0, 0, 0.25)))
    build_scenes(tmp_path / "out", sets=TEA, collection=str(tmp_path / "sets"))
    rows = read_manifest(tmp_path / "out")
    assert any(row["row_type"] == "rejection" and row["reason"] == "floats" for row in rows)
    evidence = SceneEvidence(open_tree(tmp_path / "out"), source_options={"shapes": str(tmp_path / "sets")})
    judged = 0
    for replay, scene in zip(evidence.replays, evidence.scenes, strict=True):
        for (shape, made), thing in zip(replay.shapes, scene.objects, strict=True):
            if made is None:
                continue
            T = np.array(thing.record["T_world_shape"])
            turn = T[:3, :3] / np.cbrt(np.linalg.det(T[:3, :3]))
            assert Pieces.of(shape, 0.012).floating(turn) < 2e-3, thing.name
            judged += 1
    assert judged


SHARED = ("camera.views=4", "camera.size_px=64", "layout.objects={3: 1}", "layout.normal_share=0",
          "split.scenes={train: 30, seen-test: 6}", "split.unseen=[]", "anomaly.min_views=0",
          "anomaly.min_changed_px=1", "anomaly.min_contrast=0", "anomaly.kinds={missing: 1}")  # fmt: skip


def test_shared_poses_leave_nothing_to_tell(tmp_path):
    """Tables on two bars with a knob on top: without a bar they tilt. The audit says so; sharing poses ends it."""
    for k in range(36):
        tall = (0.07 if k % 2 else 0.5) + 0.001 * k
        bars = [at((0.1, 0.6, tall), (x, 0, tall / 2)) for x in (-0.45, 0.45)]
        top, knob = at((1, 0.6, 0.1), (0, 0, tall + 0.05)), at((0.2, 0.2, 0.2), (0.1, 0, tall + 0.2))
        write_toy(tmp_path / "sets" / "table" / f"table_{k:03d}", *bars, top, knob)
    found = {}
    for poses in ("stable", "shared"):
        build_scenes(tmp_path / poses, sets=(*SHARED, f"layout.poses={poses}"), collection=str(tmp_path / "sets"))
        evidence = SceneEvidence(open_tree(tmp_path / poses), source_options={"shapes": str(tmp_path / "sets")})
        audit = found[poses] = evidence.audit
        names = {probe.name for probe in audit.probes}
        assert names == {"place in list", "place on floor", "size", "pose", "file size"}, audit.note
        assert [probe.name for probe in audit.leaks if probe.name == "pose"] == (["pose"] if poses == "stable" else [])
        told = json.loads(json.dumps(audit.to_json(), allow_nan=False))
        assert sum(n for *_, n in told["poses"]["scenes_by_objects_and_odd"]) == 36
        assert np.allclose([low for replay in evidence.replays for low in replay.low_m], 0, atol=1e-6), "on the floor"
    refused = {row["reason"] for row in read_manifest(tmp_path / "shared") if row["row_type"] == "rejection"}
    assert "lies_otherwise" in refused, "a tall bar gone"
    assert found["stable"].poses.odd.apart > 0.3 and found["stable"].poses.normal.p95 < 1e-3
    assert found["shared"].poses.odd.p95 < 1e-3, "low bars too"


@pytest.mark.parametrize("biased", [True, False])
def test_the_audit_says_when_pose_alone_tells(biased):
    rng = np.random.default_rng(0)
    scenes = []
    for k in range(40):
        odd = int(rng.integers(4))
        things = []
        for j in range(4):
            T = np.eye(4)
            falls = rng.random() < 0.4 and (j == odd or not biased)
            T[:3, :3] = 0.2 * tilted(40 if falls else 0, rng.uniform(0, 6))
            record = {"bbox": [[*rng.normal(size=2), 0.1], [0.2, 0.2, 0.2]], "T_world_shape": T.tolist()}
            things.append(SimpleNamespace(anomalous=j == odd, name=f"o{j}", record=record))
        scenes.append(SimpleNamespace(name=f"s{k}", objects=things, anomalous=1, problems={}))
    audit = audit_scenes(SimpleNamespace(files=SimpleNamespace(sizes={})), scenes)
    assert [probe.name for probe in audit.leaks] == (["pose"] if biased else [])
    assert audit.poses.odd.apart == pytest.approx(0.4, abs=0.2)
    del scenes[0].objects[0].record["T_world_shape"]
    assert "pose" not in [p.name for p in audit_scenes(SimpleNamespace(files=SimpleNamespace(sizes={})), scenes).probes]
