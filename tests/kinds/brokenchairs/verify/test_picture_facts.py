"""Figures of one picture: how sharp it is."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from datagen.kinds.brokenchairs.verify.checks.pictures import SHARPNESS
from datagen.verify.pictures import picture_facts


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


def test_no_edge_is_no_sharpness() -> None:
    assert picture_facts(Image.fromarray(np.full((64, 64, 3), 255, np.uint8)))[1].sharpness == 0
