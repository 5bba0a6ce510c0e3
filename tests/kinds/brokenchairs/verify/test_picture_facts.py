"""Figures of one picture: how sharp it is, and how near to another."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from datagen.kinds.brokenchairs.verify.checks.pictures import ALIKE_LEVELS, SHARPNESS
from datagen.verify.pictures import picture_facts, thumbnail_difference


def disc(colour: tuple[int, int, int]) -> Image.Image:
    """A disc on white with edges as a renderer filters them."""
    large = Image.new("RGB", (768, 768), "white")
    ImageDraw.Draw(large).ellipse((150, 150, 600, 600), fill=colour)
    return large.resize((256, 256), Image.Resampling.BOX)


@pytest.mark.parametrize("colour", [(60, 60, 60), (250, 225, 40), (255, 170, 170), (40, 250, 250)])
def test_a_bright_colour_on_white_is_as_sharp_as_grey(colour: tuple[int, int, int]) -> None:
    sharp = disc(colour)
    assert picture_facts(sharp)[1].sharpness > 0.65
    for radius in (2, 4):
        assert picture_facts(sharp.filter(ImageFilter.GaussianBlur(radius)))[1].sharpness < SHARPNESS


def test_soft_marks_on_a_bright_thing_do_not_hide_its_edges() -> None:
    """In grey there are only the edges of what is soft on it."""
    image = disc((250, 225, 40))
    marks = Image.new("L", image.size)
    ImageDraw.Draw(marks).ellipse((100, 100, 160, 160), fill=255)
    image.paste((90, 70, 20), mask=marks.filter(ImageFilter.GaussianBlur(4)))
    assert picture_facts(image)[1].sharpness > 0.65


def scattered(turn: int) -> Image.Image:
    """Dark discs about the middle of a pale one, turned by so many degrees."""
    large = disc((200, 160, 120)).resize((1024, 1024))
    draw = ImageDraw.Draw(large)
    for x, y in np.random.default_rng(0).uniform(340, 660, (30, 2)).tolist():
        draw.ellipse((x, y, x + 30, y + 30), fill=(40, 30, 30))
    return large.rotate(turn, fillcolor="white").resize((256, 256), Image.Resampling.BOX)


def test_one_picture_is_near_itself_however_stored_and_another_view_is_not() -> None:
    one = scattered(0)
    noise = np.random.default_rng(1).normal(0, 8, (256, 256, 3))
    noisy = Image.fromarray(np.clip(np.asarray(one) + noise, 0, 255).astype(np.uint8))
    stored = io.BytesIO()
    one.save(stored, "JPEG", quality=40)
    for same in (one, noisy, Image.open(stored), one.filter(ImageFilter.GaussianBlur(1.0))):
        assert thumbnail_difference(one, same) < ALIKE_LEVELS
    assert thumbnail_difference(one, scattered(4)) > ALIKE_LEVELS


def test_no_edge_is_no_sharpness() -> None:
    assert picture_facts(Image.fromarray(np.full((64, 64, 3), 255, np.uint8)))[1].sharpness == 0
