"""Joints in a dataset: open drawers are normal, no anomaly looks like one, the manifest can be replayed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from datagen.anomalies.registry import apply
from datagen.core.anomaly import AnomalousShape, AnomalySpec, Rejected
from datagen.core.rng import stream
from datagen.kinds.brokenchairs.joints import REACH, draw_pose
from datagen.kinds.brokenchairs.policy import NoDonors, chair_setting
from datagen.recipe import Recipe
from datagen.recipe.models import JointRecipe
from datagen.shapes.collections import open_collection
from datagen.store.manifest import read_manifest
from tests.conftest import run_build, shared
from tests.helpers.box_chairs import SMALL_PICTURES
from tests.helpers.mobility import write_cabinets
from tests.kinds.brokenchairs.test_categories import failed

SETS = (
    *(*SMALL_PICTURES, "normal.views={4: 1}", "reference.views=10", "reference.points=1500", "joints.share=0.7"),
    *("materials.keep=true", "anomaly.slots={position: 2, rotation: 2, broken: 1, missing: 1}"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six cabinets in their own textures."""

    def make(folder):
        folder.mkdir()
        run_build(folder / "data", 6, sets=SETS, collection=write_cabinets(folder / "shapes", 6))

    return shared(tmp_path_factory, "cabinets", make)


def samples(folder):
    return [row for row in read_manifest(folder / "data") if row["row_type"] == "sample"]


def test_poses_are_normal_and_the_dataset_verifies(made):
    assert failed(made / "data", made / "shapes") == [] == failed(made / "data")
    rows = samples(made)
    for label in (0, 1):
        posed = [row for row in rows if row["label"] == label and row["pose"]]
        assert 0.3 < len(posed) / sum(row["label"] == label for row in rows) < 1
    names = {name for row in rows if row["pose"] for name in json.loads(row["pose"])}
    assert names == {"link_0 drawer", "link_1 door", "link_3 knob"}


def test_textures_are_shown(made):
    row = next(row for row in samples(made) if row["label"] == 0)
    picture = np.asarray(Image.open(made / "data" / row["query_path"]).convert("RGB")).astype(int)
    dark = picture[picture.min(axis=2) < 150]
    assert len(dark) > 100
    leading = np.argmax(dark, axis=1)[np.ptp(dark, axis=1) > 40]
    assert {0, 1, 2} >= set(leading.tolist()) and len(set(leading.tolist())) >= 2
    assert all(name.startswith(("plain_", "tex_")) for name in row["material_ids"])
    assert "looks come from the files of the shapes" in (made / "data" / "README.md").read_text()


def shape_of(tmp_path):
    return open_collection(str(write_cabinets(tmp_path, 1))).load("45001")


def test_a_pose_stays_in_the_picture_and_off_the_ground(tmp_path):
    shape = shape_of(tmp_path)
    drawn = [draw_pose(shape, JointRecipe(share=1.0), stream(0, "pose", k)) for k in range(60)]
    assert all(set(values) == {joint.name for joint in shape.joints} for values in drawn)
    for values in drawn:
        points = np.concatenate([part.mesh.vertices for part in shape.posed(values).parts])
        assert np.linalg.norm(points - shape.centre, axis=1).max() <= REACH + 1e-9
    assert draw_pose(shape, JointRecipe(share=0.0), stream(0, "pose")) == {}
    assert draw_pose(replace(shape, joints=()), JointRecipe(share=1.0), stream(0, "pose")) == {}


def result(shape, kind, name, values):
    part = next(part for part in shape.parts if part.name == name)
    spec = AnomalySpec(kind, part.part_id, part.part_class, values)
    return apply(shape, spec, chair_setting(Recipe(), NoDonors()))


def test_an_open_drawer_is_no_anomaly_and_a_crooked_one_is(tmp_path):
    shape = shape_of(tmp_path)
    slide = shape.joints[0]
    along = 0.12 * np.array(slide.axis)
    pulled = result(shape, "position", "drawer_front", {"translation": along.tolist()})
    assert isinstance(pulled, Rejected) and pulled.reason == "like_a_joint"
    askew = result(shape, "position", "drawer_front", {"translation": [0.0, 0.0, 0.12]})
    assert isinstance(askew, AnomalousShape)
    door = shape.joints[1]
    turn = {"pivot": list(door.origin), "axis": list(door.axis), "angle_deg": 10.0}
    opened = result(shape, "rotation", "cabinet_door_surface", turn)
    assert isinstance(opened, Rejected) and opened.reason == "like_a_joint"
    hung = result(shape, "rotation", "cabinet_door_surface", {**turn, "axis": [0.0, 1.0, 0.0], "angle_deg": 12.0})
    assert isinstance(hung, AnomalousShape) or hung.reason != "like_a_joint"
    # A part without a joint may move along one.
    side = result(shape, "position", "top_panel", {"translation": along.tolist()})
    assert isinstance(side, AnomalousShape)
