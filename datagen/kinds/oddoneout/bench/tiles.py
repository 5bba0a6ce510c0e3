"""Pictures of the operators on objects: each normal shape beside its odd twin."""

import numpy as np
from PIL import Image, ImageDraw

from datagen.core.anomaly import AnomalousShape
from datagen.core.scene import Floor, Scene, SceneObject, Sky, View
from datagen.core.shape import Shape
from datagen.kinds.oddoneout.tools import SceneTools
from datagen.scenes.layout import camera_towards
from datagen.scenes.rest import all_points

CAPTION = 18


def operator_tile(made: AnomalousShape, context: SceneTools, size_px: int, settings: dict[str, object]) -> np.ndarray:
    """(H, W, 3) uint8: the normal shape on the left, the odd one on the right, seen alike."""
    scale = 0.2 / float(np.abs(all_points(made.normal) - made.normal.centre).max())
    high = scale * float(np.ptp(all_points(made.normal)[:, 2]))
    camera = camera_towards(np.array([0.12, -0.42, 0.2 + 0.5 * high]), np.array([0.0, 0.0, 0.45 * high]), size_px)
    view, twins = View(camera, Sky("courtyard", 40.0, 0.9)), (made.normal, made.shape)
    pictures = [_picture(shape, made.normal.centre, scale, context, view, settings) for shape in twins]
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
