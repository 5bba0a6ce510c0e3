"""One scene read once: its tables, and figures of every view by which it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datagen.formats.oddoneout import BACKGROUND_DEPTH, FLOOR, MOST_PART_LABELS, STRIP_VIEWS, is_anomalous
from datagen.kinds.oddoneout.verify.compared import (
    EDGES,
    FOREGROUND,
    back_projected,
    elsewhere,
    grey_of,
    mask_differs,
    parts_differ,
    scaled_differs,
    strip_differs,
)
from datagen.kinds.oddoneout.verify.gathered import Gathered
from datagen.kinds.oddoneout.verify.listing import Listing, listing
from datagen.kinds.oddoneout.verify.object_table import object_records
from datagen.kinds.oddoneout.verify.scene_files import SceneFiles
from datagen.kinds.oddoneout.verify.seen import SeenViews
from datagen.kinds.oddoneout.verify.shown import Shown
from datagen.store.reader import DatasetReader
from datagen.verify.damage import DAMAGE
from datagen.verify.pictures import sharpness


@dataclass(frozen=True, eq=False)
class ObjectFacts:
    """One object: the metadata's word on it, and what back-projected pixels say. Metres."""

    name: str
    anomalous: bool
    """By its path, as the published loader tells it."""
    record: Mapping[str, Any]
    points_low: np.ndarray
    points_high: np.ndarray
    """World bounds (3,) of all its back-projected pixels; inf and -inf where it is never seen."""
    local_low: np.ndarray
    local_high: np.ndarray
    """The same in the frame of its rotation_matrix."""
    seen_px: tuple[int, ...]
    """Pixels in each view."""


@dataclass(frozen=True, eq=False)
class ViewFacts:
    """One view's figures."""

    index: int
    floor_error_m: float
    """Largest |z| of back-projected floor pixels; NaN without floor or depth."""
    overlap_px: int
    """Pixels that two objects, or an object and the floor, both claim."""
    mask_differs_px: int
    """Pixels in which masks/ is not the union of the objects; -1 where there is no masks/."""
    label_differs_px: int
    """Pixels in which binary_labels/ is not the union of the anomalous objects; -1 where there is none."""
    changed_px: int
    """Pixels of anomaly_masks/; -1 where there is none."""
    low: int
    high: int
    spread: float
    """Darkest and brightest grey of the picture, and its deviation."""
    depth_gap_px: int
    """Object or floor pixels without depth, and sky pixels with one."""
    part_differs_px: int
    """Pixels of part_labels/ that belong to another object than the segmentations say; -1 where there is none."""
    picture_px: tuple[int, ...]
    """Height and width of RGB/; () where it cannot be read."""
    flat_boxes_differ: bool
    """Whether scene2d's boxes of this view are not those of the anomalous objects' segmentations."""
    depth_png_differs_px: int
    """Pixels of depth_png/ that are not depth_exr's, scaled; -1 where there is none."""
    changed_elsewhere_px: int
    """Pixels of anomaly_masks/ where no object and no floor is."""
    cut_objects: int
    """Objects that the view's border cuts."""
    alpha_px: int
    """Pixels of RGB/ whose alpha is not 255."""
    sharpness: float
    """How hard the picture's edges are, of 1; 0 where too few are strong enough to tell."""


@dataclass(frozen=True, eq=False)
class SceneFacts:
    """What a scene's files say. `problems`: path or table -> what is wrong with it."""

    name: str
    K: np.ndarray
    extrinsics: np.ndarray
    objects: tuple[ObjectFacts, ...]
    views: tuple[ViewFacts, ...]
    flat_labels: tuple[int, ...]
    """`anomaly_labels` of scene2d; () without it."""
    extra: Mapping[str, Any]
    world: Mapping[str, Any]
    """`scene` of the record: its floor and its environment."""
    flat_boxes_of_none: bool = False
    """Whether scene2d has boxes of views that are not there."""
    flat_paths: tuple[str, ...] = ()
    """`blend_paths` of scene2d; () without them."""
    listed: Listing = Listing(frozenset(), (), ())
    """Which files of the layout are there, and which others."""
    keys: frozenset[str] = frozenset()
    """Sections of the record, tables and lists."""
    unplain: Mapping[str, str] = field(default_factory=dict)
    """Mask or depth file -> how it is stored otherwise than the published loaders read it."""
    coarse: tuple[Shown | None, ...] = ()
    """Every fifth pixel of its views, of scenes that are replayed."""
    shifts: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    """(V, 3): by how many columns and rows a picture fits the bounds of its parts best, and how much better; NaN where
    that is not known."""
    edges: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    """(V, V): how strong the edges of one view's picture are along the outlines of another's masks."""
    colors: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 3)))
    """(V, R + 1, 3): mean RGB of the floor and of each part label (else object), NaN where too few pixels show it."""
    strip_differs: float = float("nan")
    """Mean levels between scene.jpg and that of the views it shows, 255 for another size; NaN where there is none."""
    problems: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def anomalous(self) -> int:
        """How many objects are anomalous by their path."""
        return sum(thing.anomalous for thing in self.objects)


def read_scene(files: DatasetReader, folder: str, sampled: bool = False) -> SceneFacts:
    """Every table and view of a scene, with `coarse` if it is `sampled`; damage is told in `problems`, never raised."""
    reader = SceneFiles(files, folder)
    table, flat = reader.table("scene3d.metadata.json"), reader.table("scene2d.metadata.json")
    records = object_records(table.get("objects"), reader.problems)
    try:
        K = np.array(table["camera"]["K"], dtype=float).reshape(3, 3)
        extrinsics = np.array([p["rotation"] for p in table["camera"]["poses"]], dtype=float).reshape(-1, 4, 4)
    except DAMAGE as error:
        reader.problems["scene3d.metadata.json"] = f"has no cameras that can be read ({error})"
        K, extrinsics = np.eye(3), np.zeros((0, 4, 4))
    names = [str(record.get("name", k)) for k, record in enumerate(records)]
    odd = [is_anomalous(str(record.get("path", ""))) for record in records]
    gathered = Gathered(records)
    labels = flat.get("anomaly_labels") or ()
    if not (isinstance(labels, list | tuple) and all(label in (0, 1) for label in labels)):
        reader.problems["scene2d.metadata.json"] = "anomaly_labels is no list of 0 and 1"
        labels = ()
    extra, world = table.get("datagen"), table.get("scene")
    boxes = flat.get("bbox")
    regions = max((label for record in records for label in (record.get("part_labels") or {}).values()), default=0)
    seen = SeenViews(
        boxes if isinstance(boxes, dict) else {}, max(len(records), min(regions, MOST_PART_LABELS)), sampled
    )
    views = tuple(_view(reader, v, (K, T), (names, odd), gathered, seen) for v, T in enumerate(extrinsics))
    return SceneFacts(
        name=folder.rsplit("/", 1)[-1],
        K=K,
        extrinsics=extrinsics,
        objects=tuple(
            ObjectFacts(name, odd[k], records[k], *gathered.bounds(k), tuple(gathered.seen[k]))
            for k, name in enumerate(names)
        ),
        views=views,
        flat_labels=tuple(labels),
        extra=extra if isinstance(extra, dict) else {},
        world=world if isinstance(world, dict) else {},
        flat_boxes_of_none=seen.other_boxes(),
        flat_paths=_words(flat.get("blend_paths")),
        listed=listing(files, folder, names, len(extrinsics)),
        keys=frozenset(key for key, value in table.items() if isinstance(value, dict | list)),
        unplain=reader.unplain,
        coarse=tuple(seen.coarse),
        shifts=np.array(seen.shifts).reshape(-1, 3),
        edges=seen.edges(),
        colors=seen.color_table(),
        strip_differs=strip_differs(reader.image("scene.jpg", "RGB", wanted=False), seen.shown),
        problems=reader.problems,
        hashes=reader.hashes,
    )


def _words(found: Any) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def _view(
    reader: SceneFiles,
    v: int,
    camera: tuple[np.ndarray, np.ndarray],
    objects: tuple[list[str], list[bool]],
    gathered: Gathered,
    seen: SeenViews,
) -> ViewFacts:
    """`camera`: K and extrinsic; `objects`: their names, and which are odd."""
    (K, T), (names, odd) = camera, objects
    picture = reader.picture(f"RGB/{v:04d}.png")
    depth = reader.depth(f"depth_exr/{v:04d}.exr")
    masks = [reader.segmentation(f"segmentations/{name}/{name}_{v:04d}.png") for name in names]
    ground = reader.segmentation(f"segmentations/{FLOOR}/{FLOOR}_{v:04d}.png")
    shape = next((m.shape for m in (*masks, ground, picture) if m is not None), (1, 1))
    things = np.array([np.zeros(shape, bool) if m is None or m.shape != shape else m > FOREGROUND for m in masks])
    things = things.reshape(len(names), *shape)
    floor = np.zeros(shape, bool) if ground is None or ground.shape != shape else ground > FOREGROUND
    union = things.any(axis=0)
    world = None if depth is None or depth.shape != shape else back_projected(depth, K, T)
    for k, mask in enumerate(things):
        gathered.add(k, np.zeros((0, 3)) if world is None else world[mask], int(mask.sum()))
    gap = 0
    if depth is not None and depth.shape == shape:
        finite = depth < BACKGROUND_DEPTH / 2
        gap = int((finite != (union | floor)).sum())
    level = np.zeros((1, 1), np.uint8) if picture is None else grey_of(picture)
    own = reader.mask(f"masks/{v:04d}.png")
    labels = reader.mask(f"binary_labels/{v:04d}.png")
    changed = reader.mask(f"anomaly_masks/{v:04d}.png")
    wrong = np.array([o for o in odd], dtype=bool)
    parts = reader.labels(f"part_labels/{v:04d}.png")
    scaled = reader.labels(f"depth_png/{v:04d}.png")
    seen.add(None if picture is None else picture[..., :3], things)
    regions = np.where(union, things.argmax(axis=0) + 1 if len(things) else 0, np.where(floor, 0, -1))
    if parts is not None and parts.shape == shape:
        regions = np.where(union, parts, regions)
    seen.add_colors(picture, regions)
    seen.add_bounds(parts)
    seen.keep_coarse(things, depth, parts, changed)
    if v in STRIP_VIEWS and picture is not None:
        seen.keep_for_strip(picture, things[wrong])
    return ViewFacts(
        index=v,
        floor_error_m=float(np.abs(world[floor][:, 2]).max()) if world is not None and floor.any() else float("nan"),
        overlap_px=int(((things.sum(axis=0) + floor) > 1).sum()),
        mask_differs_px=mask_differs(own, union),
        label_differs_px=mask_differs(labels, things[wrong].any(axis=0) if wrong.any() else np.zeros(shape, bool)),
        changed_px=-1 if changed is None else int((changed > FOREGROUND).sum()),
        low=int(level.min()),
        high=int(level.max()),
        spread=float(level.std()),
        depth_gap_px=gap,
        part_differs_px=-1 if parts is None else parts_differ(parts, things, gathered.records),
        picture_px=() if picture is None else picture.shape[:2],
        flat_boxes_differ=seen.boxes_differ(v, things[wrong]),
        depth_png_differs_px=-1 if scaled is None or depth is None else scaled_differs(scaled, depth),
        changed_elsewhere_px=elsewhere(changed, union | floor),
        cut_objects=int(sum(m[[0, -1]].any() or m[:, [0, -1]].any() for m in things)),
        alpha_px=0 if picture is None else int((picture[..., 3] != 255).sum()),
        sharpness=sharpness(level, EDGES),
    )
