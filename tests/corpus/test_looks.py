"""What files look like: coordinates, transforms, packed images, vertex colours, paths of textures, what is missing."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.core.colour import linear_from_srgb
from datagen.shapes.collections import open_collection
from datagen.shapes.looks import TexturedPiece, load_textured
from tests.corpus.gltf_writer import Gltf

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
QUARTERS = np.array([[RED, GREEN], [BLUE, WHITE]], dtype=np.uint8)
"""Red at the upper left, green right of it, blue below."""
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)
UV_DOWN = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype=float)
"""glTF's coordinates (v downwards) that lay an image upright on the square."""


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path_factory.mktemp("cache")))


def png(pixels: np.ndarray = QUARTERS, size: int = 16) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    image.resize((size, size), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def shown(piece: TexturedPiece, x: float, y: float, channel: str = "base_color") -> tuple[int, ...]:
    """The stored value of a map at a point (x, y) of the unit square, as a renderer looks it up; nearest pixel."""
    assert piece.skin is not None and piece.skin.uv is not None
    for face, (a, b, c) in enumerate(piece.mesh.triangles[..., :2]):
        s, t = np.linalg.solve(np.stack([b - a, c - a], axis=1), np.array([x, y]) - a)
        if s >= -1e-9 and t >= -1e-9 and s + t <= 1 + 1e-9:
            ua, ub, uc = piece.skin.uv[face]
            u, v = ua + s * (ub - ua) + t * (uc - ua)
            material = piece.materials[piece.skin.slot[face]]
            pixels = np.asarray(Image.open(material.maps[channel]))
            height, width = pixels.shape[:2]
            value = pixels[int((1 - v % 1) * height) % height, int(u % 1 * width) % width]
            return tuple(np.atleast_1d(value).tolist())
    raise AssertionError("outside the square")


CORNERS = {(0.25, 0.75): RED, (0.75, 0.75): GREEN, (0.25, 0.25): BLUE, (0.75, 0.25): WHITE}
"""Where the image's quarters show when it lies upright."""


def square(gltf: Gltf, material: dict | None, uv: np.ndarray = UV_DOWN, kind: str = "f4", **attributes: int) -> Gltf:
    """A textured square; coordinates in a set of their own type."""
    values = np.round(uv * np.iinfo(kind).max) if kind != "f4" else uv
    entry = {"normalized": True} if kind != "f4" else {}
    named = {"POSITION": gltf.accessor(SQUARE), "TEXCOORD_0": gltf.accessor(values, kind, **entry), **attributes}
    primitive = {"attributes": named, "indices": gltf.accessor(np.array([0, 1, 2, 0, 2, 3]), "u1")}
    if material is not None:
        primitive["material"] = gltf.add("materials", material)
    gltf.node(name="square", mesh=gltf.mesh(primitive))
    return gltf


def loaded(gltf: Gltf, tmp_path: Path) -> tuple[TexturedPiece, tuple[str, ...]]:
    (piece,), warnings = load_textured(gltf.write(tmp_path / "square.glb"))
    return piece, warnings


@pytest.mark.parametrize("kind", ["f4", "u1", "u2"])
def test_an_image_lies_upright(tmp_path: Path, kind: str) -> None:
    gltf = Gltf()
    info = {"index": gltf.image(png())}
    piece, warnings = loaded(square(gltf, {"pbrMetallicRoughness": {"baseColorTexture": info}}, kind=kind), tmp_path)
    assert {place: shown(piece, *place) for place in CORNERS} == CORNERS and not warnings


def test_the_second_set_of_coordinates(tmp_path: Path) -> None:
    gltf = Gltf()
    info = {"index": gltf.image(png()), "texCoord": 1}
    second = gltf.accessor(UV_DOWN[[1, 2, 3, 0]])
    gltf = square(gltf, {"pbrMetallicRoughness": {"baseColorTexture": info}}, TEXCOORD_1=second)
    piece, _ = loaded(gltf, tmp_path)
    turned = {(0.25, 0.25): WHITE, (0.75, 0.25): GREEN, (0.75, 0.75): RED, (0.25, 0.75): BLUE}
    assert {place: shown(piece, *place) for place in turned} == turned


TRANSFORMS = [
    ({"offset": [0.5, 0.0]}, {(0.25, 0.75): GREEN, (0.75, 0.75): RED}),
    ({"scale": [0.5, 0.5]}, dict.fromkeys(CORNERS, RED)),
    ({"offset": [0.0, 0.5], "scale": [0.25, 0.25]}, dict.fromkeys(CORNERS, BLUE)),
    # A quarter turn counter-clockwise of the coordinates: (u, v) looks at (v, -u).
    ({"rotation": np.pi / 2}, {(0.25, 0.75): BLUE, (0.75, 0.75): RED, (0.25, 0.25): WHITE, (0.75, 0.25): GREEN}),
]


@pytest.mark.parametrize(("transform", "wanted"), TRANSFORMS)
def test_texture_transforms(tmp_path: Path, transform: dict, wanted: dict) -> None:
    gltf = Gltf()
    gltf.use("KHR_texture_transform")
    info = {"index": gltf.image(png()), "extensions": {"KHR_texture_transform": transform}}
    piece, _ = loaded(square(gltf, {"pbrMetallicRoughness": {"baseColorTexture": info}}), tmp_path)
    assert {place: shown(piece, *place) for place in wanted} == wanted


def test_mirrored_repeats(tmp_path: Path) -> None:
    gltf = Gltf()
    sampler = gltf.add("samplers", {"wrapS": 33648, "wrapT": 10497})
    info = {"index": gltf.image(png(), sampler=sampler)}
    piece, _ = loaded(square(gltf, {"pbrMetallicRoughness": {"baseColorTexture": info}}, uv=UV_DOWN * [2, 1]), tmp_path)
    row = [shown(piece, x, 0.75) for x in (0.125, 0.375, 0.625, 0.875)]
    assert row == [RED, GREEN, GREEN, RED]


def test_metalness_and_roughness_are_in_their_channels(tmp_path: Path) -> None:
    gltf = Gltf()
    packed = np.array([[(9, 200, 0), (9, 100, 255)]] * 2, dtype=np.uint8)
    pbr = {"baseColorFactor": [0.5, 0.5, 0.5, 1], "roughnessFactor": 0.5}
    pbr["metallicRoughnessTexture"] = {"index": gltf.image(png(packed))}
    piece, _ = loaded(square(gltf, {"pbrMetallicRoughness": pbr}), tmp_path)
    assert shown(piece, 0.25, 0.5, "roughness") == (100,) and shown(piece, 0.75, 0.5, "roughness") == (50,)
    assert shown(piece, 0.25, 0.5, "metallic") == (0,) and shown(piece, 0.75, 0.5, "metallic") == (255,)
    assert "base_color" not in piece.materials[0].maps
    assert piece.materials[0].base_color == pytest.approx((0.5, 0.5, 0.5), abs=1e-6), "factors are linear"


def test_defaults_are_those_of_the_specification(tmp_path: Path) -> None:
    piece, _ = loaded(square(Gltf(), {}), tmp_path)
    (material,) = piece.materials
    assert (material.roughness, material.metallic, material.base_color) == (1.0, 1.0, (1.0, 1.0, 1.0))


def test_specular_glossiness_is_converted(tmp_path: Path) -> None:
    gltf = Gltf()
    gltf.use("KHR_materials_pbrSpecularGlossiness")
    extension = {"diffuseTexture": {"index": gltf.image(png())}, "specularFactor": [0.04] * 3, "glossinessFactor": 0.2}
    gltf = square(gltf, {"extensions": {"KHR_materials_pbrSpecularGlossiness": extension}})
    piece, _ = loaded(gltf, tmp_path)
    assert {place: shown(piece, *place) for place in CORNERS} == CORNERS
    assert piece.materials[0].roughness == pytest.approx(0.8) and piece.materials[0].metallic == 0
    gltf = Gltf()
    gltf.use("KHR_materials_pbrSpecularGlossiness")
    gold = {"diffuseFactor": [0, 0, 0, 1], "specularFactor": [1.0, 0.77, 0.34], "glossinessFactor": 1.0}
    piece, _ = loaded(square(gltf, {"extensions": {"KHR_materials_pbrSpecularGlossiness": gold}}), tmp_path)
    (material,) = piece.materials
    assert material.metallic == pytest.approx(1.0, abs=0.02)
    assert material.base_color == pytest.approx((1.0, 0.77, 0.34), abs=0.03)


@pytest.mark.parametrize("kind", ["f4", "u1", "u2"])
@pytest.mark.parametrize("material", [None, {"pbrMetallicRoughness": {"metallicFactor": 0}}])
def test_vertex_colours_are_linear_and_at_corners(tmp_path: Path, kind: str, material: dict | None) -> None:
    gltf = Gltf()
    colors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.2, 0.4, 0.6]])
    values = np.round(colors * np.iinfo(kind).max) if kind != "f4" else colors
    entry = {"normalized": True} if kind != "f4" else {}
    piece, _ = loaded(square(gltf, material, COLOR_0=gltf.accessor(values, kind, **entry)), tmp_path)
    assert piece.skin is not None and piece.skin.color is not None
    assert piece.materials[0].vertex_color and piece.materials[0].metallic == (1.0 if material is None else 0.0)
    assert np.abs(piece.skin.color - colors[[[0, 1, 2], [0, 2, 3]]]).max() < 0.005
    assert piece.materials[0].mean_color == pytest.approx(tuple(colors[[0, 1, 2, 0, 2, 3]].mean(axis=0)), abs=0.005)


def test_colours_of_ply_and_obj_are_srgb(tmp_path: Path) -> None:
    head = "ply\nformat ascii 1.0\nelement vertex 3\n" + "".join(f"property float {c}\n" for c in "xyz")
    head += "".join(f"property uchar {c}\n" for c in ("red", "green", "blue"))
    head += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "a.ply").write_text(head + "0 0 0 128 0 0\n1 0 0 0 128 0\n0 1 0 0 0 128\n3 0 1 2\n")
    (tmp_path / "a.obj").write_text("v 0 0 0 0.50196 0 0\nv 1 0 0 0 0.50196 0\nv 0 1 0 0 0 0.50196\nf 1 2 3\n")
    half = float(linear_from_srgb(np.array(128 / 255)))
    for name in ("a.ply", "a.obj"):
        (piece,), _ = load_textured(tmp_path / name)
        assert piece.skin is not None and piece.skin.color is not None
        assert np.abs(piece.skin.color[0] - half * np.eye(3)).max() < 1e-4


def test_alpha_and_emission_are_told(tmp_path: Path) -> None:
    material = {"name": "glass", "alphaMode": "BLEND", "emissiveFactor": [1, 0, 0]}
    material["extensions"] = {"KHR_materials_transmission": {"transmissionFactor": 1}}
    _, warnings = loaded(square(Gltf(), material), tmp_path)
    assert [w.split(":")[0] for w in warnings] == [
        "material extension not shown",
        "transparency shown opaque",
        "emission not shown",
    ]


OBJ = "mtllib {mtl}\nusemtl m\n" + "".join(f"v {x} {y} {z}\n" for x, y, z in SQUARE)
OBJ += "".join(f"vt {u} {1 - v}\n" for u, v in UV_DOWN) + "f 1/1 2/2 3/3 4/4\n"


def write_obj(folder: Path, line: str, image: str, data: bytes | None = None, mtl: str = "m.mtl") -> Path:
    """A textured square as OBJ, with its image at a path seen from its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "square.obj").write_text(OBJ.format(mtl=mtl))
    (folder / "m.mtl").write_text(f"newmtl m\nKd 0.1 0.1 0.1\n{line}\n")
    target = Path(os.path.normpath(folder / image))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(png() if data is None else data)
    return folder / "square.obj"


@pytest.mark.parametrize(
    ("line", "image"),
    [
        ("map_Kd tex.png", "tex.png"),
        ("map_Kd ../images/tex.png", "../images/tex.png"),
        ("map_Kd ..\\images\\tex.png", "../images/tex.png"),
        ("map_Kd maps\\tex.png", "maps/tex.png"),
        ("map_Kd TEX.PNG", "tex.png"),
        ("map_Kd Maps/Tex.PNG", "maps/tex.png"),
        ("map_Kd C:\\Users\\bob\\scenes\\tex.png", "tex.png"),
        ("map_Kd /home/bob/scenes/tex.png", "textures/tex.png"),
        ("map_Kd C:\\Users\\bob\\tex.png", "../textures/tex.png"),
        ("map_Kd my  wood (1).png", "my  wood (1).png"),
        ("map_Kd -s 1 1 1 -o 0 0 0 my wood.png", "my wood.png"),
        ("map_Kd -clamp off -mm 0 1 -bm 1.0 tex.png", "tex.png"),
        ("  MAP_KD\ttex.png  # the wood", "tex.png"),
        ("map_Kd ./tex.png", "tex.png"),
    ],
)
def test_texture_paths(tmp_path: Path, line: str, image: str) -> None:
    path = write_obj(tmp_path / "collection" / "square", line, image)
    (piece,), warnings = load_textured(path, tmp_path / "collection")
    assert {place: shown(piece, *place) for place in CORNERS} == CORNERS and not warnings


def test_options_of_a_map_line_are_applied(tmp_path: Path) -> None:
    path = write_obj(tmp_path / "a", "map_Kd -s 0.5 0.5 -o 0.5 0.5 tex.png", "tex.png")
    (piece,), _ = load_textured(path)
    assert {shown(piece, *place) for place in CORNERS} == {GREEN}


def test_nothing_outside_the_collection_is_opened(tmp_path: Path) -> None:
    path = write_obj(tmp_path / "a" / "b" / "square", "map_Kd ../../../secret.png", "../../../secret.png")
    (piece,), warnings = load_textured(path, tmp_path / "a")
    assert piece.skin is None and warnings[0] == "texture missing: m.mtl names ../../../secret.png"
    absolute = write_obj(tmp_path / "c" / "square", f"map_Kd {tmp_path}/secret.png", "tex.png")
    (piece,), warnings = load_textured(absolute, tmp_path / "c")
    assert piece.skin is None and warnings[0].startswith("texture missing")


@pytest.mark.parametrize(
    ("line", "data", "kind"),
    [
        ("map_Kd gone.png", None, "texture missing"),
        ("map_Kd tex.png", b"no image at all", "texture not read"),
        ("map_Kd tex.png", png()[:60], "texture not read"),
    ],
)
def test_what_cannot_be_shown_is_dressed_instead_with_a_word(
    tmp_path: Path, line: str, data: bytes | None, kind: str
) -> None:
    (piece,), warnings = load_textured(write_obj(tmp_path / "a", line, "tex.png", data))
    kinds = [warning.split(":")[0] for warning in warnings]
    assert piece.skin is None and kinds[0] == kind and kinds[-1] in ("dressed instead", kind)


def test_a_missing_material_file_is_told(tmp_path: Path) -> None:
    path = write_obj(tmp_path / "a", "map_Kd tex.png", "tex.png", mtl="other.mtl")
    (piece,), warnings = load_textured(path)
    assert piece.skin is None and warnings == ("material file missing: square.obj names other.mtl",)


def test_sixteen_bit_textures_are_scaled(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4), 32896, np.uint16)).save(buffer, "PNG")
    (piece,), _ = load_textured(write_obj(tmp_path / "a", "map_Kd tex.png", "tex.png", buffer.getvalue()))
    assert shown(piece, 0.5, 0.4) == (128, 128, 128)


def test_a_texture_outside_the_folder_belongs_to_the_digest(tmp_path: Path) -> None:
    write_obj(tmp_path / "collection" / "square", "map_Kd ../images/tex.png", "../images/tex.png")
    for textured in (True, False):
        source = open_collection(str(tmp_path / "collection"), textured=textured)
        (entry,) = source.entries()
        before = source.digest(entry.shape_id)
        image = tmp_path / "collection" / "images" / "tex.png"
        image.write_bytes(png(QUARTERS[::-1]))
        assert source.digest(entry.shape_id) != before
        image.write_bytes(png())
        assert source.digest(entry.shape_id) == before
        (tmp_path / "collection" / "square" / "notes.png").write_bytes(b"beside")
        assert source.digest(entry.shape_id) == before
