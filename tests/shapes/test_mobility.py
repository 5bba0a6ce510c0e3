"""PartNet-Mobility: trees, joints in the frame of the shape, textures; a broken URDF is told by name."""

import numpy as np
import pytest

from datagen.core.errors import RecipeError, ShapeError
from datagen.kinds.brokenchairs.joints import draw_pose
from datagen.kinds.registry import load_recipe
from datagen.recipe.models import JointRecipe
from datagen.shapes.collections import open_collection
from tests.helpers.mobility import write_cabinet, write_cabinets

from .helpers import sample


@pytest.fixture
def cabinet(tmp_path):
    write_cabinet(tmp_path / "45001", 0.6, 0.9)
    return tmp_path


def test_parts_have_partnets_classes_and_joints_their_parts(cabinet):
    source = open_collection(str(cabinet))
    (entry,) = source.entries()
    assert entry.category == "storagefurniture" and {"Side", "Door", "DrawerFront", "Handle"} <= set(entry.part_classes)
    shape = source.load("45001")
    assert shape.warnings == () and all(part.skin is None for part in shape.parts)
    names = {part.part_id: part.name for part in shape.parts}
    moved = {joint.name: sorted(names[i] for i in joint.part_ids) for joint in shape.joints}
    assert moved == {
        "link_0 drawer": ["drawer_bottom", "drawer_front"],
        "link_1 door": ["cabinet_door_surface", "handle"],
        "link_3 knob": ["handle"],
    }
    assert [joint.kind for joint in shape.joints] == ["slider", "hinge", "hinge"]


def part_named(shape, name):
    return next(part for part in shape.parts if part.name == name).mesh


def test_open_joints_move_what_hangs_on_them_and_nothing_else(cabinet):
    shape = open_collection(str(cabinet)).load("45001")
    scale = shape.diagonal / np.linalg.norm([0.6, 0.9, 0.22 * 2 + 0.1])
    pulled = shape.posed({"link_0 drawer": 0.3 * scale})
    shift = part_named(pulled, "drawer_front").centre - part_named(shape, "drawer_front").centre
    assert np.allclose(shift, [0, -0.3 * scale, 0], atol=1e-6)  # the front is -y
    assert (part_named(pulled, "top_panel").vertices == part_named(shape, "top_panel").vertices).all()
    opened = shape.posed({"link_1 door": np.pi / 2})
    door, before = part_named(opened, "cabinet_door_surface"), part_named(shape, "cabinet_door_surface")
    assert np.allclose(door.extents[[1, 0, 2]], before.extents, atol=1e-6)
    assert door.bounds[0, 1] < before.bounds[0, 1] - 0.5 * before.extents[0]  # it opens to the front
    # The knob went with the door; and turning it as well turns it where it is.
    far = np.linalg.norm(part_named(opened, "handle").centre - part_named(shape, "handle").centre)
    assert far > 0.5 * before.extents[0]
    turned = shape.posed({"link_1 door": np.pi / 2, "link_3 knob": np.pi})
    assert np.allclose(part_named(turned, "handle").centre, part_named(opened, "handle").centre, atol=0.05)
    # Centre, scale and joints are those of the rest; an open joint has less left to go.
    assert np.allclose(opened.bounds, shape.bounds) and opened.joints[1].high == pytest.approx(1.9 - np.pi / 2)
    assert np.allclose(opened.transformed(np.diag([2.0, 2, 2, 1])).bounds, 2 * shape.bounds)


def test_textures_are_kept_where_asked_for(cabinet):
    shape = open_collection(str(cabinet), keep=True).load("45001")
    assert all(part.skin is not None for part in shape.parts)
    worn = {part.name: shape.palette[part.skin.materials[0]].mean_color for part in shape.parts if part.skin}
    assert np.argmax(worn["top_panel"]) == 1 and np.argmax(worn["drawer_front"]) == 0
    assert np.argmax(worn["cabinet_door_surface"]) == 2


def test_the_digest_is_of_meshes_textures_and_joints(cabinet):
    source = open_collection(str(cabinet))
    before = source.digest("45001")
    for name in ("mobility.urdf", "textured_objs/original-1.mtl", "semantics.txt"):
        path = cabinet / "45001" / name
        text = path.read_text()
        path.write_text(text + "\n")
        assert source.digest("45001") != before, name
        path.write_text(text)
    assert source.digest("45001") == before


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('<axis xyz="0 -1 0"/>', '<axis xyz="0 0 0"/>', "has no length"),
        ('<limit lower="0" upper="0.3"/>', "", "slides without a limit"),
        ('upper="1.9"', 'upper="wide"', "upper"),
        ('upper="1.9"', 'upper="inf"', "upper"),
        ('<parent link="link_1"/>', '<parent link="link_3"/>', 'ring through the link "link_3"'),
        ('<parent link="base"/>', '<parent link="link_1"/>', "ring through the link"),
        ('<parent link="link_2"/><child link="link_1"/>', '<parent link="link_9"/><child link="link_1"/>', "link_9"),
        ('<child link="link_3"/>', '<child link="link_1"/>', 'the link "link_1" hangs on two joints'),
        ("textured_objs/original-9.obj", "textured_objs/gone-9.obj", "textured_objs/gone-9.obj, which is not there"),
    ],
)
def test_a_broken_urdf_is_told(cabinet, old, new, said):
    path = cabinet / "45001" / "mobility.urdf"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ShapeError, match=said) as caught:
        open_collection(str(cabinet)).load("45001")
    assert "mobility.urdf" in str(caught.value)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('lower="0" upper="1.9"', 'lower="1.9" upper="0"', "its lower limit is above its upper one: link_1 door"),
        ('lower="0" upper="1.9"', 'lower="0.5" upper="1"', "its meshes lie outside its limits: link_1 door"),
        ('lower="0" upper="1.9"', 'lower="-1" upper="-0.5"', "its meshes lie outside its limits: link_1 door"),
        ('lower="0" upper="1.9"', 'lower="0" upper="13"', "a hinge turns more than 2 times: link_1 door"),
        ('<limit lower="0" upper="1.9"/>', "", "a hinge has no limit: joint_1"),
        ('lower="0" upper="0.3"', 'lower="0" upper="30"', "further than 3 times the object's size: link_0 drawer"),
    ],
)
def test_a_joint_whose_limits_cannot_be_meant_is_fixed_with_a_warning(cabinet, old, new, said):
    path = cabinet / "45001" / "mobility.urdf"
    path.write_text(path.read_text().replace(old, new))
    shape = open_collection(str(cabinet)).load("45001")
    assert len(shape.joints) == 2 and len(shape.warnings) == 1
    assert said in shape.warnings[0] and shape.warnings[0].startswith("joint taken as fixed")


def test_poses_stay_within_the_limits(cabinet):
    path = cabinet / "45001" / "mobility.urdf"
    path.write_text(path.read_text().replace('lower="0" upper="1.9"', 'lower="-0.2" upper="0.4"'))
    shape = open_collection(str(cabinet)).load("45001")
    limits = {joint.name: (joint.low, joint.high) for joint in shape.joints}
    drawn = [draw_pose(shape, JointRecipe(share=1.0), np.random.default_rng(k)) for k in range(40)]
    values = [(limits[name], value) for pose in drawn for name, value in pose.items()]
    assert len(values) > 40 and all(low - 1e-6 <= value <= high + 1e-6 for (low, high), value in values)
    with pytest.raises(RecipeError, match=r"joints\.hinge: the shares"):
        load_recipe(None, ["joints.hinge=[0.1, 3]"])


def test_what_is_not_known_to_move_stays(cabinet):
    (cabinet / "45001" / "mobility.urdf").unlink()
    shape = open_collection(str(cabinet)).load("45001")
    assert shape.joints == () and shape.warnings == ("mobility.urdf missing: nothing is known to move",)


def test_the_layout_that_was_refused_is_read():
    shape = open_collection(str(sample("hostile") / "partnet_mobility_layout")).load("44853")
    assert sorted(part.part_class for part in shape.parts) == ["Arm", "BackSurface", *["Leg"] * 4, "SeatSurface"]
    assert shape.joints == () and shape.warnings == ()


def test_a_collection_of_them_is_sorted_and_split(tmp_path):
    entries = open_collection(str(write_cabinets(tmp_path, 3))).entries()
    assert [entry.shape_id for entry in entries] == ["45001", "45002", "45003"]
