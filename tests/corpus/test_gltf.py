"""glTF in every legal spelling is the same chair; Blender's importer is the second reader."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from datagen.core.errors import MeshLoadError, MissingDependency
from datagen.meshfiles.load import files_named, read_mesh_file
from tests.corpus.chair import Solid, assert_same, chair, triangles
from tests.corpus.gltf_writer import Gltf

ROTATION = Rotation.from_euler("xyz", [20, -35, 50], degrees=True)


@dataclass(frozen=True)
class Spelling:
    """One way to write the same file."""

    container: str
    index: str
    """Type of the indices, '' for none."""
    mode: str
    stride: int
    sparse: bool
    placed: str
    """How a part gets where it is: vertices, a node's trs or matrix, or a chain of mirrored nodes."""
    named: str
    """Where names stand: node, mesh or a parent."""
    normalized: bool
    scenes: bool


SPELLINGS = st.builds(
    Spelling,
    container=st.sampled_from(["glb", "inline", "beside"]),
    index=st.sampled_from(["", "u1", "u2", "u4"]),
    mode=st.sampled_from(["triangles", "strips", "fans"]),
    stride=st.sampled_from([0, 16, 28]),
    sparse=st.booleans(),
    placed=st.sampled_from(["vertices", "trs", "matrix", "mirrored"]),
    named=st.sampled_from(["node", "mesh", "parent"]),
    normalized=st.booleans(),
    scenes=st.booleans(),
)


def primitives(gltf: Gltf, points: np.ndarray, faces: np.ndarray, way: Spelling) -> list[dict]:
    """Primitives over shared positions: triangles at once, or a strip or fan each for every triangle."""
    if not way.index:
        position = positions(gltf, points[faces.reshape(-1)], way)
        return [{"attributes": {"POSITION": position}}]
    position = positions(gltf, points, way)
    if way.mode == "triangles":
        return [{"attributes": {"POSITION": position}, "indices": gltf.accessor(faces.reshape(-1), way.index)}]
    found = []
    for a, b, c in faces.tolist():
        # A fan's triangle is (second, third, first) by the specification.
        order = [a, b, c] if way.mode == "strips" else [c, a, b]
        indices = gltf.accessor(np.array(order), way.index)
        mode = 5 if way.mode == "strips" else 6
        found.append({"attributes": {"POSITION": position}, "indices": indices, "mode": mode})
    return found


def positions(gltf: Gltf, points: np.ndarray, way: Spelling) -> int:
    kind = "i2" if way.normalized else "f4"
    values = np.round(points * 32767) if way.normalized else points
    entry = {"normalized": True} if way.normalized else {}
    if not way.sparse:
        return gltf.accessor(values, kind, way.stride, **entry)
    wrong = np.array(values, dtype=float)
    wrong[::2] = 0
    index = gltf.accessor(wrong, kind, way.stride, **entry)
    at = np.arange(0, len(values), 2)
    gltf.document["accessors"][index]["sparse"] = {
        "count": len(at),
        "indices": {"bufferView": gltf.view(at.astype("<u2").tobytes()), "componentType": 5123},
        "values": {"bufferView": gltf.view(values[::2].astype("<" + kind).tobytes())},
    }
    return index


def written(solids: tuple[Solid, ...], way: Spelling) -> Gltf:
    gltf = Gltf()
    if way.normalized:
        gltf.use("KHR_mesh_quantization")
    for solid in solids:
        points, faces = solid_triangles(solid)
        T = transform(way.placed)
        if np.linalg.det(T[:3, :3]) < 0:
            faces = faces[:, ::-1]
        local = (points - T[:3, 3]) @ np.linalg.inv(T[:3, :3]).T
        mesh = gltf.mesh(*primitives(gltf, local, faces, way), **({"name": solid.name} if way.named == "mesh" else {}))
        entry = {"mesh": mesh, **({"name": solid.name} if way.named == "node" else {}), **placing(way.placed)}
        child = gltf.node(root=way.named != "parent", **entry)
        if way.named == "parent":
            gltf.node(name=solid.name, children=[child])
    if way.scenes:
        # Another scene, and a node that no scene shows.
        hidden = gltf.node(root=False, name="hidden", mesh=0)
        gltf.add("scenes", {"nodes": [hidden]})
        gltf.node(root=False, name="loose", mesh=0)
    return gltf


def solid_triangles(solid: Solid) -> tuple[np.ndarray, np.ndarray]:
    if solid.name != "bracket":
        return triangles(solid)
    # The notch of the bracket by hand: a fan of its reflex corner is no cover, two quads are.
    low, high = ((0, 5, 4, 1), (1, 4, 3, 2)), ((6, 7, 10, 11), (7, 8, 9, 10))
    quads = (*low, *high, *solid.faces[2:])
    return triangles(Solid(solid.name, solid.points, quads))


def transform(placed: str) -> np.ndarray:
    T = np.eye(4)
    if placed in ("trs", "matrix"):
        T[:3, :3] = ROTATION.as_matrix() * np.array([2.0, 1.25, 1.5])
        T[:3, 3] = [0.1, -0.2, 0.3]
    elif placed == "mirrored":
        T[:3, :3] = np.diag([-1.0, 1, 1])
    return T


def placing(placed: str) -> dict:
    T = transform(placed)
    if placed == "trs":
        return {
            "translation": T[:3, 3].tolist(),
            "rotation": ROTATION.as_quat().tolist(),
            "scale": [2.0, 1.25, 1.5],
        }
    return {} if placed == "vertices" else {"matrix": T.T.reshape(-1).tolist()}


@settings(max_examples=60, deadline=None)
@given(SPELLINGS)
def test_every_spelling_is_the_same_chair(tmp_path_factory: pytest.TempPathFactory, way: Spelling) -> None:
    path = written(chair(), way).write(tmp_path_factory.mktemp("gltf") / "chair.glb", way.container)
    file = read_mesh_file(path)
    # 16 bits hold a unit to 3e-5, some parts are stretched twice.
    assert_same(file, chair(), 1e-4 if way.normalized else 1e-6)
    assert [part.name for part in file.parts] == sorted(solid.name for solid in chair())
    assert len(files_named(path)) == (way.container == "beside")


SEEN_BY_BLENDER = """
import sys, bpy, json
bpy.ops.wm.read_factory_settings(use_empty=True)
found = []
for path in sys.argv[1:]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=path, disable_bone_shape=True)
    bpy.context.view_layer.update()
    rows = []
    for thing in bpy.data.objects:
        if thing.type == "MESH":
            graph = bpy.context.evaluated_depsgraph_get()
            data = thing.evaluated_get(graph).data
            data.calc_loop_triangles()
            points = [thing.matrix_world @ v.co for v in data.vertices]
            # A mirrored object keeps the order of its corners in Blender, which turns its faces round.
            turn = -1 if thing.matrix_world.determinant() < 0 else 1
            for t in data.loop_triangles:
                layer = data.uv_layers.active
                uv = [list(layer.data[l].uv) for l in t.loops] if layer else None
                rows.append([[list(points[v]) for v in t.vertices][::turn], uv])
    found.append(rows)
print("FOUND" + json.dumps(found))
"""


def seen_by_blender(paths: list[Path]) -> list[list]:
    """Triangles in glTF's frame and texture coordinates, as Blender's own importer reads them."""
    import json

    done = subprocess.run(
        [sys.executable, "-c", SEEN_BY_BLENDER, *map(str, paths)], capture_output=True, text=True, timeout=300
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("FOUND")), None)
    assert line is not None, done.stderr[-2000:]
    return json.loads(line.removeprefix("FOUND"))


def sorted_triangles(corners: np.ndarray) -> np.ndarray:
    """Triangles (F, 3, 3) in an order of their own: each from its least corner, then by centre."""
    keys = np.round(corners, 4)
    first = [int(np.lexsort(tri.T[::-1])[0]) for tri in keys]
    turned = np.stack([np.roll(tri, -k, axis=0) for tri, k in zip(corners, first, strict=True)])
    return turned[np.lexsort(np.round(turned.reshape(len(turned), -1), 4).T[::-1])]


@pytest.mark.cycles
def test_blender_reads_the_same_triangles(tmp_path: Path) -> None:
    ways = [
        Spelling("glb", "u2", "triangles", 0, False, "trs", "node", False, False),
        Spelling("beside", "u4", "strips", 16, True, "matrix", "mesh", False, False),
        Spelling("inline", "u1", "fans", 28, False, "mirrored", "parent", False, False),
        Spelling("glb", "", "triangles", 0, True, "trs", "node", True, False),
    ]
    paths = []
    for k, way in enumerate(ways):
        (tmp_path / str(k)).mkdir()
        paths.append(written(chair(), way).write(tmp_path / str(k) / "chair.glb", way.container))
    paths += [skinned().write(tmp_path / "skin.glb"), morphed().write(tmp_path / "morph.glb")]
    for path, rows in zip(paths, seen_by_blender(paths), strict=True):
        theirs = np.array([corners for corners, _ in rows])
        theirs = np.stack([theirs[..., 0], theirs[..., 2], -theirs[..., 1]], axis=-1)  # z up to y up
        ours = read_mesh_file(path).mesh.triangles
        assert ours.shape == theirs.shape, path
        assert np.abs(sorted_triangles(ours) - sorted_triangles(theirs)).max() < 2e-4, path


def skinned() -> Gltf:
    """A box whose upper half hangs on a bent joint; the node's own place does not count."""
    gltf = Gltf()
    solid = chair()[0]
    points, faces = triangles(solid)
    upper = points[:, 1] > 0.44
    joints = np.zeros((8, 4))
    joints[:, 0] = upper
    weights = np.zeros((8, 4))
    weights[:, 0] = 1
    bend = Rotation.from_euler("x", 30, degrees=True)
    attributes = {
        "POSITION": gltf.accessor(points, min=points.min(0).tolist(), max=points.max(0).tolist()),
        "JOINTS_0": gltf.accessor(joints, "u1"),
        "WEIGHTS_0": gltf.accessor(weights),
    }
    mesh = gltf.mesh({"attributes": attributes, "indices": gltf.accessor(faces.reshape(-1), "u2")})
    bone = gltf.node(root=False, name="tip", translation=[0, 0.1, 0], rotation=bend.as_quat().tolist())
    base = gltf.node(name="base", children=[bone])
    inverse = np.stack([np.eye(4), np.eye(4)])
    inverse[1, 1, 3] = -0.1
    skin = gltf.add(
        "skins",
        {"joints": [base, bone], "inverseBindMatrices": gltf.accessor(inverse.transpose(0, 2, 1).reshape(2, 16))},
    )
    gltf.node(name="seat", mesh=mesh, skin=skin)
    return gltf


def morphed() -> Gltf:
    """A box with a morph target at 0.5."""
    gltf = Gltf()
    points, faces = triangles(chair()[0])
    delta = np.where(points > 0.3, 0.2, 0.0)
    primitive = {
        "attributes": {"POSITION": gltf.accessor(points, min=points.min(0).tolist(), max=points.max(0).tolist())},
        "indices": gltf.accessor(faces.reshape(-1), "u2"),
        "targets": [{"POSITION": gltf.accessor(delta, min=delta.min(0).tolist(), max=delta.max(0).tolist())}],
    }
    gltf.node(name="seat", mesh=gltf.mesh(primitive, weights=[0.5]))
    return gltf


def test_skins_and_morph_targets_stand_as_they_rest(tmp_path: Path) -> None:
    points, _ = triangles(chair()[0])
    mesh = read_mesh_file(morphed().write(tmp_path / "a.glb")).mesh
    assert np.allclose(mesh.vertices, points + np.where(points > 0.3, 0.1, 0), atol=1e-6)
    mesh = read_mesh_file(skinned().write(tmp_path / "b.glb")).mesh
    bend = Rotation.from_euler("x", 30, degrees=True).as_matrix()
    upper = points[:, 1] > 0.44
    moved = np.where(upper[:, None], (points - [0, 0.1, 0]) @ bend.T + [0, 0.1, 0], points)
    assert np.allclose(mesh.vertices, moved, atol=1e-6)


def test_instances_are_parts_of_their_own(tmp_path: Path) -> None:
    gltf = Gltf()
    gltf.use("EXT_mesh_gpu_instancing")
    leg = next(solid for solid in chair() if solid.name == "leg_1")
    points, faces = triangles(leg)
    mesh = gltf.mesh(
        {"attributes": {"POSITION": gltf.accessor(points)}, "indices": gltf.accessor(faces.reshape(-1), "u2")}
    )
    shifts = np.array([[0, 0, 0], [0.46, 0, 0], [0, 0, -0.46], [0.46, 0, -0.46]])
    attributes = {"TRANSLATION": gltf.accessor(shifts)}
    gltf.node(name="leg", mesh=mesh, extensions={"EXT_mesh_gpu_instancing": {"attributes": attributes}})
    parts = read_mesh_file(gltf.write(tmp_path / "a.glb")).parts
    assert [part.name for part in parts] == ["leg", "leg_2", "leg_3", "leg_4"]
    for part, shift in zip(parts, shifts, strict=True):
        assert np.allclose(part.mesh.vertices, points + shift, atol=1e-6)


def test_draco_is_decoded_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draco = pytest.importorskip("DracoPy", reason="the extra `draco` is not installed")
    gltf = Gltf()
    gltf.use("KHR_draco_mesh_compression")
    points, faces = triangles(chair()[0])
    data = draco.encode(points, faces.astype(np.uint32), quantization_bits=20)
    (position,) = (a["unique_id"] for a in draco.decode(data).attributes)
    shape = {"componentType": 5126, "count": len(points), "type": "VEC3"}
    attributes = {"POSITION": gltf.add("accessors", shape)}
    extension = {"bufferView": gltf.view(data), "attributes": {"POSITION": position}}
    primitive = {"attributes": attributes, "extensions": {"KHR_draco_mesh_compression": extension}}
    gltf.node(name="seat", mesh=gltf.mesh(primitive))
    path = gltf.write(tmp_path / "a.glb")
    assert_same(read_mesh_file(path), chair()[:1], 1e-5)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    fallback = plain()
    fallback.use("KHR_draco_mesh_compression", required=False)
    fallback.document["meshes"][0]["primitives"][0]["extensions"] = primitive["extensions"]
    assert_same(read_mesh_file(fallback.write(tmp_path / "b.glb")), chair()[:1])
    with pytest.raises(MissingDependency, match=r"a\.glb: needs DracoPy.*datagen\[draco\]"):
        read_mesh_file(path)


def plain() -> Gltf:
    gltf = Gltf()
    points, faces = triangles(chair()[0])
    gltf.node(
        name="seat",
        mesh=gltf.mesh(
            {"attributes": {"POSITION": gltf.accessor(points)}, "indices": gltf.accessor(faces.reshape(-1), "u2")}
        ),
    )
    return gltf


def test_a_node_scaled_to_nothing_is_left_out_with_a_word(tmp_path: Path) -> None:
    gltf = plain()
    gltf.node(name="hidden", mesh=0, scale=[0, 0, 0])
    file = read_mesh_file(gltf.write(tmp_path / "a.glb"))
    assert_same(file, chair()[:1])
    assert file.warnings == ("node scaled to nothing left out: a.glb hidden",)


@pytest.mark.parametrize(
    "name", ["EXT_meshopt_compression", "KHR_texture_basisu", "KHR_materials_volume", "ACME_unheard_of"]
)
def test_required_extensions_that_are_not_read_are_refused(tmp_path: Path, name: str) -> None:
    gltf = plain()
    gltf.use(name)
    with pytest.raises(MeshLoadError, match=rf"a\.glb: it requires the extension {name}"):
        read_mesh_file(gltf.write(tmp_path / "a.glb"))
    gltf = plain()
    gltf.use(name, required=False)
    assert_same(read_mesh_file(gltf.write(tmp_path / "b.glb")), chair()[:1])


def broken(change: str) -> Gltf:
    gltf = plain()
    accessors, views = gltf.document["accessors"], gltf.document["bufferViews"]
    match change:
        case "count":
            accessors[0]["count"] = 99
        case "view":
            views[0]["byteLength"] = 10_000
        case "index":
            gltf.data[views[1]["byteOffset"] : views[1]["byteOffset"] + 2] = b"\xff\x00"
        case "mode":
            gltf.document["meshes"][0]["primitives"][0]["mode"] = 7
        case "cycle":
            gltf.document["nodes"][0]["children"] = [0]
        case "mesh":
            gltf.document["nodes"][0]["mesh"] = 5
        case "version":
            gltf.document["asset"]["version"] = "1.0"
        case "position":
            gltf.document["meshes"][0]["primitives"][0]["attributes"] = {}
        case "type":
            accessors[0]["componentType"] = "f4"
        case "sparse":
            accessors[0]["sparse"] = {"count": 3}
    return gltf


@pytest.mark.parametrize(
    "change", ["count", "view", "index", "mode", "cycle", "mesh", "version", "position", "type", "sparse"]
)
def test_damage_is_refused_by_the_files_name(tmp_path: Path, change: str) -> None:
    path = broken(change).write(tmp_path / "a.glb")
    with pytest.raises(MeshLoadError, match=r"a\.glb: "):
        read_mesh_file(path)


def test_cut_files_and_missing_buffers_are_refused(tmp_path: Path) -> None:
    path = plain().write(tmp_path / "a.glb")
    data = path.read_bytes()
    for cut in (3, 15, 40, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(MeshLoadError, match=r"a\.glb: "):
            read_mesh_file(path)
    path.write_bytes(data + b"\0\0\0\0")
    with pytest.raises(MeshLoadError, match=r"whose header says"):
        read_mesh_file(path)
    path = plain().write(tmp_path / "b.glb", "beside")
    (tmp_path / "my data ä.bin").unlink()
    with pytest.raises(MeshLoadError, match=r"b\.gltf: its buffer my data ä\.bin is missing"):
        read_mesh_file(path)
