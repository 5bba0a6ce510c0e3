"""A camera station in the words of whoever built it: sensors, lenses and places in millimetres."""

import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from datagen.core.errors import RecipeError
from datagen.recipe.loader import describe_errors, read_yaml
from datagen.recipe.section import Positive, Section

Point = tuple[float, float, float]
Count = Annotated[int, Field(ge=1, le=1000)]
Pixels = Annotated[int, Field(ge=1, le=20000)]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
Pose = tuple[tuple[float, float, float, float], ...]


MOST_OBLONG = 0.01
"""Share by which fx and fy may differ, as calibrations of square pixels do."""


class LensRecipe(Section):
    """Distortion after Brown and Conrady: OpenCV's coefficients."""

    k1: float = 0.0
    """First radial coefficient."""
    k2: float = 0.0
    """Second radial coefficient."""
    p1: float = 0.0
    """First tangential coefficient."""
    p2: float = 0.0
    """Second tangential coefficient."""
    k3: float = 0.0
    """Third radial coefficient."""


class OpticsRecipe(Section):
    """A sensor and its lens. The focal length is told by `K`, by `focal_px`, or by `focal_mm` and `pixel_um`."""

    size_px: tuple[Pixels, Pixels] | None = None
    """Width and height of the pictures."""
    K: Matrix | None = None
    """Intrinsics as OpenCV has them: (fx, 0, cx), (0, fy, cy), (0, 0, 1); pixel i covers i to i + 1."""
    focal_px: Positive | None = None
    """Focal length in pixels; the principal point is then the centre."""
    focal_mm: Positive | None = None
    """Focal length in millimetres, with `pixel_um`."""
    pixel_um: Positive | None = None
    """Edge of a pixel of the sensor in micrometres."""
    lens: LensRecipe | None = None
    """Distortion; none where it is not told."""

    @model_validator(mode="after")
    def _one_focal_length(self) -> "OpticsRecipe":
        told = [self.K is not None, self.focal_px is not None, self.focal_mm is not None]
        if sum(told) > 1:
            raise ValueError("tell one of K, focal_px and focal_mm")
        if (self.focal_mm is None) != (self.pixel_um is None):
            raise ValueError("focal_mm and pixel_um belong together")
        if self.K is not None and (self.K[2] != (0.0, 0.0, 1.0) or self.K[1][0] or self.K[0][1]):
            raise ValueError("K is (fx, 0, cx), (0, fy, cy), (0, 0, 1)")
        if self.K is not None and (self.K[0][0] <= 0 or self.K[1][1] <= 0):
            raise ValueError("K needs focal lengths above 0")
        if self.K is not None and abs(self.K[0][0] / self.K[1][1] - 1) > MOST_OBLONG:
            raise ValueError(
                f"K has pixels that are not square (fx {self.K[0][0]:g}, fy {self.K[1][1]:g}), and pictures here have "
                "square ones; resample the photographs to square pixels, and write the K of those"
            )
        return self

    @property
    def has_focal_length(self) -> bool:
        """Whether the focal length is told here."""
        return self.K is not None or self.focal_px is not None or self.focal_mm is not None


class CameraRecipe(OpticsRecipe):
    """One camera: by `position_mm` and what it looks at, or by `T_camera_world`."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[\w-]+$")]
    """The camera's name, in reports."""
    position_mm: Point | None = None
    """Where it stands."""
    look_at_mm: Point = (0.0, 0.0, 0.0)
    """The point in the middle of its picture."""
    up: Point = (0.0, 0.0, 1.0)
    """What is up in its picture."""
    T_camera_world: Pose | None = None
    """World (mm) to camera as OpenCV has it (x right, y down, z ahead), 4 x 4 or 3 x 4."""

    @model_validator(mode="after")
    def _one_place(self) -> "CameraRecipe":
        if (self.position_mm is None) == (self.T_camera_world is None):
            raise ValueError("tell one of position_mm and T_camera_world")
        if self.position_mm is not None and math.dist(self.position_mm, self.look_at_mm) == 0:
            raise ValueError("position_mm and look_at_mm are one point")
        if self.T_camera_world is not None:
            R = np.array(self.T_camera_world)[:3, :3]
            if (
                len(self.T_camera_world) not in (3, 4)
                or np.abs(R @ R.T - np.eye(3)).max() > 1e-4
                or np.linalg.det(R) < 0
            ):
                raise ValueError("T_camera_world is 3 or 4 rows of a rotation and a translation")
        return self


class RingRecipe(Section):
    """Cameras on a circle about the z axis that look at the part's middle."""

    count: Count = 20
    """How many, evenly spread."""
    radius_mm: Positive
    """From the axis."""
    height_mm: float
    """Above the plane on which the part stands."""
    first_deg: float = 0.0
    """Azimuth of the first one."""


class DomeRecipe(Section):
    """Cameras on a dome about the part's middle, which they look at, evenly spread between two elevations."""

    count: Count = 24
    """How many."""
    radius_mm: Positive
    """From the part's middle."""
    elevations_deg: tuple[Annotated[float, Field(gt=-90, lt=90)], Annotated[float, Field(gt=-90, lt=90)]] = (20.0, 80.0)
    """Least and greatest angle above the horizon."""

    @model_validator(mode="after")
    def _ordered(self) -> "DomeRecipe":
        if self.elevations_deg[0] > self.elevations_deg[1]:
            raise ValueError("elevations_deg: the least comes first")
        return self


class StationRecipe(OpticsRecipe):
    """A station: what all its cameras share, and where they are. Millimetres; the part stands on z = 0."""

    frame: Literal["standing", "file"] = "standing"
    """`standing`: the origin is below the middle of the part, on the plane it stands on; `file`: the part's own."""
    cameras: tuple[CameraRecipe, ...] = ()
    """Cameras one by one; each may have optics of its own."""
    ring: RingRecipe | None = None
    """Cameras on a circle."""
    turntable: RingRecipe | None = None
    """One still camera and a part that turns: the same pictures as a ring's, under lights that stay."""
    dome: DomeRecipe | None = None
    """Cameras on a dome."""

    @model_validator(mode="after")
    def _has_cameras(self) -> "StationRecipe":
        if not (self.cameras or self.ring or self.turntable or self.dome):
            raise ValueError("a station needs cameras, ring, turntable or dome")
        for camera in self.cameras or (self,):
            who = camera.name if isinstance(camera, CameraRecipe) else "the station"
            if not camera.has_focal_length and not self.has_focal_length:
                raise ValueError(f"{who} has no focal length; write K, focal_px, or focal_mm and pixel_um")
            if camera.size_px is None and self.size_px is None:
                raise ValueError(f"{who} has no size_px; write [width, height] in pixels")
            self._refuse_foreign_K(camera, who)
        if (self.ring or self.turntable or self.dome) and not (self.has_focal_length and self.size_px):
            raise ValueError("ring, turntable and dome need size_px and a focal length of the station")
        names = [camera.name for camera in self.cameras]
        if len(set(names)) < len(names):
            raise ValueError("two cameras have one name")
        return self

    def _refuse_foreign_K(self, camera: OpticsRecipe, who: str) -> None:
        K, size = (camera if camera.has_focal_length else self).K, camera.size_px or self.size_px
        if K is not None and size is not None and not (0 < K[0][2] < size[0] and 0 < K[1][2] < size[1]):
            raise ValueError(
                f"{who} has K of pictures of another size: its principal point ({K[0][2]:g}, {K[1][2]:g}) lies outside "
                f"{size[0]} x {size[1]} pixels; write the size_px that K was calibrated at"
            )

    @property
    def count(self) -> int:
        """How many cameras it has."""
        return len(self.cameras) + sum(g.count for g in (self.ring, self.turntable, self.dome) if g is not None)


def read_station(path: Path) -> StationRecipe:
    """A station's file. Raises RecipeError naming file and key."""
    data = read_yaml(path, "--station or query.station")
    try:
        return StationRecipe.model_validate(data)
    except ValidationError as error:
        wrong = describe_errors(error, StationRecipe, "station")
        raise RecipeError(f"station {path}: {wrong}; see docs/inspection.md") from error
