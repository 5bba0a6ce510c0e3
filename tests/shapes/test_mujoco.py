"""MuJoCo XML as a placing plan: which files count, what is seen, what is refused."""

from pathlib import Path

import numpy as np
import pytest

from datagen.core.errors import DatagenError, ShapeError
from datagen.shapes.collections import open_collection
from datagen.shapes.mujoco import read_mujoco
from tests.shapes.helpers import obj_box, sample

HALVES = {
    "seat": (0.25, 0.25, 0.025),
    "back": (0.25, 0.02, 0.24),
    "leg_1": (0.02, 0.02, 0.21),
    "leg_2": (0.02, 0.02, 0.21),
}
PLACES = {"seat": "0 0 0.445", "back": "0 0.23 0.71", "leg_1": "-0.23 0 0.21", "leg_2": "0.23 0 0.21"}
ASSETS = "".join(f'<mesh name="{name}" file="{name}.obj"/>' for name in HALVES)
GEOMS = "".join(f'<geom type="mesh" mesh="{name}" pos="{PLACES[name]}"/>' for name in HALVES)
CHAIR = f'<mujoco><asset>{ASSETS}</asset><worldbody><body name="chair">{GEOMS}</body></worldbody></mujoco>'


def write_meshes(folder: Path, scale: float = 1.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, half in HALVES.items():
        low, high = (tuple(sign * scale * h for h in half) for sign in (-1, 1))
        (folder / f"{name}.obj").write_text(obj_box(low, high))
    return folder


def chair(folder: Path, text: str = CHAIR, scale: float = 1.0, xml: str = "chair.xml") -> Path:
    write_meshes(folder, scale)
    (folder / xml).write_text(text)
    return folder


def load(path: Path, textured: bool = False):
    source = open_collection(str(path), None, textured=textured)
    (entry,) = source.entries()
    return source.load(entry.shape_id)


def extents(shape) -> list[float]:
    return np.round(np.ptp(shape.bounds, axis=0), 3).tolist()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return load(chair(tmp_path_factory.mktemp("plain") / "chair"))


VISUAL_CLASS = '<default><default class="v"><geom type="mesh" group="2"/></default></default><asset>'
SEAT = '<geom type="mesh" mesh="seat" pos="0 0 0.445"/>'
SPELLINGS = {
    "frame": CHAIR.replace(SEAT, '<frame pos="0 0 0.445"><geom type="mesh" mesh="seat"/></frame>'),
    "class": CHAIR.replace("<geom type", "<geom class")
    .replace('class="mesh"', 'class="v"')
    .replace("<asset>", VISUAL_CLASS),
    "childclass": CHAIR.replace('<geom type="mesh"', "<geom")
    .replace('name="chair"', 'childclass="v"')
    .replace("<asset>", VISUAL_CLASS),
    "sections": CHAIR.replace("<asset>", '<asset><mesh file="seat.obj"/></asset><asset>', 1)
    .replace('<mesh name="seat" file="seat.obj"/>', "")
    .replace("<body", "<body/></worldbody><worldbody><body"),
    "no names": CHAIR.replace('name="seat" ', "").replace('name="back" ', ""),
    "replicate": CHAIR.replace('<geom type="mesh" mesh="leg_1" pos="-0.23 0 0.21"/>', "").replace(
        '<geom type="mesh" mesh="leg_2" pos="0.23 0 0.21"/>',
        '<replicate count="2" offset="0.46 0 0"><geom type="mesh" mesh="leg_1" pos="-0.23 0 0.21"/></replicate>',
    ),
    "header": "<!--" + "a licence " * 9000 + "-->" + CHAIR,
    "joint ref": CHAIR.replace("<geom", '<joint type="hinge" ref="30"/><geom', 1),
    "mocap": CHAIR.replace('name="chair"', 'name="chair" mocap="true"'),
    "utf-16": CHAIR,
}


@pytest.mark.parametrize("kind", SPELLINGS)
@pytest.mark.parametrize("textured", [False, True])
def test_the_chair_is_the_chair(tmp_path: Path, kind: str, textured: bool, plain):
    folder = chair(tmp_path / "chair", SPELLINGS[kind])
    if kind == "utf-16":
        (folder / "chair.xml").write_text('<?xml version="1.0" encoding="utf-16"?>' + CHAIR, encoding="utf-16")
    shape = load(folder, textured)
    assert len(shape.parts) == 4
    assert extents(shape) == extents(plain)


def test_default_scale_and_its_class(tmp_path: Path, plain):
    text = CHAIR.replace(
        "<asset>",
        '<default><mesh scale="0.001 0.001 0.001"/><default class="m"><mesh scale="1 1 1"/></default></default><asset>',
    ).replace('<mesh name="seat"', '<mesh name="seat" class="m"')
    folder = chair(tmp_path / "chair", text, scale=1000)
    (folder / "seat.obj").write_text(obj_box((-0.25, -0.25, -0.025), (0.25, 0.25, 0.025)))
    assert extents(load(folder)) == extents(plain)


@pytest.mark.parametrize("where", ["main", "included"])
def test_includes_are_looked_for_beside_the_model_then_beside_the_includer(tmp_path: Path, where: str, plain):
    folder = write_meshes(tmp_path / "chair")
    (folder / "parts").mkdir()
    inner = "parts/assets.xml" if where == "main" else "assets.xml"
    (folder / "parts" / "all.xml").write_text(f'<mujocoinclude><include file="{inner}"/></mujocoinclude>')
    (folder / "parts" / "assets.xml").write_text(f"<mujoco><asset>{ASSETS}</asset></mujoco>")
    text = CHAIR.replace(f"<asset>{ASSETS}</asset>", '<include file="parts/all.xml"/>')
    (folder / "chair.xml").write_text(text)
    assert extents(load(folder)) == extents(plain)


def test_the_digest_knows_xmls_and_meshes_wherever_they_lie(tmp_path: Path):
    folder = tmp_path / "chair"
    write_meshes(folder / "assets")
    text = CHAIR.replace(f"<asset>{ASSETS}</asset>", '<compiler meshdir="assets"/><include file="assets.inc"/>')
    (folder / "chair.xml").write_text(text)
    (folder / "assets.inc").write_text(f"<mujoco><asset>{ASSETS}</asset></mujoco>")
    for textured in (False, True):
        for changed in ("chair.xml", "assets.inc", "assets/seat.obj"):
            before = open_collection(str(folder), None, textured=textured).digest("chair")
            with (folder / changed).open("a") as file:
                file.write("\n")
            assert open_collection(str(folder), None, textured=textured).digest("chair") != before


@pytest.mark.parametrize("textured", [False, True])
def test_an_xml_above_its_meshes_is_one_shape_among_others(tmp_path: Path, textured: bool, plain):
    write_meshes(tmp_path / "chair_a" / "assets")
    (tmp_path / "chair_a" / "chair.xml").write_text(CHAIR.replace("<asset>", '<compiler meshdir="assets"/><asset>'))
    chair(tmp_path / "chair_b")
    (tmp_path / "chair_c").mkdir()
    write_meshes(tmp_path / "chair_c" / "meshes")
    (tmp_path / "chair_c" / "mjcf").mkdir()
    up = CHAIR.replace("<asset>", '<compiler assetdir="../meshes"/><asset>')
    (tmp_path / "chair_c" / "mjcf" / "model.xml").write_text(up)
    source = open_collection(str(tmp_path), None, textured=textured)
    assert [entry.shape_id for entry in source.entries()] == ["chair_a", "chair_b", "chair_c"]
    for entry in source.entries():
        assert extents(source.load(entry.shape_id)) == extents(plain)


def test_several_xmls_of_one_folder_are_shapes_and_a_scene_of_them_is_none(tmp_path: Path):
    root = write_meshes(tmp_path / "set")
    pairs = {"one": ("seat", "leg_1"), "two": ("back", "leg_2")}
    for stem, (top, leg) in pairs.items():
        assets = "".join(f'<mesh file="{n}.obj"/>' for n in (top, leg))
        geoms = "".join(f'<geom type="mesh" mesh="{n}" pos="{PLACES[n]}"/>' for n in (top, leg))
        (root / f"{stem}.xml").write_text(f"<mujoco><asset>{assets}</asset><worldbody>{geoms}</worldbody></mujoco>")
    (root / "scene.xml").write_text('<mujoco><include file="one.xml"/><include file="two.xml"/></mujoco>')
    source = open_collection(str(root))
    assert [entry.shape_id for entry in source.entries()] == ["one", "two"]


def test_names_with_spaces_accents_and_another_case(tmp_path: Path, plain):
    folder = chair(tmp_path / "chair")
    (folder / "seat.obj").rename(folder / "Sitz fläche 1.OBJ")
    text = CHAIR.replace('file="seat.obj"', 'file="sitz fläche 1.obj"')
    (folder / "chair.xml").write_text(text, encoding="utf-8")
    assert extents(load(folder)) == extents(plain)


VISUAL = '<geom type="mesh" mesh="seat" contype="0" conaffinity="0"/>'
HULL = '<geom type="mesh" mesh="back" {}/>'


@pytest.mark.parametrize(
    "hidden",
    [
        'group="3"',
        'name="collision_1"',
        'rgba="1 1 1 0"',
        'material="glass"',
        'class="col"',
        'class="deep"',
        'group="5"',
    ],
)
def test_what_is_not_to_be_seen_is_left_out_and_told(tmp_path: Path, hidden: str):
    default = '<default class="collision"><geom/><default class="deep"/></default><default class="col"/>'
    text = (
        f'<mujoco><default>{default}</default><asset>{ASSETS}<material name="glass" rgba="1 1 1 0"/></asset>'
        f"<worldbody>{VISUAL.replace('contype', 'margin')}{HULL.format(hidden)}</worldbody></mujoco>"
    )
    shape = load(chair(tmp_path / "chair", text))
    assert len(shape.parts) == 1
    assert any("collision geometry left out" in warning for warning in shape.warnings)


def test_colliders_are_doubles_only_where_they_cover_what_is_seen(tmp_path: Path):
    def parts(geoms: str) -> list[str]:
        text = f"<mujoco><asset>{ASSETS}</asset><worldbody>{geoms}</worldbody></mujoco>"
        folder = tmp_path / str(abs(hash(geoms)))
        shape = load(chair(folder / "chair", text))
        (folder / "warnings").write_text("\n".join(shape.warnings))
        assert ("colliders" in " ".join(shape.warnings)) == (len(shape.parts) == 1)
        return [part.name for part in shape.parts]

    inside = '<geom type="box" size="0.25 0.25 0.03"/>'
    assert len(parts(VISUAL + inside)) == 1
    assert len(parts(VISUAL + '<geom type="mesh" mesh="leg_1" pos="0 0 -0.5"/>')) == 2
    assert len(parts('<geom type="mesh" mesh="seat"/>' + inside)) == 2


def test_visible_primitives_are_parts(tmp_path: Path):
    geoms = '<geom type="mesh" mesh="seat" pos="0 0 1"/>' + "".join(
        f'<geom name="leg_{k}" type="cylinder" size="0.02" fromto="{x} 0 0 {x} 0 1"/>'
        for k, x in enumerate((-0.2, 0.2))
    )
    ground = '<geom type="plane" size="1 1 1" name="floor"/>'
    text = f"<mujoco><asset>{ASSETS}</asset><worldbody>{geoms}{ground}</worldbody></mujoco>"
    shape = load(chair(tmp_path / "chair", text))
    assert [part.part_class for part in shape.parts] == ["SeatSurface", "Leg", "Leg"]
    assert any("floor" in warning for warning in shape.warnings)


def test_inline_meshes(tmp_path: Path):
    vertices = "0 0 0 1 0 0 0 1 0 0 0 1"
    text = (
        f'<mujoco><asset><mesh name="a" vertex="{vertices}"/>'
        f'<mesh name="b" vertex="{vertices}" face="0 2 1 0 1 3 0 3 2 1 2 3" scale="2 2 2"/></asset><worldbody>'
        '<geom type="mesh" mesh="a"/><geom type="mesh" mesh="b" pos="3 0 0"/></worldbody></mujoco>'
    )
    (tmp_path / "pair.xml").write_text(text)
    assert [len(part.mesh.faces) for part in load(tmp_path / "pair.xml").parts] == [4, 4]


ONE = (
    '<mujoco>{}<asset><mesh name="m" file="seat.obj"{}/></asset>'
    '<worldbody>{}<geom type="mesh" mesh="m"{}/></worldbody></mujoco>'
)
REFUSED = {
    "composite": (ONE.format("", "", '<composite type="cable"/>', ""), "<composite>"),
    "flexcomp": (ONE.format("", "", '<flexcomp type="grid"/>', ""), "<flexcomp>"),
    "attach": (ONE.format("", "", '<attach model="a"/>', ""), "<attach>"),
    "skin": (ONE.format("<deformable><skin/></deformable>", "", "", ""), "<skin>"),
    "unknown": (ONE.format("", "", "<chair/>", ""), "<chair>"),
    "builtin": (ONE.format("", ' builtin="cone"', "", ""), "built in"),
    "typo": (ONE.format("", ' sacle="1 1 1"', "", ""), "sacle"),
    "fit": (ONE.format("", "", '<geom type="box" mesh="m"/>', ""), "fits a box"),
    "no type": (ONE.format("", "", '<geom mesh="m"/>', ""), "fits a sphere"),
    "global": (ONE.format('<compiler coordinate="global"/>', "", "", ""), "coordinate"),
    "eulerseq": (ONE.format('<compiler eulerseq="xyw"/>', "", "", ""), "eulerseq"),
    "angle": (ONE.format('<compiler angle="degrees"/>', "", "", ""), "angle"),
    "no class": (ONE.format("", "", "", ' class="v"'), 'class "v"'),
    "no mesh": (ONE.format("", "", '<geom type="mesh" mesh="zz"/>', ""), '"zz"'),
    "two poses": (ONE.format("", "", "", ' quat="1 0 0 0" euler="0 0 0"'), "orientations"),
    "commas": (ONE.format("", "", "", ' pos="1, 2, 3"'), "pos"),
    "nan": (ONE.format("", "", "", ' pos="nan 0 0"'), "pos"),
    "zero axis": (ONE.format("", "", "", ' zaxis="0 0 0"'), "zaxis"),
    "escape": (ONE.format("", "", "", "").replace("seat.obj", "../../seat.obj"), "outside"),
    "absolute": (ONE.format("", "", "", "").replace("seat.obj", "/etc/passwd"), "outside"),
    "include out": (ONE.format('<include file="../x.xml"/>', "", "", ""), "outside"),
    "include self": (ONE.format('<include file="chair.xml"/>', "", "", ""), "included twice"),
    "include gone": (ONE.format('<include file="gone.xml"/>', "", "", ""), "gone.xml"),
    "doctype": ("<!DOCTYPE mujoco>" + ONE.format("", "", "", ""), "document type"),
    "bomb": (
        '<!DOCTYPE m [<!ENTITY a "a"><!ENTITY b "&a;&a;">]>' + ONE.format("", "", "", ' name="&b;"'),
        "document type",
    ),
    "replicas": (
        ONE.format("", "", '<replicate count="4000"><replicate count="4000"><body/></replicate></replicate>', ""),
        "replicas",
    ),
    "deep": (ONE.format("", "", "<body>" * 500 + "</body>" * 500, ""), "levels"),
    "cut": (ONE.format("", "", "", "")[:-20], "broken XML"),
    "msh": (ONE.format("", "", "", "").replace("seat.obj", "seat.msh"), "msh2obj"),
    "missing": (ONE.format("", "", "", "").replace("seat.obj", "gone.obj"), "gone.obj"),
    "all hidden": (ONE.format("", "", "", ' group="4"'), "group 4"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("textured", [False, True])
def test_what_is_not_read_is_refused_by_name(tmp_path: Path, kind: str, textured: bool):
    text, named = REFUSED[kind]
    source = open_collection(str(chair(tmp_path / "chair", text)), None, textured=textured)
    assert [entry.shape_id for entry in source.entries()] == ["chair"]
    with pytest.raises(ShapeError) as caught:
        source.load("chair")
    assert named in str(caught.value) and "chair.xml" in str(caught.value) and "\n" not in str(caught.value)


def test_links_lead_nowhere_else(tmp_path: Path):
    folder = chair(tmp_path / "in" / "chair")
    (folder / "seat.obj").rename(tmp_path / "seat.obj")
    (folder / "seat.obj").symlink_to(tmp_path / "seat.obj")
    with pytest.raises(ShapeError, match="outside"):
        load(folder)


@pytest.mark.parametrize("name", ["mj_assets", "mj_class", "mj_defscale", "mj_eulerseq", "mj_frame", "mj_include"])
@pytest.mark.parametrize("textured", [False, True])
def test_hostile_samples_are_the_chair(name: str, textured: bool):
    shape = load(sample(f"hostile/{name}"), textured)
    assert len(shape.parts) == 8
    assert extents(shape) == extents(load(sample("hostile/mj_assets")))


def test_file_names_are_as_muJoCo_reads_them(tmp_path: Path):
    write_meshes(tmp_path / "parts")
    for text in (
        'meshdir="parts" strippath="true"/><asset><mesh name="m" file="else/where/seat.obj"/>',
        'meshdir=".\\parts"/><asset><mesh name="m" file="seat.obj"/>',
    ):
        body = '</asset><worldbody><geom type="mesh" mesh="m"/></worldbody></mujoco>'
        (tmp_path / "a.xml").write_text(f"<mujoco><compiler {text}{body}")
        (placement,) = read_mujoco(tmp_path / "a.xml").placements
        assert placement.file.is_file()


def test_a_broken_xml_never_makes_parts_of_its_folder(tmp_path: Path):
    chair(tmp_path / "chair", CHAIR[:-30])
    source = open_collection(str(tmp_path))
    assert [(e.shape_id, e.part_classes) for e in source.entries()] == [("chair", ())]
    with pytest.raises(DatagenError, match="broken XML"):
        source.load("chair")
