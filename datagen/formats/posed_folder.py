"""A folder of photographs with poses: nerfstudio's transforms.json, COLMAP's text model, or a scene as built here.

Poses are read as world-to-camera with OpenCV axes, in metres; the world has z up and its floor at 0. Lenses without
distortion are read, others are refused by name.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageOps
from scipy.spatial.transform import Rotation

from datagen.core.camera import OPENCV_FROM_OPENGL, rigid_inverse
from datagen.core.errors import UsageError
from datagen.formats.oddoneout import FLOOR

DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")
PINHOLES = {"SIMPLE_PINHOLE": (0, 0, 1, 2), "PINHOLE": (0, 1, 2, 3)}
"""COLMAP's lenses without distortion: where among the parameters fx, fy, cx and cy stand."""
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
    readers: dict[str, Callable[[Path], list[PosedPhoto]]] = {
        "scene3d.metadata.json": _scene,
        "transforms.json": _transforms,
        "images.txt": _colmap,
        "sparse/0/images.txt": _colmap,
    }
    for name, read in readers.items():
        path = folder / name
        if path.is_file():
            try:
                found = read(path)
            except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
                raise UsageError(f"{path}: {type(error).__name__} {error}; is it whole?") from error
            missing = [photo.path for photo in found if not photo.path.is_file()]
            if missing:
                raise UsageError(f"{missing[0]}: named by {path} and not there ({len(missing)} of {len(found)})")
            if not found:
                raise UsageError(f"{path} names no picture")
            return found
    raise UsageError(f"{folder} holds no poses; {HELP}")


def _scene(path: Path) -> list[PosedPhoto]:
    told = json.loads(path.read_bytes())["camera"]
    pictures = sorted((path.parent / "RGB").glob("*.png"))
    K = np.array(told["K"], dtype=float)
    found = []
    for picture, pose in zip(pictures, told["poses"], strict=True):
        masks = tuple(place for place in [path.parent / "masks" / picture.name] if place.is_file())
        # The published sample has no masks/: an object's segmentation each.
        of_each = sorted((path.parent / "segmentations").glob(f"*/*_{picture.name}"))
        masks = masks or tuple(place for place in of_each if place.parent.name != FLOOR)
        found.append(PosedPhoto(picture, K, np.array(pose["rotation"], dtype=float), masks))
    return found


def _transforms(path: Path) -> list[PosedPhoto]:
    whole = json.loads(path.read_bytes())
    found = []
    for frame in whole["frames"]:
        told = {**{key: value for key, value in whole.items() if key != "frames"}, **frame}
        bent = [key for key in DISTORTION if abs(float(told.get(key) or 0.0)) > 1e-6]
        if bent:
            raise UsageError(f"{path}: {frame['file_path']} has a lens with {bent[0]}; undistort the pictures first")
        picture = path.parent / str(frame["file_path"])
        picture = picture if picture.suffix else picture.with_suffix(".png")
        mask = frame.get("mask_path")
        T = rigid_inverse(np.array(frame["transform_matrix"], dtype=float).reshape(4, 4) @ OPENCV_FROM_OPENGL)
        found.append(PosedPhoto(picture, _lens(told, picture), T, _mask_of(picture, path.parent, mask)))
    return found


def _lens(told: Mapping[str, Any], picture: Path) -> np.ndarray:
    with Image.open(picture) as image:
        width, height = image.size
    if "fl_x" in told:
        fx = float(told["fl_x"])
    else:
        fx = 0.5 * width / np.tan(0.5 * float(told["camera_angle_x"]))
    fy = float(told.get("fl_y", fx))
    cx, cy = float(told.get("cx", width / 2)), float(told.get("cy", height / 2))
    # A table of another size than the files is of their larger form.
    by = width / float(told.get("w", width))
    return np.array([[fx * by, 0, cx * by], [0, fy * by, cy * by], [0, 0, 1]])


def _colmap(path: Path) -> list[PosedPhoto]:
    lenses = {}
    for line in _lines(path.parent / "cameras.txt"):
        number, model, _, _, *values = line.split()
        if model not in PINHOLES:
            raise UsageError(f"{path.parent / 'cameras.txt'}: lens {model}; undistort the pictures first (PINHOLE)")
        fx, fy, cx, cy = (float(values[k]) for k in PINHOLES[model])
        lenses[number] = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
    root = path.parent.parent.parent if path.parent.name == "0" else path.parent
    found = []
    lines = path.read_text(encoding="utf-8").splitlines()
    # Every second line of pictures holds 2D points, and may be empty.
    posed = [line for line in lines if not line.startswith("#")][::2]
    for line in posed:
        _, w, x, y, z, tx, ty, tz, camera, name = line.split(maxsplit=9)
        T = np.eye(4)
        T[:3, :3] = Rotation.from_quat([float(v) for v in (x, y, z, w)]).as_matrix()
        T[:3, 3] = [float(v) for v in (tx, ty, tz)]
        picture = root / "images" / name
        picture = picture if picture.is_file() else root / name
        found.append(PosedPhoto(picture, lenses[camera], T, _mask_of(picture, root, None)))
    return sorted(found, key=lambda photo: photo.path.name)


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


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
        try:
            with Image.open(photo.path) as image:
                # Poses are of the picture as the file has it: a turn that EXIF tells is not applied.
                picture = image.convert("RGB")
            mask = None
            for path in photo.masks:
                with Image.open(path) as image:
                    grey = ImageOps.grayscale(image.convert("RGB"))
                mask = grey if mask is None else ImageChops.lighter(mask, grey)
        except OSError as error:
            raise UsageError(f"{photo.path}: {error}; is it a picture?") from error
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


def _reach(photo: PosedPhoto, size: tuple[int, int]) -> float:
    cx, cy = photo.K[0, 2], photo.K[1, 2]
    reach = min(cx, cy, size[0] - cx, size[1] - cy)
    if reach <= 0:
        raise UsageError(f"{photo.path}: the optical axis ({cx:g}, {cy:g}) is outside the picture")
    return float(reach / photo.K[0, 0])
