"""A contact sheet of what a network says of many photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LINE_PX, TEXT_PX, MARGIN_PX = 18, 13, 10
HEIGHT_PX = 160
ALONE_PX = 256
"""Height of the picture of a sheet of one."""
RED, GREY = (190, 30, 40), (60, 60, 60)


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture (H, W, 3) uint8, None where a photo could not be judged, and the lines below it, red where `marked`."""

    picture: np.ndarray | None
    lines: Sequence[str]
    marked: bool = False


def sheet(tiles: Sequence[Tile], columns: int = 2, height: int = HEIGHT_PX) -> Image.Image:
    """Tiles in rows on white, their pictures `height` px high, long lines broken."""
    font = ImageFont.load_default(TEXT_PX)
    pictures = [_scaled(tile.picture, height) for tile in tiles]
    width = max(picture.width for picture in pictures)
    texts = [[part for line in tile.lines for part in _broken(line, font, width)] for tile in tiles]
    whole_height = height + LINE_PX * max(len(text) for text in texts)
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    whole = Image.new(
        "RGB", (columns * (width + MARGIN_PX) + MARGIN_PX, rows * (whole_height + MARGIN_PX) + MARGIN_PX), "white"
    )
    pen = ImageDraw.Draw(whole)
    for number, (tile, picture, text) in enumerate(zip(tiles, pictures, texts, strict=True)):
        left = MARGIN_PX + number % columns * (width + MARGIN_PX)
        top = MARGIN_PX + number // columns * (whole_height + MARGIN_PX)
        whole.paste(picture, (left, top))
        for line, words in enumerate(text):
            place = (left, top + height + line * LINE_PX)
            pen.text(place, words, fill=RED if tile.marked and line else GREY, font=font)
    return whole


def _scaled(picture: np.ndarray | None, height: int) -> Image.Image:
    if picture is None:
        return Image.new("RGB", (height, height), (225, 225, 225))
    image = Image.fromarray(picture)
    return image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS)


def _broken(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    found = [""]
    for word in line.split():
        longer = f"{found[-1]} {word}".strip()
        if font.getlength(longer) > width and found[-1]:
            found.append(word)
        else:
            found[-1] = longer
    return found
