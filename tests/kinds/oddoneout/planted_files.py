"""Faults planted in the files of scenes: what is gone, what lies there too, what a picture or a mask is turned into."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from datagen.core.ids import fraction_of_hash
from datagen.formats.exr import read_exr, write_exr
from datagen.formats.oddoneout import depth_png_bytes
from datagen.kinds.oddoneout.verify.recast import VIEWS
from tests.kinds.oddoneout.faults import odd_scene

Fault = Callable[[Path], None]


def quiet_view(folder: Path) -> int:
    """A view of a scene that `verify` does not cast again."""
    table = json.loads((folder / "scene3d.metadata.json").read_text())
    count = len(table["camera"]["poses"])
    return sorted(range(count), key=lambda v: fraction_of_hash(["recast", folder.name, v]))[VIEWS]


def redraw(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change the pixels of a picture."""
    with Image.open(path) as image:
        pixels = np.array(image)
    Image.fromarray(change(pixels)).save(path)


def of_view(pattern: str, change: Callable[[np.ndarray], np.ndarray]) -> Fault:
    """Change the pixels of the quiet view's pictures of a pattern with `{v}`."""

    def fault(root: Path) -> None:
        folder = odd_scene(root)
        paths = sorted(folder.glob(pattern.format(v=f"{quiet_view(folder):04d}")))
        assert paths
        for path in paths:
            redraw(path, change)

    return fault


def of_depth(change: Callable[[np.ndarray, np.ndarray], bytes]) -> Fault:
    """Another EXR for the quiet view, made of its depth (H, W) and of the mask of its objects."""

    def fault(root: Path) -> None:
        folder = odd_scene(root)
        name = f"{quiet_view(folder):04d}"
        path = folder / f"depth_exr/{name}.exr"
        depth = np.array(next(iter(read_exr(path.read_bytes(), path.name).values())))
        mask = np.asarray(Image.open(folder / f"masks/{name}.png")) > 0
        path.write_bytes(change(depth, mask))

    return fault


def gone(pattern: str) -> Fault:
    """Take files or folders of a scene away."""

    def fault(root: Path) -> None:
        found = sorted(odd_scene(root).glob(pattern))
        assert found
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return fault


def copied(source: str, target: str) -> Fault:
    """Lay a copy of a scene's file or folder beside it."""

    def fault(root: Path) -> None:
        folder = odd_scene(root)
        one, two = folder / source, folder / target
        two.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(one, two) if one.is_dir() else shutil.copy(one, two)

    return fault


def depth_bytes(depth: np.ndarray, green: np.ndarray | None = None) -> bytes:
    """An EXR of depth (H, W), its second channel another one's."""
    return write_exr(np.stack([depth, depth if green is None else green, depth], axis=-1).astype(np.float32))


def ray_lengths(size: tuple[int, ...]) -> np.ndarray:
    """Lengths (H, W) of the rays whose z-depth is 1, of the published camera."""
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    focal = 30 / 36 * size[0]
    return np.sqrt(1 + ((columns - size[1] / 2) / focal) ** 2 + ((rows - size[0] / 2) / focal) ** 2)


def without_tables(root: Path) -> None:
    shutil.copytree(odd_scene(root) / "RGB", root / "scenes/left_001-001/RGB")


def jpeg(root: Path) -> None:
    """A picture as a JPEG of low quality would show it."""
    folder = odd_scene(root)
    path = folder / f"RGB/{quiet_view(folder):04d}.png"
    with Image.open(path) as image:
        image.convert("RGB").save(path.with_suffix(".jpg"), quality=20)
    with Image.open(path.with_suffix(".jpg")) as image:
        image.convert("RGBA").save(path)
    path.with_suffix(".jpg").unlink()


def smaller_change(root: Path) -> None:
    """A third of the changed pixels of the quiet view taken out of its mask."""
    folder = odd_scene(root)
    path = folder / f"anomaly_masks/{quiet_view(folder):04d}.png"

    def change(mask: np.ndarray) -> np.ndarray:
        rows, columns = np.nonzero(mask)
        mask[rows[::3], columns[::3]] = False
        return mask

    redraw(path, change)


def parts_exchanged(root: Path) -> None:
    """Two parts of one object exchange labels in the quiet view."""
    folder = odd_scene(root)

    def change(labels: np.ndarray) -> np.ndarray:
        table = json.loads((folder / "scene3d.metadata.json").read_text())
        own = [label for label in table["objects"][0]["part_labels"].values() if (labels == label).any()]
        one, two = own[0], own[-1]
        return np.where(labels == one, two, np.where(labels == two, one, labels)).astype(labels.dtype)

    redraw(folder / f"part_labels/{quiet_view(folder):04d}.png", change)


def farther(root: Path) -> None:
    """Objects of the quiet view 3 mm farther away, in both forms of its depth."""
    folder = odd_scene(root)
    name = f"{quiet_view(folder):04d}"
    path = folder / f"depth_exr/{name}.exr"
    depth = np.array(next(iter(read_exr(path.read_bytes(), path.name).values())))
    mask = np.asarray(Image.open(folder / f"masks/{name}.png")) > 0
    depth = depth + 0.003 * mask
    path.write_bytes(write_exr(depth))
    (folder / f"depth_png/{name}.png").write_bytes(depth_png_bytes(np.where(depth < 1e9, depth, 0)))


def shifted(pixels: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: np.roll(image, pixels, axis=1)


def noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 6, (*image.shape[:2], 1))
    colors = np.clip(image[..., :3] + noise, 0, 255).astype(np.uint8)
    return np.concatenate([colors, image[..., 3:]], axis=2)


def grey(image: np.ndarray) -> np.ndarray:
    level = image[..., :3].mean(axis=2, keepdims=True).astype(np.uint8)
    return np.concatenate([level, level, level, image[..., 3:]], axis=2)


def soft(mask: np.ndarray) -> np.ndarray:
    """Edges of a mask as a resized one has them."""
    image = Image.fromarray(mask.astype(np.uint8) * 255 if mask.dtype == bool else mask)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.4)))


def level_200(mask: np.ndarray) -> np.ndarray:
    return (np.asarray(mask) > 0).astype(np.uint8) * 200


def in_colour(mask: np.ndarray) -> np.ndarray:
    return np.repeat((np.asarray(mask) > 0).astype(np.uint8)[..., None] * 255, 3, axis=2)


def see_through(image: np.ndarray) -> np.ndarray:
    image[..., 3] = 0
    return image


FILES: dict[str, Fault] = {
    "one mask gone": gone("masks/0000.png"),
    "masks/ gone": gone("masks"),
    "binary_labels/ gone": gone("binary_labels"),
    "one binary label gone": gone("binary_labels/0000.png"),
    "anomaly_masks/ gone": gone("anomaly_masks"),
    "one anomaly mask gone": gone("anomaly_masks/0000.png"),
    "part_labels/ gone": gone("part_labels"),
    "one part label gone": gone("part_labels/0003.png"),
    "depth_png/ gone": gone("depth_png"),
    "one depth_png gone": gone("depth_png/0003.png"),
    "depth_exr/ gone": gone("depth_exr"),
    "a segmentation's folder gone": gone("segmentations/object*1"),
    "scene.jpg gone": gone("scene.jpg"),
    "scene2d gone": gone("scene2d.metadata.json"),
    "scene3d gone": gone("scene3d.metadata.json"),
    "segmentations of an object that is not there": copied("segmentations/floor_object", "segmentations/object.009"),
    "a stray file in depth_exr/": copied("depth_exr/0000.exr", "depth_exr/0000 (copy).exr"),
    "a stray file in a segmentation": copied(
        "segmentations/floor_object/floor_object_0000.png", "segmentations/floor_object/x.png"
    ),
    "a stray folder in a scene": copied("RGB", "RGB_old"),
    "a stray folder in RGB/": copied("masks", "RGB/masks"),
    "an empty folder in RGB/": lambda root: (odd_scene(root) / "RGB/old").mkdir(),
    "Thumbs.db in masks/": copied("scene.jpg", "masks/Thumbs.db"),
    "a folder in scenes/ without tables": without_tables,
    "green of an EXR a centimetre off": of_depth(lambda d, m: depth_bytes(d, d + 0.01 * (d < 1e9))),
    "sky of an EXR infinite": of_depth(lambda d, m: write_exr(np.where(d < 1e9, d, np.inf).astype(np.float32))),
    "sky of an EXR not a number": of_depth(lambda d, m: write_exr(np.where(d < 1e9, d, np.nan).astype(np.float32))),
    "sky of an EXR 0": of_depth(lambda d, m: write_exr(np.where(d < 1e9, d, 0).astype(np.float32))),
    "depth as ray lengths": of_depth(lambda d, m: write_exr((d * ray_lengths(d.shape)).astype(np.float32))),
    "an EXR of one channel": of_depth(lambda d, m: write_exr(d[..., None].astype(np.float32), "Z")),
    "objects 3 mm farther, both depths": farther,
    "a mask in colour": of_view("masks/{v}.png", in_colour),
    "a mask of 0 and 200": of_view("masks/{v}.png", level_200),
    "a mask with soft edges": of_view("masks/{v}.png", soft),
    "a binary label of 0 and 200": of_view("binary_labels/{v}.png", level_200),
    "an anomaly mask with soft edges": of_view("anomaly_masks/{v}.png", soft),
    "a segmentation that is transparent": of_view("segmentations/object*/*_{v}.png", see_through),
    "a third of an anomaly mask": smaller_change,
    "part labels exchanged in a view": parts_exchanged,
    "a picture mirrored": of_view("RGB/{v}.png", lambda image: image[:, ::-1]),
    "a picture upside down": of_view("RGB/{v}.png", lambda image: image[::-1]),
    "a picture shifted by 2 px": of_view("RGB/{v}.png", shifted(2)),
    "a picture shifted by 4 px": of_view("RGB/{v}.png", shifted(4)),
    "a picture in grey": of_view("RGB/{v}.png", grey),
    "a picture inverted": of_view("RGB/{v}.png", lambda i: np.concatenate([255 - i[..., :3], i[..., 3:]], axis=2)),
    "a picture of few colours": of_view("RGB/{v}.png", lambda i: i & np.uint8(0xE0) | np.uint8(0x1F)),
    "a picture from a poor JPEG": jpeg,
}
"""Kind -> how it is planted in a dataset's folder. What is one view's is planted where no view is cast again."""
LIMITS: dict[str, Fault] = {
    "a picture shifted by 1 px": of_view("RGB/{v}.png", shifted(1)),
    "noise of 6 levels": of_view("RGB/{v}.png", noisy),
}
"""Kinds that pass where no view is cast again (docs/scenes.md says so)."""
