"""One pass over a reference bundle: views, cameras, correspondences and depth become a few figures.

The light pass (files, pictures, cameras) runs on every bundle; the deep pass (npy, depth) on a sample.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from datagen.core.errors import BrokenFile
from datagen.formats.brokenchairs import base_shape, reference_name
from datagen.formats.cameras import PublishedCamera, read_camera
from datagen.formats.safe_npy import parse_npy_dict
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.verify.damage import DAMAGE
from datagen.verify.pictures import open_picture
from datagen.verify.tree import refuse_constant

SUFFIXES = (".png", ".npy", ".json", "_depth.npy")


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceFacts:
    """One reference view as its files say. Angles in degrees; None where the name or a file lacks them."""

    stem: str
    have: tuple[str, ...]
    """Suffixes present, of SUFFIXES."""
    radius: float | None
    azimuth_deg: float | None
    elevation_deg: float | None
    size: tuple[int, int] | None
    is_grey: bool
    """R = G = B everywhere."""
    border_lowest: float
    object_share: float
    contrast: float
    """Standard deviation of grey within the object."""
    camera: PublishedCamera | None


@dataclass(frozen=True, slots=True, eq=False)
class BundleFacts:
    """One shape's reference bundle. `model_id` is the first line of model_id.txt, '' without one."""

    shape: str
    model_id: str
    has_mesh: bool
    views: tuple[ReferenceFacts, ...]
    hashes: Mapping[str, str]
    problems: Mapping[str, str]

    @property
    def is_counterfactual(self) -> bool:
        """Whether it is of an anomalous shape, by its id."""
        return base_shape(self.shape) != self.shape


@dataclass(frozen=True, eq=False)
class DeepView:
    """The arrays of one view, kept only while its bundle is looked at. Absent ones are None."""

    facts: ReferenceFacts
    pxy: np.ndarray | None
    is_visible: np.ndarray | None
    xyz: np.ndarray | None
    depth: np.ndarray | None
    silhouette: np.ndarray | None
    """Pixels (H, W) that the picture shows darker than white."""


def read_bundle(tree: ChairTree, shape: str) -> BundleFacts:
    """The light pass. Never raises: what cannot be read is in `problems`."""
    problems: dict[str, str] = {}
    hashes: dict[str, str] = {}
    folder = f"shapes/shape_{shape}"
    told = (tree.load(f"{folder}/model_id.txt", problems, hashes) or b"").decode("utf-8", "replace")
    model_id = told.strip().partition("\n")[0]
    has_mesh = tree.load(f"{folder}/model.obj", problems, hashes) is not None
    views = tuple(_light_view(tree, stem, problems, hashes) for stem in tree.bundles.get(shape, ()))
    return BundleFacts(shape, model_id, has_mesh, views, hashes, problems)


def _light_view(tree: ChairTree, stem: str, problems: dict[str, str], hashes: dict[str, str]) -> ReferenceFacts:
    have = tuple(suffix for suffix in SUFFIXES if stem + suffix in tree.files.sizes)
    for suffix in (".npy", "_depth.npy"):
        tree.load(stem + suffix, problems, hashes)
    camera = None
    data = tree.load(f"{stem}.json", problems, hashes)
    if data is not None:
        try:
            camera = read_camera(json.loads(data, parse_constant=refuse_constant))
        except ValueError as error:
            problems[f"{stem}.json"] = f"is no JSON: {error}"
        if camera is None:
            problems.setdefault(f"{stem}.json", "holds no finite K (3 x 3), RT and RT_ (4 x 4)")
    size: tuple[int, int] | None = None
    grey, border, share, contrast = True, 255.0, 0.0, 0.0
    data = tree.load(f"{stem}.png", problems, hashes)
    if data is not None:
        try:
            image = open_picture(data).convert("RGB")
            size, (grey, border, share, contrast) = image.size, _levels(image)
        except DAMAGE as error:
            problems[f"{stem}.png"] = f"is no picture: {error}"
    return ReferenceFacts(stem, have, *reference_name(stem), size, grey, border, share, contrast, camera)


def _levels(image: Image.Image) -> tuple[bool, float, float, float]:
    """(R = G = B, darkest of the outermost pixels, share and contrast of the object)."""
    bands = image.split()
    grey = len({band.tobytes() for band in bands}) == 1
    level = np.asarray(bands[0])
    border = min(level[0].min(), level[-1].min(), level[:, 0].min(), level[:, -1].min())
    counts = np.array(bands[0].histogram())[:250]
    total = int(counts.sum())
    if total == 0:
        return grey, float(border), 0.0, 0.0
    values = np.arange(250)
    mean = float(counts @ values) / total
    spread = float(np.sqrt(max(float(counts @ (values - mean) ** 2) / total, 0.0)))
    return grey, float(border), total / level.size, spread


def read_deep(tree: ChairTree, bundle: BundleFacts, problems: dict[str, str]) -> tuple[DeepView, ...]:
    """The arrays of a bundle's views; what cannot be read safely is told in `problems`."""
    return tuple(_deep_view(tree, view, problems) for view in bundle.views)


def _deep_view(tree: ChairTree, view: ReferenceFacts, problems: dict[str, str]) -> DeepView:
    record: dict[str, np.ndarray] = {}
    if ".npy" in view.have:
        path = f"{view.stem}.npy"
        try:
            record = parse_npy_dict(tree.files.read(path), path)
            if faults := _record_faults(record):
                problems[path] = "; ".join(faults)
        except DAMAGE as error:
            problems[path] = getattr(error, "args", [str(error)])[0]
    good = f"{view.stem}.npy" not in problems
    return DeepView(
        view,
        record.get("pxy") if good else None,
        record.get("is_visible") if good else None,
        record.get("xyz") if good else None,
        _depth(tree, view, problems),
        _silhouette(tree, view),
    )


def _record_faults(record: Mapping[str, np.ndarray]) -> list[str]:
    """How a reference npy differs from the published dict."""
    faults = []
    for key, kinds, tail in (("pxy", "iu", (2,)), ("is_visible", "b", ()), ("xyz", "f", (32, 32, 3))):
        value = record.get(key)
        if not isinstance(value, np.ndarray):
            faults.append(f"lacks '{key}'")
        elif value.dtype.kind not in kinds or (value.shape[1:] if key != "xyz" else value.shape) != tail:
            faults.append(f"'{key}' is {value.dtype} {value.shape}")
    if not faults and len(record["pxy"]) != len(record["is_visible"]):
        faults.append("'pxy' and 'is_visible' differ in length")
    return faults


def _depth(tree: ChairTree, view: ReferenceFacts, problems: dict[str, str]) -> np.ndarray | None:
    if "_depth.npy" not in view.have:
        return None
    path = f"{view.stem}_depth.npy"
    try:
        depth = np.load(io.BytesIO(tree.files.read(path)), allow_pickle=False)
    except (BrokenFile, OSError, ValueError, EOFError) as error:
        problems[path] = f"is no array: {error}"
        return None
    if depth.ndim != 2 or depth.dtype.kind != "f":
        problems[path] = f"is {depth.dtype} {depth.shape}, not a float picture"
        return None
    if view.size is not None and depth.shape != view.size[::-1]:
        problems[path] = f"is {depth.shape[1]} x {depth.shape[0]}, its picture {view.size[0]} x {view.size[1]}"
    return np.asarray(depth)


def _silhouette(tree: ChairTree, view: ReferenceFacts) -> np.ndarray | None:
    if view.size is None:
        return None
    return np.asarray(open_picture(tree.files.read(f"{view.stem}.png")).convert("L")) < 250
