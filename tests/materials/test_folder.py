"""Image-set folders: naming, conventions, what is left out, what breaks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.core.errors import MaterialError
from datagen.core.rng import stream
from datagen.materials import images
from datagen.materials.folder import load_folder
from datagen.materials.names import classify, parse
from datagen.materials.procedural.noise import power_noise

SHARED = Path(__file__).parents[3] / "shared" / "samples" / "pbr_materials"


def noise_image(seed: int, size: int = 32, low: int = 40, high: int = 160) -> np.ndarray:
    return stream(seed, "image").integers(low, high, (size, size, 3), dtype=np.uint8)


def save(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.mark.parametrize(
    ("stem", "channel", "set_name"),
    [
        ("Wood051_1K_Color", "base_color", "Wood051"),
        ("Wood051_1K-JPG_NormalGL", "normal_gl", "Wood051"),
        ("Wood051_1K-JPG_NormalDX", "normal_dx", "Wood051"),
        ("Metal007_1K_Metalness", "metallic", "Metal007"),
        ("Metal007_1K_Displacement", "height", "Metal007"),
        ("oak_veneer_01_diff_1k", "base_color", "oak_veneer_01"),
        ("oak_veneer_01_nor_gl_1k", "normal_gl", "oak_veneer_01"),
        ("oak_veneer_01_rough_1k", "roughness", "oak_veneer_01"),
        ("oak_veneer_01_arm_1k", "arm", "oak_veneer_01"),
        ("oak_veneer_01_disp_4k", "height", "oak_veneer_01"),
        ("FabricPlain01_COL_VAR1_1K", "base_color", "FabricPlain01"),
        ("FabricPlain01_GLOSS_1K", "gloss", "FabricPlain01"),
        ("map_diff", "base_color", ""),
        ("basecolor", "base_color", ""),
        ("albedo", "base_color", ""),
        ("normal_dx", "normal_dx", ""),
        ("normal", "normal", ""),
        ("orm", "arm", ""),
        ("ao", "ao", ""),
    ],
)
def test_names(stem: str, channel: str, set_name: str) -> None:
    name = parse(stem)
    assert name is not None
    assert (name.channel, name.set_name) == (channel, set_name)


def test_a_preview_is_no_map() -> None:
    assert parse("Wood051") is None
    assert parse("anisotropy_flow") is None


@pytest.mark.parametrize(
    ("name", "material_class"),
    [
        ("WoodFloor043", "wood"),
        ("wood_table_worn", "wood"),
        ("fabric_leather_02", "leather"),
        ("Metal055A", "metal"),
        ("Plastic012B", "plastic"),
        ("denim_fabric", "fabric"),
        ("plastered_wall", ""),
        ("Marble006", ""),
        ("Tiles036", ""),
        ("Onyx003", ""),
        ("fabric_sofa_03_uvatlas", ""),
        ("something_else", ""),
    ],
)
def test_classes(name: str, material_class: str) -> None:
    row = classify(name)
    assert row.material_class == material_class
    assert bool(row.left_out) == (material_class == "")


def _ambientcg(root: Path) -> None:
    for suffix in ("Color", "NormalGL", "Roughness", "Displacement"):
        save(root / "Wood051_1K-PNG" / f"Wood051_1K-PNG_{suffix}.png", noise_image(1))
    save(root / "Wood051_1K-PNG" / "Wood051.png", noise_image(2))


def _poly_haven(root: Path) -> None:
    for suffix in ("diff", "nor_gl", "rough", "disp"):
        save(root / "wood_panel" / "textures" / f"wood_panel_{suffix}_1k.png", noise_image(1))


def _flat(root: Path) -> None:
    for name in ("oak", "steel"):
        save(root / f"{name}_diffuse.png", noise_image(1))
        save(root / f"{name}_roughness.png", noise_image(2)[..., 0])


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (_ambientcg, {"Wood051_1K-PNG": "wood"}),
        (_poly_haven, {"wood_panel.textures": "wood"}),
        (_flat, {"oak": "wood", "steel": "metal"}),
    ],
)
def test_layouts(layout: Callable[[Path], None], expected: dict[str, str], tmp_path: Path) -> None:
    layout(tmp_path / "sets")
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    assert {m.material_id: m.material_class for m in library.materials} == expected
    for material in library.materials:
        prepared = library.prepare(material.material_id)
        assert {"base_color", "roughness"} <= set(prepared.maps)
        assert prepared.digest and material.digest == ""


def test_directx_is_flipped_and_unstated_is_opengl_with_a_warning(tmp_path: Path) -> None:
    normal = noise_image(3)
    for name in ("gl", "dx", ""):
        folder = tmp_path / "sets" / f"plastic_{name or 'unstated'}"
        save(folder / "basecolor.png", noise_image(1))
        save(folder / (f"normal_{name}.png" if name else "normal.png"), normal)
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    maps = {i: pixels(library.prepare(f"plastic_{i}").maps["normal"]) for i in ("gl", "dx", "unstated")}
    assert np.array_equal(maps["gl"], normal)
    assert np.array_equal(maps["dx"][..., 1], 255 - normal[..., 1])
    assert np.array_equal(maps["unstated"], normal)
    assert [w for w in library.warnings if "plastic_unstated" in w and "OpenGL" in w]
    assert not [w for w in library.warnings if "plastic_dx" in w]


def test_packed_arm_is_split_and_sizes_may_differ(tmp_path: Path) -> None:
    packed = noise_image(4, size=16)
    save(tmp_path / "sets" / "metal_grate" / "metal_grate_diff_1k.png", noise_image(1, size=64))
    save(tmp_path / "sets" / "metal_grate" / "metal_grate_arm_1k.png", packed)
    material = load_folder(tmp_path / "sets", cache=tmp_path / "cache").prepare("metal_grate")
    assert np.array_equal(pixels(material.maps["roughness"]), packed[..., 1])
    assert np.array_equal(pixels(material.maps["metallic"]), packed[..., 2])
    assert pixels(material.maps["base_color"]).shape == (64, 64, 3)


def test_missing_maps_are_constants_of_the_class(tmp_path: Path) -> None:
    for name in ("steel", "linen"):
        save(tmp_path / "sets" / name / "albedo.png", noise_image(1))
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    steel, linen = library.prepare("steel"), library.prepare("linen")
    assert set(steel.maps) == {"base_color"}
    assert (steel.metallic, linen.metallic) == (1.0, 0.0)
    assert linen.roughness > 0.8 and linen.sheen > 0


def test_height_alone_becomes_a_normal_map(tmp_path: Path) -> None:
    save(tmp_path / "sets" / "leather" / "basecolor.png", noise_image(1))
    ramp = np.tile((np.minimum(np.arange(32), 31 - np.arange(32)) * 8).astype(np.uint8), (32, 1))
    save(tmp_path / "sets" / "leather" / "height.png", ramp)
    material = load_folder(tmp_path / "sets", cache=tmp_path / "cache").prepare("leather")
    normal = pixels(material.maps["normal"]).astype(int)
    assert normal[10, 8, 0] < 127 < normal[10, 24, 0], "x points down the slope"


def test_atlas_is_left_out(tmp_path: Path) -> None:
    picture = noise_image(5, size=64)
    picture[:, 40:] = 0
    save(tmp_path / "sets" / "leather_sofa" / "basecolor.png", picture)
    save(tmp_path / "sets" / "leather_plain" / "basecolor.png", noise_image(5, size=64))
    save(tmp_path / "sets" / "plastic_red" / "basecolor.png", np.full((64, 64, 3), 90, dtype=np.uint8))
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    assert [m.material_id for m in library.materials] == ["leather_plain", "plastic_red"]
    assert dict(library.left_out)["leather_sofa"].count("atlas") == 1


def test_truncated_texture_leaves_the_set_out_and_names_the_file(tmp_path: Path) -> None:
    save(tmp_path / "sets" / "oak" / "basecolor.png", noise_image(1))
    broken = save(tmp_path / "sets" / "pine" / "basecolor.png", noise_image(1))
    broken.write_bytes(broken.read_bytes()[:200])
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    assert [m.material_id for m in library.materials] == ["oak"]
    assert str(broken) in dict(library.left_out)["pine"]
    with pytest.raises(MaterialError, match=r"basecolor\.png"):
        images.read(broken, "RGB")


def test_a_file_that_broke_since_is_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "sets" / "oak" / "basecolor.png", noise_image(1))
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    path.write_bytes(b"no image")
    with pytest.raises(MaterialError, match=r"basecolor\.png"):
        library.prepare("oak")


def test_errors_name_the_folder(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="is not there"):
        load_folder(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MaterialError, match="no usable material"):
        load_folder(tmp_path / "empty")


def test_links_out_of_the_folder_are_not_read(tmp_path: Path) -> None:
    outside = save(tmp_path / "outside" / "basecolor.png", noise_image(1))
    save(tmp_path / "sets" / "oak" / "basecolor.png", noise_image(1))
    (tmp_path / "sets" / "pine").mkdir()
    (tmp_path / "sets" / "pine" / "basecolor.png").symlink_to(outside)
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    assert [m.material_id for m in library.materials] == ["oak"]
    assert any("link out of a material folder" in warning for warning in library.warnings)


def test_huge_images_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "big.png", noise_image(1, size=64))
    monkeypatch.setattr("datagen.formats.images.MAX_PIXELS", 1000)
    with pytest.raises(MaterialError, match="64 x 64"):
        images.read(path, "RGB")


def test_white_sets_are_darkened(tmp_path: Path) -> None:
    save(tmp_path / "sets" / "plastic_white" / "basecolor.png", noise_image(1, low=245, high=255))
    library = load_folder(tmp_path / "sets", cache=tmp_path / "cache")
    prepared = library.prepare("plastic_white")
    assert pixels(prepared.maps["base_color"]).mean() < 210
    assert max(prepared.mean_color) < 0.65


def test_wood_grain_is_turned_along_u(tmp_path: Path) -> None:
    grain = power_noise(stream(1, "grain"), 64, 0.3, 0.05, 0.5, stretch_v=12)
    picture = np.repeat((128 + 30 * grain).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    save(tmp_path / "sets" / "oak" / "basecolor.png", picture)
    material = load_folder(tmp_path / "sets", cache=tmp_path / "cache").prepare("oak")
    assert images.grain_runs_up(picture)
    assert not images.grain_runs_up(pixels(material.maps["base_color"]))


def test_turning_a_normal_map_turns_its_vectors() -> None:
    height = (128 + 40 * power_noise(stream(2, "h"), 32, 0.5, 0.1)).clip(0, 255).astype(np.uint8)
    expected = images.normal_from_grey(np.rot90(height), 0.02).astype(int)
    turned = images.turned(images.normal_from_grey(height, 0.02), is_normal=True).astype(int)
    assert np.abs(expected - turned).max() <= 1


def test_a_strip_is_repeated_to_a_square() -> None:
    strip = noise_image(1)[:16]
    square = images.squared(strip)
    assert square.shape == (32, 32, 3)
    assert np.array_equal(square[:16], square[16:])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the photographed sets are not here")
def test_photographed_samples_load_as_they_are(tmp_path: Path) -> None:
    library = load_folder(SHARED, cache=tmp_path)
    classes = {m.material_id: m.material_class for m in library.materials}
    assert classes["fabric_wool"] == "fabric" and classes["wood_rosewood_veneer1"] == "wood"
    assert {c for name, c in classes.items() if name.startswith("metal")} == {"metal"}
    left_out = dict(library.left_out)
    assert {"fabric_sofa_03_uvatlas", "marble_006", "tiles_036", "onyx_003"} <= set(left_out)
    assert any("metal_055A" in warning for warning in library.warnings)
    for name in ("wood_floor_043", "metal_rusty_053C", "fabric_wool"):
        prepared = library.prepare(name)
        edges = {pixels(path).shape[:2] for path in prepared.maps.values()}
        assert all(height == width for height, width in edges)
