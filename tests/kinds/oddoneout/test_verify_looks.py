"""verify of scenes: pictures that are no longer those that were rendered are told without their digests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from datagen.kinds.oddoneout.verify.compared import EDGES, edge_strength
from datagen.kinds.oddoneout.verify.looks import order_errors, tints_of
from datagen.verify.check import FAIL, PASS
from datagen.verify.pictures import sharpness
from tests.kinds.oddoneout.faults import odd_scene, run_named

NAMES = ("scene_pictures_opaque", "scene_pictures_sharp", "scene_colors_steady", "scene_strip")


@pytest.mark.parametrize("name", NAMES)
def test_clean_scenes_pass(tiny_scenes: Path, name: str) -> None:
    result = run_named(tiny_scenes, name)
    assert result.status == PASS, result.examples


def redrawn(path: Path, change: Callable[[Image.Image], Image.Image]) -> None:
    with Image.open(path) as image:
        changed = change(image.copy())
    changed.save(path)


def exchanged(image: Image.Image) -> Image.Image:
    red, green, blue, alpha = image.split()
    return Image.merge("RGBA", (blue, green, red, alpha))


def transparent(image: Image.Image) -> Image.Image:
    image.putalpha(0)
    return image


def darker(image: Image.Image) -> Image.Image:
    return image.point(lambda level: level * 4 // 5)


def blurred(radius: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius))


@pytest.mark.parametrize(
    ("change", "name", "count"),
    [
        (transparent, "scene_pictures_opaque", 1),
        (exchanged, "scene_colors_steady", 2),  # the fake renderer's floor has changed too
        (darker, "scene_colors_steady", 1),
        (blurred(1), "scene_pictures_sharp", 1),
        (blurred(6), "scene_pictures_sharp", 1),
    ],
    ids=["transparent", "exchanged", "darker", "blurred", "washed out"],
)
def test_one_view_that_was_changed_is_told(spoiled: Path, change, name: str, count: int) -> None:
    redrawn(odd_scene(spoiled) / "RGB/0003.png", change)
    result = run_named(spoiled, name)
    assert result.count == count and result.examples[0].subject == f"{odd_scene(spoiled).name} view 3"


def test_all_views_blurred_are_told(spoiled: Path) -> None:
    for path in (odd_scene(spoiled) / "RGB").iterdir():
        redrawn(path, blurred(1.5))
    assert run_named(spoiled, "scene_pictures_sharp").count >= 5


def test_the_strip_of_another_scene_is_told(spoiled: Path) -> None:
    one, two = sorted((spoiled / "scenes").iterdir())
    (two / "scene.jpg").write_bytes((one / "scene.jpg").read_bytes())
    result = run_named(spoiled, "scene_strip")
    assert result.status == FAIL and result.examples[0].subject == f"{two.name}/scene.jpg"
    redrawn(one / "scene.jpg", lambda image: image.crop((0, 0, 96, 96)))
    assert run_named(spoiled, "scene_strip").count == 2


def test_colours_in_another_order_fit_worse() -> None:
    wanted = tints_of(np.array([[0.5, 0.2, 0.1], [0.1, 0.3, 0.4], [0.2, 0.2, 0.2]]))
    own, other = order_errors(wanted + 0.05, wanted)
    assert own < 0.01 < other
    own, other = order_errors(wanted[:, [2, 1, 0]], wanted)
    assert other < 1e-9 < own


def test_few_edges_tell_nothing_of_sharpness() -> None:
    """A pale object before a pale floor: one soft step is no blur."""
    level = np.full((96, 96), 90, np.uint8)
    level[40, 50:] = 200
    level[40, 50:54] = (110, 130, 150, 170)
    assert 0 < sharpness(level[40:41].repeat(8, axis=0)) < 0.5 and sharpness(level, EDGES) == 0


def test_edges_between_colors_of_one_brightness_count() -> None:
    picture = np.full((32, 32, 3), (173, 130, 86), np.int16)
    disc = np.hypot(*(np.indices((32, 32)) - 15.5)) < 10
    picture[disc] = 139
    inside = edge_strength(picture)[disc & (np.hypot(*(np.indices((32, 32)) - 15.5)) > 9)]
    assert np.median(inside) == 53  # The blue of the disc and of what is about it; their luminances differ by 2.
