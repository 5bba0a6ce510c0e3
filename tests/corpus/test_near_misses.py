"""Names, encodings and neighbours that once fell together: each pair stays apart, each refusal names its file."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from datagen.core.errors import MeshLoadError, ShapeError
from datagen.formats.photo_file import read_photo_file
from datagen.materials.folder import load_folder
from datagen.materials.names import parse
from datagen.meshfiles.load import read_mesh_file
from datagen.shapes.collections import open_collection
from tests.corpus.test_gltf import plain
from tests.shapes.helpers import write_shape

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"


@pytest.mark.parametrize(("one", "two"), [("Material #1", "Material #2"), ("红色", "蓝色"), ("Tür", "Tör")])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "latin-1"])
def test_names_stay_apart(tmp_path: Path, one: str, two: str, encoding: str) -> None:
    try:
        names = [name.encode(encoding) for name in (one, two)]
    except UnicodeEncodeError:
        pytest.skip("no such letters in this encoding")
    faces = b"".join(b"o part %s\nusemtl %s\nf 1 2 3\n" % (name, name) for name in names)
    (tmp_path / "a.obj").write_bytes(b"mtllib a.mtl\n" + TRIANGLE.encode() + faces)
    (tmp_path / "a.mtl").write_bytes(b"newmtl %s # red\nKd 1 0 0\nnewmtl %s\nKd 0 0 1 # blue\n" % tuple(names))
    file = read_mesh_file(tmp_path / "a.obj")
    assert len(file.parts) == 2 and not file.warnings
    assert [file.materials[int(part.slot[0])].base_color for part in file.parts] == [(1, 0, 0), (0, 0, 1)]


def test_a_buffer_is_never_another_models(tmp_path: Path) -> None:
    path = plain().write(tmp_path / "a.glb", "beside")
    path.write_text(path.read_text().replace("my%20data", "lod0/my%20data"))
    with pytest.raises(MeshLoadError, match=r"a\.gltf: its buffer lod0/my data ä\.bin is missing"):
        read_mesh_file(path)


@pytest.mark.parametrize("textured", [False, True])
def test_files_that_differ_in_case_are_two_shapes(tmp_path: Path, textured: bool) -> None:
    for name in ("Chair.obj", "chair.obj"):
        (tmp_path / name).write_text(TRIANGLE + "f 1 2 3\n")
    assert len(open_collection(str(tmp_path), textured=textured).entries()) == 2


@pytest.mark.parametrize("textured", [False, True])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "robot.xml",
            '<mujoco><asset><mesh file="base.obj"/></asset><worldbody><composite type="grid"/></worldbody></mujoco>',
        ),
        ("robot.xml", '<mujoco><asset><mesh file="base.obj"/></asset><worldbody>'),
        (
            "robot.urdf",
            '<robot xmlns="http://www.ros.org" name="r"><link name="a"><mesh filename="base.obj"/></link></robot>',
        ),
        ("robot.urdf.xacro", '<robot name="r"><mesh filename="package://r/meshes/base.obj"/></robot>'),
        ("model.sdf", "<sdf><model><mesh><uri>meshes/base.obj</uri></mesh></model></sdf>"),
    ],
)
def test_meshes_of_a_plan_that_is_refused_are_no_shapes(tmp_path: Path, name: str, text: str, textured: bool) -> None:
    (tmp_path / "robot" / "meshes").mkdir(parents=True)
    (tmp_path / "robot" / "meshes" / "base.obj").write_text(TRIANGLE + "f 1 2 3\n")
    (tmp_path / "robot" / name).write_text(text)
    source = open_collection(str(tmp_path), textured=textured)
    (entry,) = source.entries()
    with pytest.raises(ShapeError, match=name.replace(".", r"\.")):
        source.load(entry.shape_id)


def colored(kind: str, rows: str) -> str:
    head = "ply\nformat ascii 1.0\ncomment by Åke\nelement vertex 3\n" + "".join(f"property float {c}\n" for c in "xyz")
    head += "".join(f"property {kind} {c}\n" for c in ("red", "green", "blue"))
    head += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    points = ("0 0 0", "1 0 0", "0 1 0")
    return head + "".join(f"{p} {r}\n" for p, r in zip(points, [rows] * 3, strict=True)) + "3 0 1 2\n"


@pytest.mark.parametrize(
    ("kind", "row", "wanted"),
    [
        ("uchar", "0 0 1", (0, 0, 1 / 255)),
        ("ushort", "32768 300 0", (0.5, 300 / 65535, 0)),
        ("int", "200 30 10", (200 / 255, 30 / 255, 10 / 255)),
        ("float", "0.5 0.25 0", (0.5, 0.25, 0)),
    ],
)
def test_ply_colours_are_scaled_by_their_type(tmp_path: Path, kind: str, row: str, wanted: tuple) -> None:
    (tmp_path / "a.ply").write_text(colored(kind, row), encoding="utf-8")
    color = read_mesh_file(tmp_path / "a.ply").parts[0].color
    assert color is not None
    srgb = np.where(color <= 0.0031308, 12.92 * color, 1.055 * np.maximum(color, 1e-9) ** (1 / 2.4) - 0.055)
    assert np.abs(srgb[0, 0] - wanted).max() < 1e-3


def test_values_beyond_their_type_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text(colored("uchar", "0 0 300"))
    with pytest.raises(MeshLoadError, match=r"a\.ply: .*none of its type"):
        read_mesh_file(tmp_path / "a.ply")


def test_numbered_children_are_parts_of_their_own(tmp_path: Path) -> None:
    gltf = plain()
    children = [gltf.node(root=False, name=f"leg_00000{k}", mesh=0) for k in (1, 2)]
    gltf.node(name="leg", children=children)
    assert len(read_mesh_file(gltf.write(tmp_path / "a.glb")).parts) == 3
    gltf.document["asset"]["generator"] = "https://github.com/mikedh/trimesh"
    assert len(read_mesh_file(gltf.write(tmp_path / "b.glb")).parts) == 2


def test_a_flat_panel_is_kept(tmp_path: Path) -> None:
    gltf = plain()
    gltf.document["nodes"][0]["scale"] = [1, 0, 1]
    assert read_mesh_file(gltf.write(tmp_path / "a.glb")).mesh.extents[1] == 0


def test_names_that_hold_a_channels_word() -> None:
    found = [parse(f"Brushed_Metal_{word}") for word in ("Color", "Rough", "Normal")]
    assert [(name.set_name, name.channel) for name in found if name] == [
        ("Brushed_Metal", "base_color"),
        ("Brushed_Metal", "roughness"),
        ("Brushed_Metal", "normal"),
    ]


def test_a_profile_is_told_by_what_it_does(tmp_path: Path) -> None:
    """Linear sRGB says sRGB in its name and is another space; sRGB's own changes nothing."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.new("RGB", (8, 8), (147, 12, 3))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", icc_profile=srgb)
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    assert read_photo_file(tmp_path / "a.png").picture.getpixel((0, 0)) == (147, 12, 3)


def test_white_is_zero_is_turned_round(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 65535 - 78 * 257, np.uint16)).save(tmp_path / "a.tif", tiffinfo={262: 0})
    assert read_photo_file(tmp_path / "a.tif").picture.getpixel((0, 0)) == (78, 78, 78)


def test_options_of_other_maps_are_told(tmp_path: Path) -> None:
    for name in ("a.png", "n.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl m\n" + TRIANGLE + "vt 0 0\nf 1/1 2/1 3/1\n")
    (tmp_path / "a.mtl").write_text("newmtl m\nmap_Kd a.png\nnorm -s 4 4 1 n.png\nKe 5 5 5\nnewmtl m\nKd 1 1 1\n")
    kinds = [warning.split(":")[0] for warning in read_mesh_file(tmp_path / "a.obj").warnings]
    assert kinds == [
        "texture on other coordinates left out",
        "emission not shown",
        "material defined twice, the first one taken",
    ]


def test_a_comment_glued_to_a_number_is_refused(tmp_path: Path) -> None:
    """Readers disagree whether `1#` is 1, nothing, or the end of the face."""
    (tmp_path / "a.obj").write_text(TRIANGLE + "f 1 2 3 # a comment\nf 1 2 3#\n")
    with pytest.raises(MeshLoadError, match=r"a\.obj"):
        read_mesh_file(tmp_path / "a.obj")


@pytest.mark.parametrize("alpha", ["", " 255", " 128"])
def test_seen_through_colours_of_an_off_are_told(tmp_path: Path, alpha: str) -> None:
    rows = "".join(f"{point} 200 10 10{alpha}\n" for point in ("0 0 0", "1 0 0", "0 1 0"))
    (tmp_path / "a.off").write_text(f"COFF\n3 1 0\n{rows}3 0 1 2\n")
    told = read_mesh_file(tmp_path / "a.off").warnings
    assert told == (("transparency shown opaque: a.off (vertex colours)",) if alpha == " 128" else ())


def test_colours_of_an_stl_are_told(tmp_path: Path) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
    for name, color in (("plain", 0), ("red", 0x801F)):
        body = bytes(80) + np.uint32(1).tobytes() + bytes(12) + corners + np.uint16(color).tobytes()
        (tmp_path / f"{name}.stl").write_bytes(body)
    assert read_mesh_file(tmp_path / "plain.stl").warnings == ()
    assert read_mesh_file(tmp_path / "red.stl").warnings == ("material colours of an STL not read: red.stl",)


@pytest.mark.parametrize(
    "broken",
    ["3 0 1\n 2\n", "3 0 1 2\n3 7\n3 7\n", "9" * 9 + " 2\n"],
    ids=["a line cut", "lines repeated", "more vertices"],
)
def test_an_off_of_lines_keeps_its_lines(tmp_path: Path, broken: str) -> None:
    """Words are read on over a line's end only in a file that is broken into lines anyhow."""
    points = "".join(f"{x} {y} {z}\n" for x in (0, 1) for y in (0, 1) for z in (0, 1))
    faces = "".join(f"3 {k} {k + 1} {k + 2}\n" for k in range(5))
    (tmp_path / "a.off").write_text(f"OFF\n8 6 0\n{points}{faces}{broken}")
    with pytest.raises(MeshLoadError, match=r"a\.off"):
        read_mesh_file(tmp_path / "a.off")
    (tmp_path / "b.off").write_text("OFF\n8 6 0\n" + f"{points}{faces}3 0 1 2".replace("\n", " "))
    assert len(read_mesh_file(tmp_path / "b.off").mesh.faces) == 6


def test_a_skinned_mesh_under_a_mirror_keeps_its_outside(tmp_path: Path) -> None:
    """The determinant of the node's own transform decides the winding, also where joints decide the place."""
    from tests.corpus.test_gltf import plain as gltf

    path = gltf().write(tmp_path / "a.glb", "beside")
    document = json.loads(path.read_text())
    joint = len(document["nodes"])
    meshes = [node for node in document["nodes"] if "mesh" in node]
    plain_area = [part.mesh for part in read_mesh_file(path).parts]
    primitive = document["meshes"][meshes[0]["mesh"]]["primitives"][0]
    count = document["accessors"][primitive["attributes"]["POSITION"]]["count"]
    joints, weights = np.zeros((count, 4), np.uint8), np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))
    for name, values, kind in (("JOINTS_0", joints, 5121), ("WEIGHTS_0", weights, 5126)):
        uri = "data:application/octet-stream;base64," + base64.b64encode(values.tobytes()).decode()
        document["buffers"].append({"byteLength": values.nbytes, "uri": uri})
        document["bufferViews"].append({"buffer": len(document["buffers"]) - 1, "byteLength": values.nbytes})
        view = len(document["bufferViews"]) - 1
        document["accessors"].append({"bufferView": view, "componentType": kind, "count": count, "type": "VEC4"})
        primitive["attributes"][name] = len(document["accessors"]) - 1
    only = {"mesh": meshes[0]["mesh"], "skin": 0}
    document["nodes"] = [{"children": [1, 2], "scale": [-1, 1, 1]}, only, {"name": "joint"}]
    document["skins"] = [{"joints": [2]}]
    document["scenes"], document["scene"] = [{"nodes": [0]}], 0
    path.write_text(json.dumps(document))
    (part,) = read_mesh_file(path).parts
    signed = np.einsum("ij,ij->i", part.mesh.triangles[:, 0], np.cross(*part.mesh.triangles[:, 1:].swapaxes(0, 1)))
    assert signed.sum() > 0 and joint and plain_area, "a closed body keeps a positive volume"


def test_a_cut_text_stl_is_refused(tmp_path: Path) -> None:
    facet = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
    (tmp_path / "a.stl").write_text("solid a\n" + facet)
    with pytest.raises(MeshLoadError, match=r"a\.stl: a solid has no endsolid"):
        read_mesh_file(tmp_path / "a.stl")


def test_a_comment_that_ends_in_a_backslash_ends_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("# from C:\\models\\\n" + TRIANGLE + "f 1 \\\n 2 \\\n 3\n")
    assert read_mesh_file(tmp_path / "a.obj").mesh.vertices.shape == (3, 3)


@pytest.mark.parametrize(
    ("numbers", "red"), [("1 0 0 1", None), ("1 1 0 0", True), ("1 0 0 0.5", None), ("0.5 0 0 1", True)]
)
def test_colours_of_seven_numbers_are_taken_where_they_are_clear(
    tmp_path: Path, numbers: str, red: bool | None
) -> None:
    """A weight of 1 before the colour, or an alpha of 1 after it; where both or neither could be, it is told."""
    (tmp_path / "a.obj").write_text("".join(f"v {p} {numbers}\n" for p in ("0 0 0", "1 0 0", "0 1 0")) + "f 1 2 3\n")
    file = read_mesh_file(tmp_path / "a.obj")
    if numbers == "1 0 0 0.5":
        assert file.parts[0].color is not None, "a weight of 1 and a dark blue"
    elif red:
        assert (file.parts[0].color[..., 0] > 0.2).all() and (file.parts[0].color[..., 1:] == 0).all()
    else:
        assert file.parts[0].color is None and any("seven numbers left out" in told for told in file.warnings)


@pytest.mark.parametrize(("line", "channel"), [("map_Pr orm.png", ""), ("map_Pr -imfchan g orm.png", "g")])
def test_a_map_of_roughness_stands_for_its_number(tmp_path: Path, line: str, channel: str) -> None:
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "orm.png")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\n" + TRIANGLE + "usemtl red\nf 1 2 3\n")
    (tmp_path / "a.mtl").write_text(f"newmtl red\nPr 0\n{line}\nmap_Pm orm.png\nmap_opacity orm.png\n")
    file = read_mesh_file(tmp_path / "a.obj")
    (material,) = file.materials
    assert (material.roughness, material.metallic) == (1.0, 1.0) and material.roughness_map.channel == channel
    assert file.warnings == ("opacity map not shown: a.mtl red (map_opacity)",)


@pytest.mark.parametrize(
    ("words", "told"), [("255 0 0", ""), ("1 0 0 0.2", "transparency"), ("3", "material colours by")]
)
def test_colours_of_faces_of_an_off_are_told(tmp_path: Path, words: str, told: str) -> None:
    (tmp_path / "a.off").write_text(f"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2 {words}\n")
    warnings = read_mesh_file(tmp_path / "a.off").warnings
    assert len(warnings) == bool(told) and all(warning.startswith(told) for warning in warnings)


def test_meshes_of_a_partnet_folder_that_nothing_names_are_told(tmp_path: Path) -> None:
    write_shape(tmp_path, "7")
    (tmp_path / "7" / "objs" / "extra.OBJ").write_text(TRIANGLE + "f 1 2 3\n")
    assert open_collection(str(tmp_path)).load("7").warnings == ("obj that no node names left out: extra.OBJ",)


def test_links_that_a_material_folder_does_not_follow_are_told(tmp_path: Path) -> None:
    for name in ("pbr/Wood001", "else/Metal001"):
        (tmp_path / name).mkdir(parents=True)
        stem = Path(name).name
        Image.fromarray(np.full((8, 8, 3), 120, np.uint8)).save(tmp_path / name / f"{stem}_1K_Color.png")
    (tmp_path / "pbr" / "Metal001").symlink_to(tmp_path / "else" / "Metal001")
    (tmp_path / "pbr" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    library = load_folder(tmp_path / "pbr", cache=tmp_path / "cache")
    assert [m.material_id for m in library.materials] == ["Wood001"]
    told = [warning for warning in library.warnings if warning.startswith("link in a material folder not followed")]
    assert [warning.rsplit(": ", 1)[1] for warning in told] == ["Metal001", "gone.png"]


def test_a_text_stl_may_be_one_line(tmp_path: Path) -> None:
    facet = "facet normal 0 0 1 outer loop vertex 0 0 0 vertex 1 0 0 vertex 0 1 0 endloop endfacet "
    (tmp_path / "a.stl").write_text(f"solid my part {facet}{facet}endsolid my part\n")
    assert len(read_mesh_file(tmp_path / "a.stl").mesh.faces) == 2


@pytest.mark.parametrize(("metalness", "kept"), [(0, True), (255, False)])
def test_painted_metal_is_no_metal(tmp_path: Path, metalness: int, kept: bool) -> None:
    folder = tmp_path / "pbr" / "PaintedMetal003"
    folder.mkdir(parents=True)
    for channel, value in (("Color", 120), ("Metalness", metalness), ("Roughness", 90)):
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(folder / f"PaintedMetal003_1K_{channel}.png")
    library = load_folder(tmp_path / "pbr", cache=tmp_path / "cache")
    maps = library.prepare(library.materials[0].material_id).maps
    assert ("metallic" in maps) == kept
    if kept:
        assert np.asarray(Image.open(maps["metallic"])).max() == 0


@pytest.mark.parametrize("key", ["objs", "children"])
@pytest.mark.parametrize("value", [5, "original-1", {"a": 1}])
def test_a_tree_of_the_wrong_types_is_one_bad_shape(tmp_path: Path, key: str, value: object) -> None:
    write_shape(tmp_path, "7")
    path = tmp_path / "7" / "result_after_merging.json"
    tree = json.loads(path.read_text())
    tree[0][key] = value
    path.write_text(json.dumps(tree))
    source = open_collection(str(tmp_path))
    assert len(source.entries()) == 1
    with pytest.raises(ShapeError, match="no list"):
        source.load("7")


@pytest.mark.parametrize("textured", [False, True])
def test_an_xml_at_the_deepest_level_places_its_meshes(tmp_path: Path, textured: bool) -> None:
    home = tmp_path.joinpath(*"123456")
    home.mkdir(parents=True)
    for name in ("a", "b"):
        (home / f"{name}.obj").write_text(TRIANGLE + "f 1 2 3\n")
    geoms = "".join(f'<geom type="mesh" mesh="{n}"/>' for n in "ab")
    meshes = "".join(f'<mesh file="{n}.obj"/>' for n in "ab")
    (home / "m.xml").write_text(f"<mujoco><asset>{meshes}</asset><worldbody>{geoms}</worldbody></mujoco>")
    assert len(open_collection(str(tmp_path), textured=textured).entries()) == 1
