"""Render for detect: the camera of a photo, found by rendering the reference again and again.

From the nearest view's azimuth the camera is moved in ever smaller steps of azimuth, elevation and distance to where
the silhouettes of photo and render agree best; the photo is then compared with the render from there. Where the object
may lie beside the middle its place in the picture is searched for too, and of a photo that was not taken like a query
roll as well: by their boxes first, then all at once (Nelder and Mead).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.optimize import minimize

from datagen.core.camera import Camera
from datagen.core.shape import Mesh, Shape
from datagen.datasets.views import resized
from datagen.geometry.rays import RayScene
from datagen.models.silhouettes import GROUND_LEVEL, OBJECT_LEVEL
from datagen.recipe.models import ReferenceRecipe
from datagen.render.raycast import frame_of, look
from datagen.render.reference import ReferenceShader
from datagen.scenes.cameras import reference_transform
from datagen.train.tasks.matching.reference import Reference

ELEVATIONS_DEG = (5.0, 89.0)
ROLL_DEG = 12.0
STEPS_DEG = (6.0, 3.0, 1.5, 0.75)
RADIUS_STEP = 0.02
"""Share of the distance by which a step of 6 degrees changes it; smaller steps less."""
STARTS_DEG = tuple((a, e) for e in (20.0, 30.0, 40.0, 52.0, 66.0) for a in (0.0, -9.0, 9.0))
"""Azimuths from the nearest view's, and elevations, that the search begins at; it goes on from the best."""
SEARCH_PX = 128
"""Pictures are compared at this size at most."""
AT_ONCE = {"azimuth_deg": 3.0, "elevation_deg": 3.0, "log_radius": 0.03, "x": 0.015, "y": 0.015, "roll_deg": 2.0}
"""First steps of the search of all at once: degrees, and shares of distance and picture."""
TRIES = 140
"""Renders that it takes at most."""


ALIKE = 0.75
"""IoU of the photo's outline and the reference's best one below which a photo may be of another thing."""
ALIKE_ELSEWHERE, LEFT_OVER = 0.8, 0.4
"""The same of what a change map leaves over, and the share of the outlines that it has to leave. Of 60 anomalous test
pictures 48 pass the first alone and 54 either; with the camera turned by 90 degrees 0 and 1 do, by 180 degrees, where
some shapes have the same outline, 3 and 7."""
OTHERS = 2
"""Views from which the search begins again then."""
DRAWN_PX = 256
"""Side of a bundle's pictures."""


class Views(Protocol):
    """Grey pictures of a reference from any camera."""

    def picture(self, camera: Camera) -> np.ndarray:
        """(S, S) uint8, white where there is nothing."""

    def outline(self, camera: Camera) -> np.ndarray:
        """The same, as well as a search needs it."""


class MeshViews:
    """Pictures of a mesh, by ray casting."""

    def __init__(self, parts: Sequence[tuple[int, Mesh]]) -> None:
        """`parts`: ids and meshes in the frame of the reference views, z up."""
        self.scene = RayScene(list(parts))
        self.shader = ReferenceShader(self.scene, [mesh for _, mesh in parts])

    def picture(self, camera: Camera) -> np.ndarray:
        """(S, S) uint8."""
        return self.shader.shaded(camera)[0][..., 0]

    outline = picture

    def part_ids(self, pose: "Pose") -> np.ndarray:
        """(S, S) int32: the part that a pose shows at each pixel, 0 for background."""
        camera = pose.camera
        ids = frame_of(self.scene, camera, look(self.scene, camera)).part_id
        rows, columns = np.indices(ids.shape)
        half = (len(ids) - 1) / 2
        x, y = columns - pose.shift[0] * len(ids) - half, rows - pose.shift[1] * len(ids) - half
        angle = np.radians(pose.roll_deg)
        u, v = (np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y)
        found = ndimage.map_coordinates(ids, np.stack([v + half, u + half]), order=0, mode="constant")
        plain: np.ndarray = found
        return plain


def views_of(shape: Shape) -> MeshViews:
    """Pictures of a shape, normalised and stood upright."""
    placed = shape.transformed(reference_transform(shape))
    return MeshViews([(part.part_id, part.mesh) for part in placed.parts])


@dataclass(frozen=True)
class Pose:
    """A camera, by how many degrees its picture is turned (counter-clockwise), and by how much it is moved then
    (columns, rows, as shares of the picture)."""

    camera: Camera
    roll_deg: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Refined:
    """A pose, what the reference looks like from there (S, S) uint8, and the IoU of the silhouettes."""

    pose: Pose
    picture: np.ndarray
    agreement: float

    @property
    def camera(self) -> Camera:
        """The pose's camera."""
        return self.pose.camera


def silhouette(grey_SS: np.ndarray) -> np.ndarray:
    """Object share (S, S) in 0..1: soft at edges, so that moves of less than a pixel count."""
    return np.clip((GROUND_LEVEL - grey_SS) / (GROUND_LEVEL - OBJECT_LEVEL), 0, 1)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """IoU of two soft silhouettes."""
    return float(np.minimum(a, b).sum() / max(np.maximum(a, b).sum(), 1e-9))


def refine(photo: np.ndarray, views: Views, azimuth_deg: float, *, aside: bool = False, free: bool = False) -> Refined:
    """The camera of a photo (S, S, 3) uint8 on white, near a published azimuth of a reference view.

    `aside`: the object may lie beside the middle of the picture, as on a tray. `free`: the photo was not taken as
    queries are rendered, upright and with the object's box centre in the middle, so roll is searched for too.
    """
    size = len(photo)
    small = (
        photo
        if size <= SEARCH_PX
        else np.asarray(Image.fromarray(photo).resize((SEARCH_PX,) * 2, Image.Resampling.BOX))
    )
    search = Search(silhouette(small.min(axis=2)), views, aside or free, free)
    starts = [Camera(-azimuth_deg + a, e, ReferenceRecipe().radius, size_px=len(small)) for a, e in STARTS_DEG]
    best = search.best_of([Pose(camera) for camera in starts])
    for step in STEPS_DEG:
        for _ in range(3):
            found = search.best_of(_moves(best.pose, step, free))
            if found.agreement <= best.agreement:
                break
            best = found
    if search.aside:
        best = max(search.at_once(best.pose), best, key=lambda found: found.agreement)
    pose = replace(best.pose, camera=replace(best.camera, size_px=size))
    return Refined(pose, final_picture(views, pose), best.agreement)


def is_found(refined: Refined) -> bool:
    """Whether the reference has about the photo's outline from the camera found."""
    return refined.agreement >= ALIKE


def agrees_elsewhere(refined: Refined, outline: np.ndarray, change: np.ndarray) -> bool:
    """Whether outlines agree where the network sees no change: a large defect changes the outline of a part, a wrong
    camera that of all.

    `outline` (S, S) is the photo's soft silhouette, `change` (S, S) the map in 0..1. False where the map leaves less
    than `LEFT_OVER` of both outlines to compare.
    """
    kept = ~ndimage.binary_dilation(change > 0.5, iterations=2)
    other = silhouette(refined.picture)
    both = np.maximum(outline, other)
    left_over = float((both * kept).sum() / max(both.sum(), 1e-9))
    return left_over >= LEFT_OVER and agreement(outline * kept, other * kept) >= ALIKE_ELSEWHERE


def refine_from(
    photo: np.ndarray, views: Views, azimuths_deg: Sequence[float], *, aside: bool = False, free: bool = False
) -> Refined:
    """`refine` from the first of some azimuths, and where no camera is found from the others in turn: the best."""
    best = refine(photo, views, azimuths_deg[0], aside=aside, free=free)
    for azimuth in azimuths_deg[1:]:
        if is_found(best):
            break
        again = refine(photo, views, azimuth, aside=aside, free=free)
        best = max(best, again, key=lambda found: found.agreement)
    return best


def starting_azimuths(photo: np.ndarray, pictures: np.ndarray, azimuths_deg: np.ndarray, chosen: int) -> list[float]:
    """Published azimuth of the chosen one of the views (N, S, S) uint8, and of the likest others by their outlines."""
    outline = silhouette(photo.min(axis=2))
    alike = [agreement(outline, silhouette(view)) for view in pictures]
    others = [n for n in np.argsort(alike)[::-1].tolist() if n != chosen and np.isfinite(azimuths_deg[n])]
    return [float(azimuths_deg[n]) for n in (chosen, *others[:OTHERS])]


@dataclass(frozen=True, eq=False)
class Search:
    """How well poses agree with a soft silhouette (S, S); `aside` and `free` as of `refine`."""

    wanted: np.ndarray
    views: Views
    aside: bool
    free: bool

    def best_of(self, poses: Sequence[Pose]) -> Refined:
        """The pose that agrees best; pictures that may lie aside are moved until boxes have one centre."""
        return max((self._centred(pose) for pose in poses), key=lambda found: found.agreement)

    def at_once(self, start: Pose) -> Refined:
        """From a pose to the nearest best one, in everything that is free."""
        names = [name for name in AT_ONCE if name != "roll_deg" or self.free]
        camera = start.camera
        known = {"azimuth_deg": camera.azimuth_deg, "elevation_deg": camera.elevation_deg, "roll_deg": start.roll_deg}
        known |= {"log_radius": float(np.log(camera.radius)), "x": start.shift[0], "y": start.shift[1]}
        origin = np.array([known[name] for name in names])
        scale = np.array([AT_ONCE[name] for name in names])

        def pose(steps: np.ndarray) -> Pose:
            at = known | dict(zip(names, (origin + steps * scale).tolist(), strict=True))
            eye = replace(
                camera,
                azimuth_deg=at["azimuth_deg"],
                elevation_deg=float(np.clip(at["elevation_deg"], *ELEVATIONS_DEG)),
                radius=float(np.exp(at["log_radius"])),
            )
            return Pose(eye, float(np.clip(at["roll_deg"], -ROLL_DEG, ROLL_DEG)), (at["x"], at["y"]))

        simplex = np.vstack([np.zeros(len(names)), np.eye(len(names))])
        options = {"initial_simplex": simplex, "maxfev": TRIES, "xatol": 0.01, "fatol": 1e-4}
        found = minimize(lambda x: -self._as_is(pose(x)).agreement, simplex[0], method="Nelder-Mead", options=options)
        return self._as_is(pose(found.x))

    def _centred(self, pose: Pose) -> Refined:
        if not self.aside:
            return self._as_is(pose)
        picture = turned(self.views.outline(pose.camera), pose.roll_deg)
        return self._as_is(replace(pose, shift=_apart(self.wanted, silhouette(picture))), picture)

    def _as_is(self, pose: Pose, picture: np.ndarray | None = None) -> Refined:
        """`picture`: of the pose's camera, turned already."""
        picture = turned(self.views.outline(pose.camera), pose.roll_deg) if picture is None else picture
        picture = moved(picture, pose.shift)
        return Refined(pose, picture, agreement(self.wanted, silhouette(picture)))


def final_picture(views: Views, pose: Pose) -> np.ndarray:
    """What a pose shows (S, S) uint8, drawn as large as bundles are and shrunk like them: networks have learned from
    these."""
    size = pose.camera.size_px
    drawn = views.picture(replace(pose.camera, size_px=max(size, DRAWN_PX)))
    return resized(moved(turned(drawn, pose.roll_deg), pose.shift), size)


def turned(picture: np.ndarray, roll_deg: float) -> np.ndarray:
    """A picture (S, S) uint8 turned about its middle, counter-clockwise; white comes in."""
    if not roll_deg:
        return picture
    return np.asarray(Image.fromarray(picture).rotate(roll_deg, Image.Resampling.BILINEAR, fillcolor=255))


def moved(picture: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    """A picture (S, S) uint8 moved by a share of its side along columns and rows; white comes in."""
    if shift == (0.0, 0.0):
        return picture
    x, y = (-part * len(picture) for part in shift)
    image = Image.fromarray(picture)
    whole = image.transform(
        image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y), Image.Resampling.BILINEAR, fillcolor=255
    )
    return np.asarray(whole)


def _apart(wanted: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """How far the middle of the one outline's box is from the other's, as shares of the side (columns, rows)."""
    middles = []
    for share in (wanted, found):
        rows, columns = (np.flatnonzero((share > 0.5).any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return 0.0, 0.0
        middles.append(((columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2))
    (x, y), (u, v) = middles
    return (x - u) / len(wanted), (y - v) / len(wanted)


def _moves(pose: Pose, step: float, free: bool) -> list[Pose]:
    """Neighbours of a pose in azimuth, elevation and distance, and of a free one in roll."""
    low, high = ELEVATIONS_DEG
    camera, far = pose.camera, 1 + RADIUS_STEP * step / STEPS_DEG[0]
    cameras = [replace(camera, azimuth_deg=camera.azimuth_deg + sign * step) for sign in (-1, 1)]
    heights = (float(np.clip(camera.elevation_deg + sign * step, low, high)) for sign in (-1, 1))
    cameras += [replace(camera, elevation_deg=height) for height in heights]
    cameras += [replace(camera, radius=camera.radius * far), replace(camera, radius=camera.radius / far)]
    turns = [pose.roll_deg + sign * step / 2 for sign in (-1, 1)] if free else []
    rolls = [replace(pose, roll_deg=turn) for turn in turns if abs(turn) <= ROLL_DEG]
    return [*(replace(pose, camera=moved_camera) for moved_camera in cameras), *rolls]


def only_view(picture: np.ndarray) -> Reference:
    """A picture (S, S) as a bundle of one view, without positions."""
    patches = (len(picture) // 8) ** 2
    return Reference(picture[None], np.full((1, patches, 3), np.nan, dtype=np.float32), np.zeros(1))


def direction_deg(a: np.ndarray, b: np.ndarray) -> float:
    """Angle between the directions of two points (3,), seen from the origin; NaN where one is."""
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))
