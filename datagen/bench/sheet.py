"""A contact sheet of the operators on objects: each normal shape beside its odd twin."""

import numpy as np
from PIL import Image, ImageDraw

from datagen.core.oddity import OddShape
from datagen.core.shape import Shape
from datagen.core.tabletop import Floor, Look, Sky, Standing, TabletopJob
from datagen.pipeline.context import Context
from datagen.scenes.rest import all_points
from datagen.scenes.tabletop import looking

CAPTION = 20


def operator_tile(made: OddShape, context: Context, size_px: int, settings: dict[str, object]) -> np.ndarray:
    """(H, W, 3) uint8: the normal shape on the left, the odd one on the right, in one frame."""
    objects = []
    scale = 0.2 / float(np.abs(all_points(made.normal) - made.normal.centre).max())
    for k, shape in enumerate((made.normal, made.shape)):
        objects.append(Standing(f"object_{k}", shape, _stood(shape, made.normal.centre, scale, 0.24 * (2 * k - 1))))
    floor = Floor(context.floors.materials[3].material_id)
    names = {name for s in (made.normal, made.shape) for part in s.parts if part.skin for name in part.skin.materials}
    palette = {**made.normal.palette, **made.shape.palette}
    materials = {name: context.prepared_material(palette[name]) for name in sorted(names)}
    materials[floor.material_id] = context.floors.prepare(floor.material_id)
    eye = np.array([0.0, -0.95, 0.5])
    camera = looking(eye, np.array([0.0, 0.0, 0.09]), size_px)
    assert context.renderer is not None, "a sheet needs a renderer"
    job = TabletopJob(tuple(objects), materials, floor, Sky("courtyard", 40.0, 0.9), (Look(camera),), settings=settings)
    (picture,) = context.renderer.tabletop(job)
    wide = picture[size_px // 5 : -size_px // 5]
    image = Image.new("RGB", (size_px, wide.shape[0] + CAPTION), (255, 255, 255))
    image.paste(Image.fromarray(np.ascontiguousarray(wide)), (0, 0))
    text = f"{made.spec.kind}  severity {made.severity:.3f}"
    ImageDraw.Draw(image).text((6, wide.shape[0] + 4), text, fill=(50, 50, 50))
    return np.asarray(image)


def _stood(shape: Shape, origin: np.ndarray, scale: float, x: float) -> np.ndarray:
    """Shape frame to world: turned a little, standing on the floor at (x, 0)."""
    turn = np.radians(35.0)
    c, s = np.cos(turn), np.sin(turn)
    T = np.eye(4)
    T[:3, :3] = scale * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    T[:3, 3] = np.array([x, 0, 0]) - T[:3, :3] @ origin
    T[2, 3] = -scale * float(all_points(shape)[:, 2].min())
    return T
