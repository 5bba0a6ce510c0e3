"""The built-in library: counts, tiling, determinism, brightness, cache."""

import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.core.colour import lab_from_linear, linear_from_lab, linear_from_srgb, luminance
from datagen.core.errors import MaterialError
from datagen.core.material import MATERIAL_CLASSES
from datagen.core.rng import stream
from datagen.materials.cache import fetch
from datagen.materials.library import CombinedLibrary
from datagen.materials.open import open_libraries
from datagen.materials.procedural.library import DEFAULT_COUNTS, ProceduralLibrary, bake, draw, encoded
from datagen.materials.procedural.noise import normal_from_height, power_noise, worley

SIZE = 256


def _one_of_each_kind() -> list[tuple[str, int]]:
    found = {}
    for name in MATERIAL_CLASSES:
        for index in range(15):
            found.setdefault((name, draw(5, name, index).kind.split("_")[0]), (name, index))
    return list(found.values())


def test_four_hundred_materials_without_baking(tmp_path: Path) -> None:
    library = ProceduralLibrary(5, cache=tmp_path)
    ids = [material.material_id for material in library.materials]
    assert len(ids) == len(set(ids)) == 400 and ids == sorted(ids)
    assert Counter(m.material_class for m in library.materials) == DEFAULT_COUNTS
    assert not list(tmp_path.iterdir())
    assert all(not material.maps for material in library.materials)


def test_colours_are_varied_and_never_background() -> None:
    colours = np.array([material.mean_color for material in ProceduralLibrary(5).materials])
    assert luminance(colours).max() <= 0.481
    assert luminance(colours).min() > 0.002
    lab = lab_from_linear(colours)
    assert np.ptp(lab[:, 0]) > 60
    assert len(np.unique(np.round(lab / 10), axis=0)) > 60


@pytest.mark.parametrize(("name", "index"), _one_of_each_kind())
def test_maps_tile_keep_their_mean_and_stay_below_white(name: str, index: int) -> None:
    sheet = draw(5, name, index)
    maps = encoded(bake(5, name, index, sheet, SIZE), sheet.tile_size)
    for channel, array in maps.items():
        values = array.astype(float)
        for axis in (0, 1):
            steps = np.abs(np.diff(values, axis=axis)).reshape(values.shape[axis] - 1, -1) if axis == 0 else None
            if steps is None:
                steps = np.abs(np.diff(values, axis=1)).swapaxes(0, 1).reshape(SIZE - 1, -1)
            seam = np.abs(np.take(values, 0, axis) - np.take(values, -1, axis)).mean()
            assert seam <= 1.5 * steps.mean(axis=1).max() + 1.0, f"{channel} has a seam along axis {axis}"
    linear = linear_from_srgb(maps["base_color"] / 255)
    assert np.allclose(linear.mean(axis=(0, 1)), sheet.mean_color, atol=0.03)
    assert luminance(linear).max() < 0.64
    assert maps["normal"][..., 2].min() > 127


def test_bytes_repeat_and_depend_on_the_seed(tmp_path: Path) -> None:
    ids = ["wood_000_ash", "leather_001_aniline"]
    first, second = (ProceduralLibrary(5, cache=tmp_path / k) for k in "ab")
    for material_id in ids:
        one, two = first.prepare(material_id), second.prepare(material_id)
        assert one.digest == two.digest
        for channel in one.maps:
            assert Path(one.maps[channel]).read_bytes() == Path(two.maps[channel]).read_bytes()
    other = ProceduralLibrary(6, cache=tmp_path / "a").prepare(ids[0])
    assert other.digest != first.prepare(ids[0]).digest


def test_what_is_cached_is_not_baked_again_and_damage_is_mended(tmp_path: Path) -> None:
    calls = []

    def maps() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"base_color": np.zeros((4, 4, 3), dtype=np.uint8)}

    baked = fetch(tmp_path / "set", maps)
    assert fetch(tmp_path / "set", maps) == baked and len(calls) == 1
    Path(baked.paths["base_color"]).write_bytes(b"")
    assert fetch(tmp_path / "set", maps) == baked and len(calls) == 2
    assert np.array_equal(np.asarray(Image.open(baked.paths["base_color"])), maps()["base_color"])
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_many_writers_make_one_set(tmp_path: Path) -> None:
    results = []
    maps = {"base_color": np.zeros((64, 64, 3), dtype=np.uint8)}
    threads = [threading.Thread(target=lambda: results.append(fetch(tmp_path / "set", lambda: maps))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and all(result == results[0] for result in results)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_an_unwritable_cache_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MaterialError, match="DATAGEN_CACHE"):
        ProceduralLibrary(5, cache=tmp_path / "file").prepare("plastic_000_gloss")


def test_unknown_ids_and_counts_are_errors() -> None:
    with pytest.raises(MaterialError, match="no material is named"):
        ProceduralLibrary(5).prepare("wood_999")
    with pytest.raises(MaterialError, match="cannot make"):
        ProceduralLibrary(5, {"glass": 3})


def test_libraries_combine_and_refuse_repeated_ids(tmp_path: Path) -> None:
    one, two = ProceduralLibrary(5, {"wood": 2}, tmp_path), ProceduralLibrary(5, {"metal": 1}, tmp_path)
    both = CombinedLibrary((one, two))
    assert [m.material_class for m in both.materials] == ["metal", "wood", "wood"]
    assert both.prepare("wood_000_ash").maps
    with pytest.raises(MaterialError, match="wood_000_ash"):
        CombinedLibrary((one, one))
    assert len(open_libraries(["procedural"], 5).materials) == 400


def test_noise_has_the_wavelengths_it_is_asked_for() -> None:
    field = power_noise(stream(1, "n"), 128, 0.25, 0.05, 1.0)
    power = np.abs(np.fft.fft2(field)) ** 2
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(128, 1 / 128), np.fft.fftfreq(128, 1 / 128)))
    inside = power[(k >= 2.5) & (k <= 22)].sum()
    assert inside / power.sum() > 0.9
    assert abs(field.mean()) < 1e-4 and abs(field.std() - 1) < 1e-3


def test_worley_agrees_with_brute_force() -> None:
    rng = stream(1, "w")
    near, far, _ = worley(stream(1, "w"), 32, 4, 0.7)
    offsets = (rng.random((4, 4, 2)) - 0.5) * 0.7 + 0.5
    points = (np.indices((4, 4)).transpose(1, 2, 0) + offsets).reshape(-1, 2)
    at = np.array([(10 + 0.5) / 32 * 4, (1 - (5 + 0.5) / 32) * 4])
    steps = (points - at + 2) % 4 - 2
    distances = np.sort(np.linalg.norm(steps, axis=1))
    assert np.allclose([near[5, 10], far[5, 10]], distances[:2], atol=1e-5)


def test_normals_point_down_the_slope() -> None:
    height = np.zeros((8, 8))
    height[:4] = np.arange(4)[:, None]
    normal = normal_from_height(height, 1.0)
    assert normal[2, 4, 1] > 0, "height falls towards the top of the image, where v is larger"
    assert abs(normal[2, 4, 0]) < 1e-9


def test_lab_inverts() -> None:
    colours = stream(1, "lab").random((50, 3))
    assert np.allclose(linear_from_lab(lab_from_linear(colours)), colours, atol=1e-6)
    assert np.allclose(lab_from_linear(np.ones(3)), [100, 0, 0], atol=1e-3)
