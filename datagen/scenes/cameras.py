"""Query and reference cameras (paper, section 3.2; semantics.md, Frames and scale)."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from datagen.core.camera import Camera
from datagen.core.errors import UsageError
from datagen.core.shape import Shape
from datagen.recipe.lamps import has_ground
from datagen.recipe.models import QueryRecipe, ReferenceRecipe
from datagen.recipe.station import StationRecipe
from datagen.scenes.station import StationView, station_cameras, station_views


def query_cameras(recipe: QueryRecipe, rng: np.random.Generator) -> list[Camera]:
    """One camera an azimuth step, in random order; elevation uniform on a 0.01 degree grid.

    With `azimuth: continuous` as many cameras, each uniform in [0, 360) to 0.01 degrees and half a step from the next.
    They look at the origin: the query scene has the object's box centre there.
    """
    low, high = (round(100 * limit) for limit in recipe.elevation_deg)
    return [
        Camera(
            azimuth_deg=azimuth,
            elevation_deg=int(rng.integers(low, high + 1)) / 100,
            radius=recipe.radius,
            size_px=recipe.size_px,
        )
        for azimuth in _azimuths(recipe, rng)
    ]


def cameras_about(shape: Shape, recipe: QueryRecipe, rng: np.random.Generator) -> list[Camera]:
    """Cameras of the recipe's station in random order, else those of `query_cameras`.

    Raises UsageError where the shape has no unit and the recipe a station.
    """
    if recipe.station is None:
        return query_cameras(recipe, rng)
    views = station_views(recipe.station, shape)
    return [station_camera(views[k], recipe) for k in rng.permutation(len(views))]


def station_camera(view: StationView, recipe: QueryRecipe) -> Camera:
    """The camera of a query for a view of `station_views`."""
    radius = float(f"{recipe.scale * view.distance:.6g}")
    focal = recipe.focal_at(radius)
    return Camera(view.azimuth_deg, view.elevation_deg, radius, recipe.size_px, focal_px_at_256=focal, lens=view.lens)


def picture_px_per_mm(shape: Shape, recipe: QueryRecipe) -> float:
    """Pixels per millimetre of queries at the middle of a shape that has a unit, by the station's nearest camera."""
    views = [] if recipe.station is None else station_views(recipe.station, shape)
    cameras = [station_camera(view, recipe) for view in views] or [Camera(0.0, 0.0, recipe.radius, recipe.size_px)]
    return max(camera.focal_px / camera.radius for camera in cameras) * recipe.scale * shape.mm


def of_station(camera: Camera, shape: Shape, recipe: QueryRecipe) -> Camera | None:
    """The camera of the recipe's station that a query's is, to what file names hold; itself without a station.

    None where no camera stands there.
    """
    if recipe.station is None:
        return camera
    cameras = (station_camera(view, recipe) for view in station_views(recipe.station, shape))
    found = next((one for one in cameras if _is_near(camera, one)), None)
    return None if found is None else replace(camera, lens=found.lens)


def refuse_folded(recipe: QueryRecipe, shape: Shape) -> None:
    """Raises UsageError for a station's lens that folds a picture of the shape over itself, naming the camera."""
    if recipe.station is not None:
        size = float(recipe.size_px)
        border = np.array([(x, y) for x in (0, size / 2, size) for y in (0, size / 2, size)])
        for name, view in _named_views(recipe.station, shape):
            try:
                station_camera(view, recipe).directions(border)
            except UsageError as error:
                raise UsageError(
                    f"camera {name}: {error.args[0]}; of a camera so near that {shape.shape_id} does not fit its "
                    "picture, move it away"
                ) from error


def refuse_below(recipe: QueryRecipe, shape: Shape) -> None:
    """Raises UsageError for a station's camera below the plane on which the shape stands, which hides it."""
    if recipe.station is None or not has_ground(recipe.lights):
        return
    foot = float(shape.bounds[0][2] - shape.centre[2])
    for name, view in _named_views(recipe.station, shape):
        above = view.distance * float(np.sin(np.radians(view.elevation_deg))) - foot
        if above < 0:
            raise UsageError(
                f"camera {name} stands {-above / shape.mm:.3g} mm below the plane on which {shape.shape_id} stands; "
                "pictures from there show the ground alone. Raise it, or turn the part over in its file"
            )


def _named_views(station: StationRecipe, shape: Shape) -> Iterator[tuple[str, StationView]]:
    names = [camera.name for camera in station_cameras(station, shape.centre.tolist())]
    return zip(names, station_views(station, shape), strict=True)


def _is_near(one: Camera, other: Camera) -> bool:
    turn = abs((one.azimuth_deg - other.azimuth_deg + 180) % 360 - 180)
    return (
        turn < 0.02
        and abs(one.elevation_deg - other.elevation_deg) < 0.02
        and abs(one.radius / other.radius - 1) < 1e-4
    )


def _azimuths(recipe: QueryRecipe, rng: np.random.Generator) -> list[float]:
    steps = round(360 / recipe.azimuth_step_deg)
    if recipe.azimuth == "continuous":
        # The ring turned as a whole, and each camera in the first half of its step: no two see nearly the same.
        places = rng.permutation(steps) + rng.random() + rng.random(steps) / 2
        return [int(place * 36_000 / steps) % 36_000 / 100 for place in places]
    return [round(float(k * recipe.azimuth_step_deg), 6) for k in rng.permutation(steps)]


def reference_cameras(recipe: ReferenceRecipe) -> list[tuple[float, Camera]]:
    """(published azimuth, camera) of every reference view.

    Published reference azimuths run clockwise seen from above, against those of the queries.
    """
    return [(a, Camera(-a, recipe.elevation_deg, recipe.radius)) for a in reference_azimuths(recipe)]


def reference_azimuths(recipe: ReferenceRecipe) -> list[float]:
    """Published azimuths of the ring of views, in degrees, turned by the recipe's offset."""
    step = 360 / recipe.views
    return [k * step + recipe.azimuth_offset for k in range(recipe.views + int(recipe.duplicate_first))]


def query_transform(shape: Shape, recipe: QueryRecipe) -> np.ndarray:
    """Shape frame to query scene: box centre to the origin, bounding sphere to the recipe's radius."""
    return _centred(shape, recipe.scale)


def reference_transform(shape: Shape) -> np.ndarray:
    """Shape frame to reference scene: box centre to the origin, bounding sphere 1."""
    return _centred(shape, 1.0)


def _centred(shape: Shape, scale: float) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3] *= scale
    T[:3, 3] = -scale * shape.centre
    return T
