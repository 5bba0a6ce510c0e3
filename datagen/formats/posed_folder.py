"""A folder of photographs with poses: nerfstudio's transforms.json, COLMAP's text model, or a scene as built here.

Poses are read as world-to-camera with OpenCV axes, in metres; the world has z up and its floor at 0. Lenses without
distortion are read, others are refused by name, as are poses that are no rigid motion.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageOps
from scipy.spatial.transform import Rotation

from datagen.core.camera import OPENCV_FROM_OPENGL, is_lens, pose_fault, rigid_inverse
from datagen.core.errors import UsageError
from datagen.formats.images import ImageError, eight_bits
from datagen.formats.oddoneout import FLOOR

DISTORTION = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
STRAIGHT = {"", "PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "FULL_OPENCV", "RADIAL", "SIMPLE_RADIAL"}
"""`camera_model` of transforms.json that without distortion is a pinhole."""
ONE, TWO = (0, 0, 1, 2), (0, 1, 2, 3)
LENSES = {"SIMPLE_PINHOLE": ONE, "SIMPLE_RADIAL": ONE, "RADIAL": ONE, "PINHOLE": TWO, "OPENCV": TWO, "FULL_OPENCV": TWO}
"""COLMAP's lenses: where among the parameters fx, fy, cx and cy stand. What follows these is distortion."""
STRAIGHT_BELOW = 1e-6
"""A coefficient of distortion up to this is none."""
MASKED = 128
"""Grey level from which a pixel of a mask counts."""
HELP = "give a folder with transforms.json, with COLMAP's cameras.txt and images.txt, or with scene3d.metadata.json"


@dataclass(frozen=True, eq=False)
class PosedPhoto:
    """A picture's file, its lens `K` (3, 3) in its pixels, `T` (4, 4) world to camera, and the files of its mask."""

    path: Path
    K: np.ndarray
    T: np.ndarray
    masks: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class SquareView:
    """A picture (S, S, 3) uint8 and its mask (S, S) bool, None without one; `K` (3, 3) in its pixels.

    `crop` (left, top, side) is the square of the photo, in its pixels, that the picture shows.
    """

    picture: np.ndarray
    mask: np.ndarray | None
    K: np.ndarray
    T: np.ndarray
    crop: tuple[float, float, float]


def read_posed_folder(folder: Path) -> list[PosedPhoto]:
    """The photos of a folder by the first table that is there. Raises UsageError naming what cannot be read."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; {HELP}")
    tables = tables_of(folder)
    if not tables:
        binary = next((path for at in ("", "sparse/0") if (path := folder / at / "images.bin").is_file()), None)
        if binary:
            raise UsageError(f"{binary} is COLMAP's binary form; write its text with `colmap model_converter`")
        raise UsageError(f"{folder} holds no poses; {HELP}")
    path = tables[0]
    try:
        found = READERS[str(path.relative_to(folder))](path)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: {type(error).__name__} {error}; is it whole?") from error
    missing = [photo.path for photo in found if not photo.path.is_file()]
    if missing:
        raise UsageError(f"{missing[0]}: named by {path} and not there ({len(missing)} of {len(found)})")
    if not found:
        raise UsageError(f"{path} names no picture")
    for photo in found:
        if not is_lens(photo.K):
            raise UsageError(f"{photo.path.name}: its lens in {path} is {photo.K.tolist()}; give focal lengths above 0")
    return found


def tables_of(folder: Path) -> list[Path]:
    """The tables of poses that a folder has; the first is what is read."""
    return [folder / name for name in READERS if (folder / name).is_file()]


def _rigid(values: Any, photo: str, table: Path) -> np.ndarray:
    """A pose (4, 4) out of 4 x 4 or 3 x 4 numbers. Raises UsageError where it is no rigid motion."""
    T = np.array(values, dtype=float)
    if T.shape == (3, 4):
        T = np.vstack([T, [0, 0, 0, 1.0]])
    if T.shape != (4, 4):
        raise UsageError(f"{photo}: its pose in {table} has the shape {T.shape}; give 4 x 4 numbers")
    fault = pose_fault(T)
    if fault:
        raise UsageError(f"{photo}: its pose in {table} is {fault}; give a rotation and a shift, right-handed")
    return T


def _scene(path: Path) -> list[PosedPhoto]:
    told = json.loads(path.read_bytes())["camera"]
    pictures = sorted((path.parent / "RGB").glob("*.png"))
    if len(pictures) != len(told["poses"]):
        raise UsageError(f"{path}: {len(told['poses'])} poses for {len(pictures)} pictures in RGB/; restore the scene")
    K = np.array(told["K"], dtype=float).reshape(3, 3)
    found = []
    for picture, pose in zip(pictures, told["poses"], strict=True):
        masks = tuple(place for place in [path.parent / "masks" / picture.name] if place.is_file())
        # The published sample has no masks/: an object's segmentation each.
        of_each = sorted((path.parent / "segmentations").glob(f"*/*_{picture.name}"))
        masks = masks or tuple(place for place in of_each if place.parent.name != FLOOR)
        found.append(PosedPhoto(picture, K, _rigid(pose["rotation"], picture.name, path), masks))
    return found


def _transforms(path: Path) -> list[PosedPhoto]:
    whole = json.loads(path.read_bytes())
    found = []
    for number, frame in enumerate(whole["frames"]):
        for key in ("file_path", "transform_matrix"):
            if key not in frame:
                raise UsageError(f"{path}: frame {number} has no {key}")
        told = {**{key: value for key, value in whole.items() if key != "frames"}, **frame}
        picture = path.parent / str(frame["file_path"])
        picture = picture if picture.suffix else picture.with_suffix(".png")
        model = str(told.get("camera_model") or "").upper()
        if model not in STRAIGHT or told.get("is_fisheye"):
            raise UsageError(f"{path}: {picture.name} has a lens {model or 'fisheye'}; undistort the pictures first")
        bent = [key for key in DISTORTION if abs(float(told.get(key) or 0.0)) > STRAIGHT_BELOW]
        if bent:
            raise UsageError(f"{path}: {frame['file_path']} has a lens with {bent[0]}; undistort the pictures first")
        if not picture.is_file():
            raise UsageError(f"{picture}: named by {path} and not there")
        T = rigid_inverse(_rigid(frame["transform_matrix"], picture.name, path) @ OPENCV_FROM_OPENGL)
        mask = frame.get("mask_path")
        if mask and not (path.parent / str(mask)).is_file():
            raise UsageError(f"{path.parent / str(mask)}: the mask that {path.name} names for {picture.name} is absent")
        found.append(PosedPhoto(picture, _lens(told, picture, path), T, _mask_of(picture, path.parent, mask)))
    return found


def _lens(told: Mapping[str, Any], picture: Path, table: Path) -> np.ndarray:
    try:
        with Image.open(picture) as image:
            width, height = image.size
    except OSError as error:
        raise UsageError(f"{picture}: {error}; is it a picture?") from error
    if "fl_x" in told:
        fx = float(told["fl_x"])
    elif "camera_angle_x" in told:
        fx = 0.5 * width / np.tan(0.5 * float(told["camera_angle_x"]))
    else:
        raise UsageError(f"{table}: {picture.name} has neither fl_x nor camera_angle_x; give its focal length, fl_x")
    fy = float(told.get("fl_y", fx))
    cx, cy = float(told.get("cx", width / 2)), float(told.get("cy", height / 2))
    # A table of another size than the files is of their larger form.
    by = width / float(told.get("w", width))
    return np.array([[fx * by, 0, cx * by], [0, fy * by, cy * by], [0, 0, 1]])


def _colmap(path: Path) -> list[PosedPhoto]:
    lenses = _colmap_lenses(path.parent / "cameras.txt")
    root = path.parent.parent.parent if path.parent.name == "0" else path.parent
    found, points_follow = [], False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        # The line after a picture's holds its 2D points. Files by other programs leave it out where it is empty.
        if points_follow and not _is_picture(line):
            points_follow = False
            continue
        if not line.strip():
            continue
        words = line.split(maxsplit=9)
        if len(words) < 10:
            raise UsageError(f"{path}: line {number} is no picture: IMAGE_ID, four of Q, three of T, CAMERA_ID, NAME")
        camera, name = words[8], words[9].strip()
        if camera not in lenses:
            raise UsageError(f"{path}: {name} is of camera {camera}, which cameras.txt does not have")
        w, x, y, z, *shift = (float(word) for word in words[1:8])
        if not 0.9 < w * w + x * x + y * y + z * z < 1.1:
            raise UsageError(f"{name}: its pose in {path} is no rotation and shift; its quaternion is {words[1:5]}")
        T = np.eye(4)
        T[:3, :3] = Rotation.from_quat([x, y, z, w]).as_matrix()
        T[:3, 3] = shift
        picture = root / "images" / name
        picture = picture if picture.is_file() else root / name
        found.append(PosedPhoto(picture, lenses[camera], _rigid(T, name, path), _mask_of(picture, root, None)))
        points_follow = True
    return sorted(found, key=lambda photo: photo.path.name)


def _colmap_lenses(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise UsageError(f"{path} is not there, which tells the lenses of images.txt")
    lenses = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        number, model, _, _, *words = line.split()
        values = [float(word) for word in words]
        places = LENSES.get(model)
        if places is None or any(abs(value) > STRAIGHT_BELOW for value in values[max(places) + 1 :]):
            raise UsageError(f"{path}: camera {number} has a lens {model}; undistort the pictures first (PINHOLE)")
        fx, fy, cx, cy = (values[k] for k in places)
        lenses[number] = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
    return lenses


def _is_picture(line: str) -> bool:
    """Whether a line tells a picture: nine numbers and a name. A line of 2D points holds numbers alone."""
    words = line.split()
    return len(words) > 9 and all(map(_is_number, words[:9])) and not all(map(_is_number, words[9:]))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


READERS: dict[str, Callable[[Path], list[PosedPhoto]]] = {
    "scene3d.metadata.json": _scene,
    "transforms.json": _transforms,
    "images.txt": _colmap,
    "sparse/0/images.txt": _colmap,
}
"""Tables by their place below a folder, in the order in which they are looked for."""


def _mask_of(picture: Path, root: Path, told: object) -> tuple[Path, ...]:
    """A mask that a table names, else one of the picture's name in masks/."""
    places = [root / str(told)] if told else []
    places += [root / "masks" / f"{picture.stem}.png", root / "masks" / f"{picture.name}.png"]
    return next(((place,) for place in places if place.is_file()), ())


def square_views(photos: list[PosedPhoto], size: int) -> list[SquareView]:
    """Pictures with one lens for all: the square about each principal point that all photos hold, `size` px a side.

    Raises UsageError for a picture that cannot be read, or a lens whose pixels are not square.
    """
    opened = []
    for photo in photos:
        # Poses are of the picture as the file has it: a turn that EXIF tells is not applied.
        picture = _opened(photo.path, "picture").convert("RGB")
        mask = None
        for path in photo.masks:
            grey = ImageOps.grayscale(_opened(path, "mask").convert("RGB"))
            _require_white(grey, path)
            mask = grey if mask is None else ImageChops.lighter(mask, grey)
        if abs(photo.K[0, 0] - photo.K[1, 1]) > 0.01 * photo.K[0, 0]:
            raise UsageError(f"{photo.path}: its pixels are not square (fx {photo.K[0, 0]:g}, fy {photo.K[1, 1]:g})")
        opened.append((photo, picture, mask))
    # Half the side over the focal length, of the widest square that no photo's edge cuts.
    half = min(_reach(photo, picture.size) for photo, picture, _ in opened)
    K = np.array([[size / 2 / half, 0, size / 2], [0, size / 2 / half, size / 2], [0, 0, 1]])
    found = []
    for photo, picture, mask in opened:
        side = 2 * half * photo.K[0, 0]
        left, top = photo.K[0, 2] - side / 2, photo.K[1, 2] - side / 2
        box = (max(left, 0.0), max(top, 0.0), min(left + side, picture.width), min(top + side, picture.height))
        small = picture.resize((size, size), Image.Resampling.BICUBIC, box)
        cut = None
        if mask is not None:
            by = mask.width / picture.width
            of_mask = (box[0] * by, box[1] * by, min(box[2] * by, mask.width), min(box[3] * by, mask.height))
            cut = np.asarray(mask.resize((size, size), Image.Resampling.BILINEAR, of_mask)) >= MASKED
        found.append(SquareView(np.asarray(small), cut, K, photo.T, (left, top, side)))
    return found


def _opened(path: Path, what: str) -> Image.Image:
    """A file in 8 bits, what is transparent in it on white. Raises UsageError saying what it should have been."""
    try:
        with Image.open(path) as image:
            image.load()
            return eight_bits(image, str(path), over_white=what == "picture")
    except ImageError as error:
        raise UsageError(str(error.args[0])) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"{path}: {error}; is it a {what}?") from error


def _require_white(mask: Image.Image, path: Path) -> None:
    """Raises UsageError for a mask whose objects are marked by a value too dark to count, such as 1."""
    most = int(np.asarray(mask).max())
    if 0 < most < MASKED:
        raise UsageError(f"{path}: the largest value of this mask is {most}; objects have to be white, 255")


def _reach(photo: PosedPhoto, size: tuple[int, int]) -> float:
    cx, cy = photo.K[0, 2], photo.K[1, 2]
    reach = min(cx, cy, size[0] - cx, size[1] - cy)
    if reach <= 0:
        raise UsageError(f"{photo.path}: the optical axis ({cx:g}, {cy:g}) is outside the picture")
    return float(reach / photo.K[0, 0])
