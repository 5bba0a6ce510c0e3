"""Box projection, and Blender's smart projection at one texel density."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from datagen.core.shape import Mesh, concatenate
from datagen.geometry.uv import box_projection, part_axes


def box(extents: tuple[float, float, float], centre: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    made = trimesh.creation.box(extents=extents)
    return Mesh(made.vertices + np.array(centre), made.faces)


def refined(mesh: Mesh, times: int = 3) -> Mesh:
    made = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    for _ in range(times):
        made = made.subdivide()
    return Mesh(made.vertices, made.faces)


def turned(mesh: Mesh, axis: tuple[float, float, float], angle_deg: float) -> Mesh:
    return mesh.transformed(trimesh.transformations.rotation_matrix(np.radians(angle_deg), axis))


def u_directions(mesh: Mesh, uv: np.ndarray) -> np.ndarray:
    """Direction in space (F, 3) in which u grows fastest on each face."""
    p, q = mesh.triangles[:, 1] - mesh.triangles[:, 0], mesh.triangles[:, 2] - mesh.triangles[:, 0]
    du = np.stack([uv[:, 1, 0] - uv[:, 0, 0], uv[:, 2, 0] - uv[:, 0, 0]], axis=1)
    gram = np.stack([np.stack([(p * p).sum(1), (p * q).sum(1)], 1), np.stack([(p * q).sum(1), (q * q).sum(1)], 1)], 1)
    a, b = np.linalg.solve(gram, du[..., None])[..., 0].T
    gradient = a[:, None] * p + b[:, None] * q
    return gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-12)


def uv_areas(uv: np.ndarray) -> np.ndarray:
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


@pytest.mark.parametrize("angle_deg", [0, 12, 37])
def test_a_leg_has_unit_density_and_grain_along_it(angle_deg: float) -> None:
    leg = turned(box((0.08, 0.1, 1.0)), (1, 1, 0), angle_deg)
    uv = box_projection(leg)
    assert uv.shape == (12, 3, 2)
    assert np.allclose(uv_areas(uv), leg.face_areas, rtol=1e-6)
    along = turned(Mesh(np.eye(3) * 1.0, np.array([[0, 1, 2]])), (1, 1, 0), angle_deg).vertices[2]
    sides = leg.face_areas > 0.02
    assert sides.sum() == 8
    assert (np.abs(u_directions(leg, uv)[sides] @ along) > 0.999).all()


def test_grain_follows_an_l_shaped_arm() -> None:
    post, rest = box((0.06, 0.06, 0.6), (0, 0, 0.3)), box((0.06, 0.9, 0.05), (0, 0.42, 0.62))
    arm = refined(concatenate([post, rest]))
    uv = box_projection(arm)
    directions, centres = u_directions(arm, uv), arm.triangles.mean(axis=1)
    in_post = (centres[:, 2] > 0.06) & (centres[:, 2] < 0.5)
    in_rest = (centres[:, 1] > 0.15) & (centres[:, 1] < 0.8)
    assert np.mean(np.abs(directions[in_post][:, 2]) > 0.99) > 0.95
    assert np.mean(np.abs(directions[in_rest][:, 1]) > 0.99) > 0.9


def test_grain_runs_along_a_curved_leg() -> None:
    angle = np.linspace(0, np.radians(60), 40)
    path = np.stack([1.2 - 1.2 * np.cos(angle), np.zeros(40), 1.2 * np.sin(angle)], axis=1)
    ring = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    normal = np.stack([np.cos(angle), np.zeros(40), -np.sin(angle)], axis=1)
    rings = path[:, None] + 0.04 * (
        np.cos(ring)[None, :, None] * normal[:, None] + np.sin(ring)[None, :, None] * [0, 1, 0]
    )
    i, j = np.meshgrid(np.arange(39), np.arange(12), indexing="ij")
    a, b, c, d = i * 12 + j, (i + 1) * 12 + j, (i + 1) * 12 + (j + 1) % 12, i * 12 + (j + 1) % 12
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    leg = Mesh(rings.reshape(-1, 3), faces)
    tangent = np.stack([np.sin(angle), np.zeros(40), np.cos(angle)], axis=1)[faces[:, 0] // 12]
    along = np.abs((u_directions(leg, box_projection(leg)) * tangent).sum(axis=1))
    assert np.median(along) > 0.9


def test_a_square_seat_keeps_the_world_axes_and_a_tilted_back_finds_its_own() -> None:
    assert np.allclose(np.abs(part_axes(box((0.6, 0.6, 0.05)))), np.eye(3))
    back = turned(box((0.6, 0.04, 0.6)), (1, 0, 0), 15)
    axes = part_axes(back)
    assert np.isclose(abs(axes[2] @ [0, np.cos(np.radians(15)), np.sin(np.radians(15))]), 1)
    assert np.allclose(uv_areas(box_projection(back)), back.face_areas)


def test_projection_is_deterministic_and_translation_moves_nothing() -> None:
    ball = trimesh.creation.icosphere(3)
    mesh = Mesh(ball.vertices * [0.2, 0.3, 1.0], ball.faces)
    moved = Mesh(mesh.vertices + np.array([0.25, 0.5, -1.0]), mesh.faces)
    assert np.array_equal(box_projection(mesh), box_projection(Mesh(mesh.vertices, mesh.faces)))
    assert np.allclose(box_projection(mesh), box_projection(moved), atol=1e-9)


def test_degenerate_faces_do_no_harm() -> None:
    line = Mesh(np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2], [0, 0, 0]]))
    assert np.isfinite(box_projection(line)).all()


_SMART = """
import sys
import bpy
import numpy as np
import trimesh
from datagen.core.material import Material
from datagen.render.blender import shader, uv

def unwrapped(extents, projection, tile_size):
    made = trimesh.creation.box(extents=extents).subdivide().subdivide()
    data = bpy.data.meshes.new("part")
    data.from_pydata(made.vertices.tolist(), [], made.faces.tolist())
    thing = bpy.data.objects.new("part", data)
    bpy.context.scene.collection.objects.link(thing)
    uv.unwrap(thing, projection, tile_size, (0.25, 0.5))
    out = np.empty(2 * len(data.loops), dtype=np.float32)
    data.uv_layers.active.uv.foreach_get("vector", out)
    return made, out.reshape(-1, 3, 2).astype(float)

bpy.ops.wm.read_factory_settings(use_empty=True)
for extents in ((0.05, 0.05, 1.0), (0.7, 0.7, 0.1)):
    for projection in ("smart", "box"):
        made, first = unwrapped(extents, projection, 0.5)
        _, second = unwrapped(extents, projection, 0.5)
        assert np.array_equal(first, second), "not deterministic"
        a, b = first[:, 1] - first[:, 0], first[:, 2] - first[:, 0]
        density = np.sqrt(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2 / made.area_faces)
        print(projection, extents, density.min(), density.max())
        assert np.allclose(density, 2.0, rtol=0.02), "wrong density"

path = sys.argv[1]
maps = {"base_color": path, "roughness": path, "normal": path}
built = shader.build(Material("m", "wood", maps, sheen=0.3, coat=0.2))
shader.build(Material("n", "wood", maps))
images = [image.name for image in bpy.data.images]
spaces = sorted(n.image.colorspace_settings.name for n in built.node_tree.nodes if n.type == "TEX_IMAGE")
assert len(images) == 1, images
bsdf = built.node_tree.nodes["Principled BSDF"]
assert all(bsdf.inputs[name].is_linked for name in ("Base Color", "Roughness", "Normal"))
assert not bsdf.inputs["Metallic"].is_linked
assert abs(bsdf.inputs["Sheen Weight"].default_value - 0.3) < 1e-6
for bad in ({"base_color": path + ".gone"},):
    try:
        shader.build(Material("x", "wood", bad))
    except Exception as error:
        assert "is not there" in str(error), error
    else:
        raise AssertionError("a missing texture went unnoticed")
print("fine")
"""


def test_blender_keeps_one_texel_density_and_loads_images_once(tmp_path: Path) -> None:
    from PIL import Image

    texture = tmp_path / "texture.png"
    Image.new("RGB", (4, 4), (120, 90, 60)).save(texture)
    done = subprocess.run(
        [sys.executable, "-c", _SMART, str(texture)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0 and "fine" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
