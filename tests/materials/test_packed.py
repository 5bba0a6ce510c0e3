"""Sets as other tools write them: packed channels, OpenEXR, 16-bit maps by their type, and what is passed over."""

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from datagen.core.errors import MaterialError
from datagen.materials import images
from datagen.materials.folder import FolderLibrary, load_folder

ROUGH, METAL = 51, 204


def picture(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(40, 120, (16, 16, 3)).astype(np.uint8)


def flat(*channels: int) -> np.ndarray:
    """Channels (16, 16, C) of one value each, but for a corner: constant metalness is not kept."""
    values = np.zeros((16, 16, len(channels)), np.uint8) + np.array(channels, np.uint8)
    values[:4, :4] = np.array(channels) // 2
    return values


def write_set(root: Path, **maps: np.ndarray) -> Path:
    folder = root / "metal_set"
    folder.mkdir(parents=True)
    Image.fromarray(picture(np.random.default_rng(0))).save(folder / "metal_set_BaseColor.png")
    for name, values in maps.items():
        Image.fromarray(values[..., 0] if values.shape[2] == 1 else values).save(folder / f"metal_set_{name}.png")
    return root


def prepared(root: Path) -> tuple[FolderLibrary, dict[str, np.ndarray]]:
    library = load_folder(root, cache=root / "cache")
    material = library.prepare("metal_set")
    return library, {name: np.asarray(Image.open(path)) for name, path in material.maps.items()}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ARM", flat(9, ROUGH, METAL)),
        ("ORM", flat(9, ROUGH, METAL)),
        ("metallicRoughness", flat(9, ROUGH, METAL)),
        ("RMA", flat(ROUGH, METAL, 9)),
        ("MRA", flat(METAL, ROUGH, 9)),
        ("MaskMap", flat(METAL, 9, 7, 255 - ROUGH)),
        ("Metallic_Smoothness", flat(METAL, 9, 7, 255 - ROUGH)),
    ],
)
def test_packed_channels_are_taken_apart_by_name(tmp_path: Path, name: str, values: np.ndarray) -> None:
    _, maps = prepared(write_set(tmp_path, **{name: values}))
    assert maps["roughness"][-1, -1] == ROUGH and maps["metallic"][-1, -1] == METAL


def test_a_mask_map_without_alpha_leaves_the_set_out(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match=r"metal_set_MaskMap.png has 3 channels, too few"):
        load_folder(write_set(tmp_path, MaskMap=flat(1, 2, 3)))


def test_glossiness_is_roughness_turned_round(tmp_path: Path) -> None:
    _, maps = prepared(write_set(tmp_path, Glossiness=flat(255 - ROUGH)))
    assert maps["roughness"][-1, -1] == ROUGH


def test_exr_maps_are_values_and_exr_colours_are_linear(tmp_path: Path) -> None:
    root = write_set(tmp_path)
    folder = root / "metal_set"
    ramp = np.linspace(0.2, 0.8, 256, dtype=np.float16).reshape(16, 16)
    normal = np.stack([ramp, 1 - ramp, np.ones_like(ramp)], axis=2)
    header = {"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"Y": ramp}).write(str(folder / "metal_set_Roughness.exr"))
    OpenEXR.File(header, {"RGB": normal}).write(str(folder / "metal_set_NormalGL.exr"))
    _, maps = prepared(root)
    assert np.abs(maps["roughness"] / 255 - ramp).max() < 0.003
    assert np.abs(maps["normal"] / 255 - normal).max() < 0.003
    OpenEXR.File(header, {"RGB": np.full((16, 16, 3), 0.2140, np.float32)}).write(str(folder / "linear.exr"))
    assert np.abs(images.read(folder / "linear.exr", "RGB") - 127.5).max() < 1.5, "0.214 linear is half in sRGB"


def test_sixteen_bits_are_scaled_by_their_type(tmp_path: Path) -> None:
    """A dark 16-bit map whose largest value is under 256 is dark, not an 8-bit one."""
    dark = np.full((16, 16), 200, np.uint16)
    Image.fromarray(dark).save(tmp_path / "dark.png")
    assert images.read(tmp_path / "dark.png", "L").max() == 1
    Image.fromarray(np.full((16, 16), 32768, np.uint16)).save(tmp_path / "half.tif")
    assert (images.read(tmp_path / "half.tif", "L") == 128).all()


def test_what_a_scan_passes_over_is_said(tmp_path: Path) -> None:
    root = write_set(tmp_path, Roughness=flat(90), Opacity=flat(200))
    folder = root / "metal_set"
    Image.fromarray(flat(90)[..., 0]).save(folder / "metal_set_Rough.png")
    Image.fromarray(flat(90)[..., 0]).save(folder / "readme picture.png")
    (folder / "metal_set_Normal.dds").write_bytes(b"DDS ")
    for name in ("._metal_set_BaseColor.png", ".DS_Store", "Thumbs.db"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    (root / "__MACOSX" / "metal_set").mkdir(parents=True)
    (root / "__MACOSX" / "metal_set" / "._metal_set_BaseColor.png").write_bytes(b"\0\5\x16\7")
    library = load_folder(root)
    kinds = sorted(warning.split(":")[0] for warning in library.warnings)
    assert kinds == [
        "image whose name tells no channel passed over",
        "opacity map not used",
        "second image of one channel passed over",
        "texture format not read",
    ], library.warnings
    assert [m.material_id for m in library.materials] == ["metal_set"] and not library.left_out
