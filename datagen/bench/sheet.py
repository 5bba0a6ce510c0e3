"""Figures of the operators on objects: each normal shape beside its odd twin, and how severe they are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from datagen.bench.oddities import OperatorFigures
from datagen.core.anomaly import AnomalousShape
from datagen.core.scene import Floor, Scene, SceneObject, Sky, View
from datagen.core.shape import Shape
from datagen.formats.oddoneout import KINDS
from datagen.formats.pictures import contact_sheet
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.scenes.layout import camera_towards
from datagen.scenes.rest import all_points
from datagen.verify.report.plots import Series, histogram

CAPTION = 18
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
"""Okabe and Ito's, told apart by colour-blind readers; one a source."""
STYLE = (
    "svg{overflow:visible}text{font:10px sans-serif;fill:#333}.label{font-size:11px}"
    ".axis{stroke:#666}.grid{stroke:#ddd}.area{fill-opacity:.12;stroke-width:1.3}"
    + "".join(f".s{k}{{fill:{colour};stroke:{colour}}}" for k, colour in enumerate(COLOURS))
)


def operator_tile(made: AnomalousShape, context: SceneTools, size_px: int, settings: dict[str, object]) -> np.ndarray:
    """(H, W, 3) uint8: the normal shape on the left, the odd one on the right, seen alike."""
    scale = 0.2 / float(np.abs(all_points(made.normal) - made.normal.centre).max())
    high = scale * float(np.ptp(all_points(made.normal)[:, 2]))
    camera = camera_towards(np.array([0.12, -0.42, 0.2 + 0.5 * high]), np.array([0.0, 0.0, 0.45 * high]), size_px)
    view = View(camera, Sky("courtyard", 40.0, 0.9))
    pictures = [
        _picture(shape, made.normal.centre, scale, context, view, settings) for shape in (made.normal, made.shape)
    ]
    image = Image.new("RGB", (2 * size_px, size_px + CAPTION), (255, 255, 255))
    image.paste(Image.fromarray(np.concatenate(pictures, axis=1)), (0, 0))
    text = f"{made.spec.kind} {made.severity:.3f}, {made.normal.shape_id}"
    ImageDraw.Draw(image).text((4, size_px + 3), text, fill=(50, 50, 50))
    return np.asarray(image)


def _picture(
    shape: Shape, origin: np.ndarray, scale: float, context: SceneTools, view: View, settings: dict[str, object]
) -> np.ndarray:
    floor = Floor(context.floors.materials[3].material_id)
    names = sorted({name for part in shape.parts if part.skin for name in part.skin.materials})
    materials = {name: context.prepared_material(shape.palette[name]) for name in names}
    materials[floor.material_id] = context.floor(floor.material_id)
    standing = SceneObject.of("object", shape.parts, _stood(shape, origin, scale))
    assert context.renderer is not None, "a sheet needs a renderer"
    scene = Scene((standing,), materials, floor, (view,), settings=settings)
    (picture,) = context.renderer.render(scene)
    return picture


def _stood(shape: Shape, origin: np.ndarray, scale: float) -> np.ndarray:
    """Shape frame to world: turned a little, standing on the floor."""
    turn = np.radians(-50.0)
    c, s = np.cos(turn), np.sin(turn)
    T = np.eye(4)
    T[:3, :3] = scale * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    T[:3, 3] = -T[:3, :3] @ origin
    T[2, 3] = -scale * float(all_points(shape)[:, 2].min())
    return T


def save_sheet(tiles: Sequence[np.ndarray], columns: int, path: Path) -> None:
    """Tiles of one size, row by row, as a PNG."""
    Image.fromarray(contact_sheet(tiles, columns)).save(path, optimize=True)


def severity_svg(sources: Sequence[OperatorFigures]) -> str:
    """A histogram of severity for every kind, the sources over each other, in per cent of each source's own."""
    wide, high, columns = 350, 205, 3
    panels = []
    for k, kind in enumerate(KINDS):
        series = [Series(f.source, f"s{j}", f.kinds[kind].severities) for j, f in enumerate(sources)]
        plot = histogram([s for s in series if len(s.values) > 1], f"severity of {kind}", bins=12)
        at = f'x="{wide * (k % columns)}" y="{high * (k // columns) + 24}" width="340" height="190"'
        panels.append(plot.replace("<svg ", f"<svg {at} ", 1))
    names = "".join(
        f'<rect x="{10 + 150 * j}" y="6" width="10" height="10" class="area s{j}"/>'
        f'<text x="{24 + 150 * j}" y="15">{figures.source}</text>'
        for j, figures in enumerate(sources)
    )
    height = high * -(-len(KINDS) // columns) + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide * columns} {height}"><style>{STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{names}{"".join(panels)}</svg>\n'
    )
