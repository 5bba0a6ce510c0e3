"""URDF as a placing plan: origins, scales, joints at zero, package paths; MuJoCo reads the same files alike."""

from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from PIL import Image

from datagen.core.errors import ShapeError
from datagen.meshfiles.load import read_mesh_file
from datagen.shapes.collections import open_collection
from datagen.shapes.urdf import read_urdf
from tests.shapes.helpers import obj_box, sample
from tests.shapes.mjcf_trees import TETRAHEDRON
from tests.shapes.test_mjcf_oracle import assert_same, signature

HALVES = {"seat": (0.25, 0.25, 0.025), "leg_1": (0.02, 0.02, 0.2), "leg_2": (0.02, 0.02, 0.2)}
VISUAL = '<visual><origin xyz="{xyz}" rpy="{rpy}"/><geometry><mesh filename="{file}"{more}/></geometry></visual>'


def visual(file: str, xyz: str = "0 0 0", rpy: str = "0 0 0", more: str = "") -> str:
    return VISUAL.format(file=file, xyz=xyz, rpy=rpy, more=more)


def stool(prefix: str = "", legs: str = "") -> str:
    """A seat on two legs, each a link of its own; a leg lies in its file and is turned upright."""
    joint = (
        '<joint name="j{n}" type="revolute"><parent link="base"/><child link="{n}"/><origin xyz="{x} 0 -0.2"/></joint>'
    )
    links = "".join(f'<link name="{n}">{visual(f"{prefix}{n}.obj", more=legs)}</link>' for n in ("leg_1", "leg_2"))
    joints = joint.format(n="leg_1", x=-0.2) + joint.format(n="leg_2", x=0.2)
    base = f'<link name="base">{visual(f"{prefix}seat.obj", "0 0 0.025")}</link>'
    return f'<?xml version="0.0"?><robot name="stool">{base}{links}{joints}</robot>'


def write(folder: Path, text: str, meshes: str = ".", name: str = "stool.urdf") -> Path:
    (folder / meshes).mkdir(parents=True, exist_ok=True)
    for part, half in HALVES.items():
        low, high = (tuple(sign * h for h in half) for sign in (-1, 1))
        (folder / meshes / f"{part}.obj").write_text(obj_box(low, high))
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def only(path: Path, textured: bool = False):
    source = open_collection(str(path), None, textured=textured)
    (entry,) = source.entries()
    return entry.shape_id, source.load(entry.shape_id)


@pytest.mark.parametrize("textured", [False, True])
@pytest.mark.parametrize(
    ("prefix", "meshes", "name"),
    [
        ("", ".", "stool.urdf"),
        ("meshes/", "meshes", "model.urdf"),
        ("package://stool/meshes/", "meshes", "urdf/stool.urdf"),
        ("package://other_package/meshes/", "meshes", "urdf/stool.urdf"),
        ("../meshes/", "meshes", "urdf/stool.urdf"),
        ("file://meshes/", "meshes", "stool.urdf"),
        ("package://stool/my%20meshes/", "my meshes", "stool.urdf"),
    ],
)
def test_links_stand_where_their_joints_put_them(tmp_path: Path, textured: bool, prefix: str, meshes: str, name: str):
    folder = write(tmp_path / "stool", stool(prefix), meshes, name)
    shape_id, shape = only(folder, textured)
    assert shape_id == "stool" and len(shape.parts) == 3
    assert np.ptp(shape.bounds, axis=0) == pytest.approx(np.array([0.5, 0.5, 0.45]) / 0.5 * shape_unit(shape), rel=1e-6)
    seat = max(shape.parts, key=lambda part: part.mesh.centre[2])
    assert seat.name == "seat"


def shape_unit(shape) -> float:
    """How long half a metre of the stool is in the shape."""
    return float(np.ptp(shape.bounds, axis=0)[0])


def test_scale_and_digest(tmp_path: Path):
    folder = write(tmp_path / "stool", stool(legs=' scale="1 1 2"'))
    for textured in (False, True):
        source = open_collection(str(folder), None, textured=textured)
        tall = source.load("stool")
        assert np.ptp(tall.bounds, axis=0)[2] / np.ptp(tall.bounds, axis=0)[0] == pytest.approx(0.8 / 0.5)
        before = source.digest("stool")
        (folder / "stool.urdf").write_text(stool())
        assert open_collection(str(folder), None, textured=textured).digest("stool") != before
        (folder / "stool.urdf").write_text(stool(legs=' scale="1 1 2"'))


def test_mirrored_meshes_keep_their_texture_corners(tmp_path: Path):
    """The texture coordinate of a corner follows it where the mirrored face runs the other way round."""
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "a.obj").write_text(
        "mtllib a.mtl\nusemtl m\nv 0 0 0\nv 1 0 0\nv 0 2 0\nv 0 0 3\nvt 0 0\nvt 1 0\nvt 0 1\n"
        "f 1/1 3/3 2/2\nf 1/1 2/2 4/3\nf 1/1 4/2 3/3\nf 2/1 3/2 4/3\n"
    )
    (tmp_path / "q" / "a.mtl").write_text("newmtl m\nmap_Kd a.png\n")
    Image.new("RGB", (4, 4), (255, 0, 0)).save(tmp_path / "q" / "a.png")

    def corners(scale: str) -> dict:
        text = f'<robot><link name="l">{visual("a.obj", more=scale)}</link></robot>'
        (tmp_path / "q" / "a.urdf").write_text(text)
        shape = only(tmp_path / "q", textured=True)[1]
        T = np.linalg.inv(np.array(shape.T_shape_source))
        (part,) = shape.parts
        assert part.skin is not None and part.skin.uv is not None
        points = part.mesh.triangles @ T[:3, :3].T + T[:3, 3]
        flip = np.array([-1, 1, 1]) if scale else np.ones(3)
        rows = np.concatenate([points * flip, part.skin.uv], axis=2).reshape(-1, 5)
        return {tuple(row) for row in np.round(rows, 5).tolist()}

    assert corners(' scale="-1 1 1"') == corners("")


REFUSED = {
    "xacro": ('<robot xmlns:xacro="http://ros.org/wiki/xacro"><xacro:include filename="a"/></robot>', "xacro"),
    "argument": (stool("$(find stool)/"), "xacro"),
    "http": (stool("http://example.org/"), "fetch it"),
    "missing": (stool("gone/"), "missing"),
    "outside": (stool("../../"), "outside"),
    "package outside": (stool("package://stool/../../../"), "outside"),
    "file outside": (stool("file:///etc/"), "outside"),
    "two roots": ('<robot><link name="a"/><link name="b"/></robot>', "hang on no joint"),
    "ring": (
        '<robot><link name="r"/><link name="a"/><link name="b"/><joint><parent link="a"/><child link="b"/></joint>'
        '<joint><parent link="b"/><child link="a"/></joint></robot>',
        "ring",
    ),
    "no tree": ('<robot><link name="a"/><joint><parent link="a"/><child link="zz"/></joint></robot>', "no tree"),
    "dae": (stool().replace("seat.obj", "seat.dae"), "seat.dae"),
    "rpy": (stool().replace('rpy="0 0 0"', 'rpy="0 0"', 1), "rpy"),
    "no visual": ('<robot><link name="a"/></robot>', "no mesh"),
    "doctype": ("<!DOCTYPE robot>" + stool().partition("?>")[2], "document type"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("textured", [False, True])
def test_what_is_not_read_is_refused_by_name(tmp_path: Path, kind: str, textured: bool):
    text, named = REFUSED[kind]
    folder = write(tmp_path / "in" / "stool", text)
    (folder / "seat.dae").write_text("<COLLADA/>")
    with pytest.raises(ShapeError) as caught:
        open_collection(str(folder / "stool.urdf"), None, textured=textured).load("stool")
    assert named in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("textured", [False, True])
def test_xacro_beside_meshes_is_refused_and_beside_its_urdf_is_not_there(tmp_path: Path, textured: bool):
    folder = write(tmp_path / "stool", stool(), name="stool.urdf.xacro")
    with pytest.raises(ShapeError, match="xacro model"):
        only(folder, textured)
    (folder / "stool.urdf").write_text(stool())
    assert len(only(folder, textured)[1].parts) == 3


_length = st.integers(-20, 20).map(lambda n: n / 10)
_triple = st.lists(_length, min_size=3, max_size=3).map(lambda v: " ".join(f"{x:g}" for x in v))
_scale = st.lists(st.sampled_from([-1.5, 0.5, 1.0, 2.0]), min_size=3, max_size=3).map(
    lambda v: " ".join(f"{x:g}" for x in v)
)


@st.composite
def robots(draw) -> str:
    count = draw(st.integers(1, 5))
    links, joints = [], []
    for k in range(count):
        visuals = [
            visual("a.obj", draw(_triple), draw(_triple), f' scale="{draw(_scale)}"')
            for _ in range(draw(st.integers(0, 2)))
        ]
        links.append(f'<link name="l{k}">{"".join(visuals)}</link>')
        if k:
            kind = draw(st.sampled_from(["fixed", "fixed", "continuous"]))
            parent = draw(st.integers(0, k - 1))
            joints.append(
                f'<joint name="j{k}" type="{kind}"><parent link="l{parent}"/><child link="l{k}"/>'
                f'<origin xyz="{draw(_triple)}" rpy="{draw(_triple)}"/></joint>'
            )
    setting = (
        '<mujoco><compiler discardvisual="false" strippath="false" fusestatic="false" balanceinertia="true" '
        'boundmass="1" boundinertia="1" inertiafromgeom="false"/></mujoco>'
    )
    return f'<robot name="r">{setting}{"".join(draw(st.permutations([*links, *joints])))}</robot>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("urdf")
    (made / "a.obj").write_text(TETRAHEDRON)
    return made


@settings(max_examples=40, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(text=robots())
def test_random_robots_stand_where_mujoco_puts_them(folder: Path, text: str):
    path = folder / "r.urdf"
    path.write_text(text)
    note(text)
    model = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    theirs = []
    for geom in range(model.ngeom):
        mesh = model.geom_dataid[geom]
        vertices = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
        faces = model.mesh_face[model.mesh_faceadr[mesh] :][: model.mesh_facenum[mesh]]
        world = vertices @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]
        theirs.append(signature(world[faces]))
    ours = [
        signature(read_mesh_file(p.file).mesh.transformed(p.T_world_mesh).triangles) for p in read_urdf(path).placements
    ]
    assert_same(theirs, ours)


@pytest.mark.parametrize("textured", [False, True])
def test_scanned_objects_keep_their_parts_and_stand(textured: bool):
    source = open_collection(str(sample("objects_pybullet_urdf_models")), None, textured=textured)
    assert len(source.entries()) == 5
    cup = source.load("orange_cup")
    assert np.ptp(cup.bounds, axis=0) == pytest.approx([1.727, 1.308, 1.088], abs=0.001)
