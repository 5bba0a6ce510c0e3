"""Sources of scenes: generated toys and parts, folders of textured meshes, what names and files become."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import EmptyCollection, MeshLoadError, ShapeError
from datagen.geometry.pieces import loose_area
from datagen.geometry.segments import component_labels, convex_segments
from datagen.geometry.solid import to_manifold
from datagen.kinds.registry import load_recipe, make_plan
from datagen.meshfiles.blend import images_named
from datagen.recipe.loader import find_recipe
from datagen.shapes.collections import open_collection
from datagen.shapes.looks import load_textured
from datagen.shapes.procedural.things.source import PARTS, TOYS, GeneratedThings
from datagen.shapes.source import Source
from datagen.shapes.textured import find_things
from tests.conftest import box


@pytest.mark.parametrize("which", ["toys", "abc"])
def test_every_family_is_closed_solids_in_one_piece(which):
    source = GeneratedThings(which)
    assert isinstance(source, Source) and source.stand_in
    for category in TOYS if which == "toys" else PARTS:
        shape = source.load(f"{category}_007")
        assert shape.category == category and shape.digest == source.load(f"{category}_007").digest
        assert all(to_manifold(part.mesh) is not None for part in shape.parts), category
        assert loose_area([part.mesh for part in shape.parts], 0.03) < 0.06, category


def test_names_of_generated_things_are_checked():
    with pytest.raises(ShapeError, match="names are <category>_<number>"):
        GeneratedThings("toys").load("unicorn_001")
    assert len(open_collection("toys").entries()) >= 1050 and len(open_collection("abc").entries()) == 4200


def test_the_recipe_of_toysad8k_finds_every_category_of_table_3():
    plan = make_plan(load_recipe(find_recipe("toysad8k")), open_collection("toys"))
    unseen = {e.category for e in plan.chosen if plan.splits[e.shape_id] == "unseen-test"}
    seen = {e.category for e in plan.chosen} - unseen
    assert (len(plan.chosen), len(seen), len(unseen)) == (1050, 39, 12)


def write_obj(folder, mesh, texture=None):
    folder.mkdir(parents=True)
    lines = ["mtllib mesh.mtl", "usemtl skin"] + [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
    lines += ["vt 0 0", "vt 1 0", "vt 0 1"]
    lines += [f"f {a}/1 {b}/2 {c}/3" for a, b, c in mesh.faces + 1]
    (folder / "mesh.obj").write_text("\n".join(lines) + "\n")
    (folder / "mesh.mtl").write_text("newmtl skin\nKd 1 1 1\nmap_Kd skin.png\n")
    Image.new("RGB", (8, 8), texture or (200, 30, 30)).save(folder / "skin.png")


def test_toys4k_layout_keeps_categories_and_textures(tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "toys4k_obj_files"
    for category in ("mug", "light_bulb"):
        for k in range(2):
            write_obj(root / category / f"{category}_{k:03d}", box((1, 2, 3)))
    source = open_collection(str(root), None, textured=True)
    bulbs, mugs = (["light_bulb/light_bulb_000", "light_bulb/light_bulb_001"], ["mug/mug_000", "mug/mug_001"])
    assert [e.shape_id for e in source.entries()] == bulbs + mugs
    assert {e.category for e in source.entries()} == {"mug", "light_bulb"}
    shape = source.load("mug/mug_000")
    (part,) = shape.parts
    assert part.skin.uv.shape == (12, 3, 2) and set(np.unique(part.skin.uv)) == {0.0, 1.0}
    (material,) = shape.palette.values()
    assert np.asarray(Image.open(material.maps["base_color"]))[0, 0].tolist() == [200, 30, 30]
    assert np.ptp(shape.bounds[:, 1]) > np.ptp(shape.bounds[:, 2]), "y of the file is up: its depth of 3 lies along y"
    before = source.digest("mug/mug_000")
    Image.new("RGB", (8, 8), (1, 2, 3)).save(root / "mug" / "mug_000" / "skin.png")
    assert source.digest("mug/mug_000") != before


def test_nodes_of_a_glb_are_parts_with_their_colours(tmp_path):
    import trimesh
    from trimesh.visual.material import PBRMaterial

    scene = trimesh.Scene()
    for k, name in enumerate(("body", "wheel")):
        b = box((1, 1, 1), (2.0 * k, 0, 0))
        mesh = trimesh.Trimesh(b.vertices, b.faces, process=False)
        mesh.visual = trimesh.visual.TextureVisuals(
            uv=np.zeros((8, 2)), material=PBRMaterial(baseColorFactor=[255, 0, 0, 255] if k else [0, 0, 255, 255])
        )
        scene.add_geometry(mesh, node_name=name)
    scene.export(tmp_path / "car.glb")
    pieces, _ = load_textured(tmp_path / "car.glb")
    assert [piece.name for piece in pieces] == ["body", "wheel"]
    assert [p.materials[0].base_color for p in pieces] == [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)]


def test_components_and_convex_segments():
    from datagen.core.shape import concatenate

    two = concatenate([box((1, 1, 1)), box((0.3, 0.3, 0.3), (2, 0, 0))])
    assert component_labels(two).tolist() == [0] * 12 + [1] * 12
    assert convex_segments(box((1, 1, 1))) == []
    import manifold3d

    from datagen.geometry.solid import manifold_mesh

    base = manifold3d.Manifold.cube((2, 2, 0.4), True)
    post = manifold3d.Manifold.cube((0.3, 0.3, 1.5), True).translate((0, 0, 0.8))
    segments = convex_segments(manifold_mesh(base + post))
    assert len(segments) == 2
    assert sum(to_manifold(s).volume() for s in segments) == pytest.approx((base + post).volume(), rel=1e-3)


def test_bad_input_names_the_file(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.glb").write_bytes(b"glTF no")
    with pytest.raises(MeshLoadError, match=r"x\.glb"):
        open_collection(str(tmp_path / "a"), None, textured=True).load("x")
    (tmp_path / "none").mkdir()
    with pytest.raises(EmptyCollection, match="no shape found"):
        open_collection(str(tmp_path / "none"), None, textured=True)
    assert find_things(tmp_path / "none") == ()


def test_samples_load_with_their_textures(samples, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    taxi = open_collection(str(samples / "toys_kenney_gltf"), None, textured=True).load("taxi")
    assert len(taxi.parts) == 5 and all(part.skin is not None for part in taxi.parts)
    cup = open_collection(str(samples / "objects_pybullet_urdf_models"), None, textured=True).load("orange_cup")
    (part,) = cup.parts
    assert np.isfinite(part.skin.uv).all() and next(iter(cup.palette.values())).maps
    card = open_collection(str(samples / "cad_trimesh"), None, textured=True)
    assert {"busted", "round", "plate_holes"} <= {e.shape_id for e in card.entries()}
    json.dumps(taxi.T_shape_source)


def test_a_step_file_is_the_solid_of_its_stl(samples, tmp_path):
    """box_sides and featuretype are STEP files written by CAD programs; the latter lies there as STL, too."""
    pytest.importorskip("cascadio", reason="STEP needs the extra: pip install 'datagen[step]'")
    volumes = []
    for suffix in ("STEP", "STL"):
        shutil.copy(samples / "cad_trimesh" / f"featuretype.{suffix}", tmp_path)
        shape = open_collection(str(tmp_path / f"featuretype.{suffix}"), None, textured=True).load("featuretype")
        volumes.append(sum(to_manifold(part.mesh).volume() for part in shape.parts))
    assert volumes[0] == pytest.approx(volumes[1], rel=0.01), "normalised by the box: same frame, same size"
    named = open_collection(str(samples / "cad_trimesh"), None, textured=True).load("box_sides")
    assert len(named.parts) == 10, "an assembly's solids are parts"
    (tmp_path / "cut.step").write_bytes((samples / "cad_trimesh" / "featuretype.STEP").read_bytes()[:60_000])
    with pytest.raises(MeshLoadError, match=r"cut\.step: OpenCASCADE cannot read it"):
        open_collection(str(tmp_path / "cut.step"), None, textured=True).load("cut")


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_images_that_a_blend_names_belong_to_its_digest(tmp_path, packing):
    """Paths as Blender keeps them, in bytes that stand for a file; older ones are gzip, newer ones zstd frames."""
    import gzip

    import zstandard

    folder = tmp_path / "toys" / "cup"
    (tmp_path / "toys" / "maps").mkdir(parents=True)
    folder.mkdir()
    image = tmp_path / "toys" / "maps" / "a b.PNG"
    image.write_bytes(b"one")
    body = b"BLENDER-v405" + bytes(40) + b"//..\\maps\\a b.PNG" + bytes(20) + b"//gone.png" + bytes(9)
    frames = zstandard.compress(body[:50]) + zstandard.compress(body[50:])
    (folder / "cup.blend").write_bytes({"plain": body, "gzip": gzip.compress(body), "zstd": frames}[packing])
    source = open_collection(str(tmp_path / "toys"), None, textured=True)
    before = source.digest("cup")
    assert images_named(folder / "cup.blend") == (folder / "../maps/a b.PNG",) and source.digest("cup") == before
    image.write_bytes(b"two")
    assert source.digest("cup") != before


@pytest.mark.cycles
def test_a_blend_file_runs_no_script(tmp_path, monkeypatch):
    """Written and read by Blender in processes of their own; its registered text would leave a file behind."""
    import subprocess
    import sys

    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "toys" / "cup" / "cup_001"
    folder.mkdir(parents=True)
    mark = tmp_path / "ran"
    code = (
        "import bpy\n"
        "bpy.ops.wm.read_factory_settings(use_empty=True)\n"
        "bpy.ops.mesh.primitive_cube_add(size=1)\n"
        "m = bpy.data.materials.new('red'); m.use_nodes = True\n"
        "m.node_tree.nodes['Principled BSDF'].inputs['Base Color'].default_value = (0.8, 0.1, 0.1, 1)\n"
        "bpy.context.object.data.materials.append(m)\n"
        f"t = bpy.data.texts.new('run.py'); t.write(\"open({str(mark)!r}, 'w').write('x')\"); t.use_module = True\n"
        f"bpy.ops.wm.save_as_mainfile(filepath={str(folder / 'cup_001.blend')!r})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    source = open_collection(str(tmp_path / "toys"), None, textured=True)
    shape = source.load("cup/cup_001")
    assert len(shape.parts) == 1 and not mark.exists()
    assert next(iter(shape.palette.values())).base_color == pytest.approx((0.8, 0.1, 0.1), abs=0.01)
