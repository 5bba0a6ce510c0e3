"""Drawings of what was measured: a sheet of pictures, and histograms side by side."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.formats.pictures import contact_sheet
from datagen.verify.report.plots import Series, histogram

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Okabe and Ito's, told apart by colour-blind readers; one a group."""
STYLE = (
    "svg{overflow:visible}text{font:10px sans-serif;fill:#333}.label{font-size:11px}"
    ".axis{stroke:#666}.grid{stroke:#ddd}.area{fill-opacity:.12;stroke-width:1.3}"
    + "".join(f".s{k}{{fill:{colour};stroke:{colour}}}" for k, colour in enumerate(COLOURS))
)
WIDE, HIGH, COLUMNS = 350, 205, 3
"""Pixels of a panel, and panels in a row."""


def save_sheet(tiles: Sequence[np.ndarray], columns: int, path: Path) -> None:
    """Tiles of one size, row by row, as a PNG."""
    Image.fromarray(contact_sheet(tiles, columns)).save(path, optimize=True)


def histograms_svg(names: Sequence[str], panels: Sequence[tuple[str, Sequence[Sequence[float]]]]) -> str:
    """A histogram for each panel (title, values of every group), the groups over each other in per cent of their own.

    A group of less than two values is not drawn in its panel; `names` are those of the groups.
    """
    drawn = []
    for k, (title, groups) in enumerate(panels):
        series = [Series(name, f"s{j}", group) for j, (name, group) in enumerate(zip(names, groups, strict=True))]
        plot = histogram([one for one in series if len(one.values) > 1], title, bins=12)
        at = f'x="{WIDE * (k % COLUMNS)}" y="{HIGH * (k // COLUMNS) + 24}" width="340" height="190"'
        drawn.append(plot.replace("<svg ", f"<svg {at} ", 1))
    legend = "".join(
        f'<rect x="{10 + 150 * j}" y="6" width="10" height="10" class="area s{j}"/>'
        f'<text x="{24 + 150 * j}" y="15">{escape(name)}</text>'
        for j, name in enumerate(names)
    )
    height = HIGH * -(-len(panels) // COLUMNS) + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE * COLUMNS} {height}"><style>{STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{legend}{"".join(drawn)}</svg>\n'
    )
