"""Environments made here, as equirectangular radiance: a soft sky over a tree line, a hill line, a hall with windows.

Row 0 is the zenith. They stand in where there is no photographed HDRI; folders of .hdr and .exr work as well.
"""

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from datagen.core.clutter import is_clutter
from datagen.core.errors import MissingDependency, UsageError
from datagen.core.ids import code_hash
from datagen.core.rng import stream
from datagen.formats.exr import write_exr
from datagen.formats.hdr import check_environment
from datagen.formats.images import ImageError
from datagen.store.files import write_whole

SHAPE = (512, 1024)
PREFIX = "procedural:"
SOFT_PX = 3.0
SUFFIXES = (".hdr", ".exr")


def listed_worlds(worlds: tuple[str, ...]) -> tuple[str, ...]:
    """The worlds of a recipe with folders replaced by the environment files in them, sorted.

    Raises MissingDependency for a folder without any.
    """
    found: list[str] = []
    for name in worlds:
        path = Path(name).expanduser()
        if not path.is_dir():
            found.append(name)
            continue
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not is_clutter(p.name))
        if not files:
            raise MissingDependency(f"light.worlds: {path} holds no .hdr or .exr; name another folder or a stock one")
        found += [str(p) for p in files]
    return tuple(found)


def check_world(name: str) -> None:
    """Raises UsageError for a procedural world without a number, MissingDependency for a file that is not there.

    The names of stock environments are known to the renderer alone.
    """
    if name.startswith(PREFIX) and not name.removeprefix(PREFIX).isdigit():
        raise UsageError(f"light.worlds: {name}: write procedural:<number>")
    if Path(name).suffix and not Path(name).expanduser().is_file():
        raise MissingDependency(f"light.worlds: {name} is not there; name a file, a folder or one of Blender's own")


def check_image_world(name: str) -> None:
    """Raises MissingDependency for an environment file that is cut short or damaged: before anything is rendered."""
    try:
        check_environment(Path(name).expanduser())
    except ImageError as error:
        raise MissingDependency(f"light.worlds: {error.args[0]}; fetch it again or name another") from error


def world_file(name: str, cache: Path) -> str:
    """What a renderer is given for a world: a procedural one is baked into the cache and becomes a path."""
    check_world(name)
    if not name.startswith(PREFIX):
        return name
    number = name.removeprefix(PREFIX)
    path = cache / f"skies-{code_hash('scenes/skies.py')[:12]}" / f"{number}.exr"
    if not path.is_file():
        write_whole(path, write_exr(environment(int(number))))
    return str(path)


def environment(number: int) -> np.ndarray:
    """Radiance (512, 1024, 3) float32 of one made environment."""
    rng = stream(0, "sky", number)
    image = (_woods, _hall, _hills)[number % 3](rng)
    # Behind objects at arm's length a camera sees its surroundings out of focus.
    image = gaussian_filter(image, (SOFT_PX, SOFT_PX, 0), mode=("nearest", "wrap", "nearest"))
    return np.maximum(image, 0.0).astype(np.float32)


def _noise(rng: np.random.Generator, rows: int, columns: int, blur: float) -> np.ndarray:
    """Noise (512, 1024) in -1..1 that wraps around the horizon."""
    coarse = rng.normal(size=(rows, columns))
    fine = zoom(
        np.concatenate([coarse, coarse[:, :1]], axis=1), (SHAPE[0] / rows, (SHAPE[1] + 1) / (columns + 1)), order=1
    )
    fine = gaussian_filter(fine[: SHAPE[0], : SHAPE[1]], blur, mode=("nearest", "wrap"))
    return np.clip(fine / max(float(np.abs(fine).std()) * 2.5, 1e-9), -1, 1)


def _angles() -> tuple[np.ndarray, np.ndarray]:
    """Elevation (512, 1) and azimuth (1, 1024), radians."""
    elevation = np.pi / 2 - (np.arange(SHAPE[0]) + 0.5) / SHAPE[0] * np.pi
    azimuth = (np.arange(SHAPE[1]) + 0.5) / SHAPE[1] * 2 * np.pi
    return elevation[:, None], azimuth[None, :]


def _sky(rng: np.random.Generator, bright: float) -> np.ndarray:
    elevation, azimuth = _angles()
    up = np.clip(np.sin(elevation), 0, 1)
    top, low = np.array([0.55, 0.72, 1.0]), np.array([1.0, 0.97, 0.92])
    clouds = 0.5 + 0.5 * _noise(rng, 12, 24, 3.0)
    blend = (up**0.6 * (0.35 + 0.65 * (1 - clouds)))[..., None]
    sky = (low * (1 - blend) + top * blend) * bright * (0.75 + 0.5 * clouds[..., None])
    sun_el, sun_az = rng.uniform(0.5, 1.1), rng.uniform(0, 2 * np.pi)
    cosine = np.sin(elevation) * np.sin(sun_el) + np.cos(elevation) * np.cos(sun_el) * np.cos(azimuth - sun_az)
    glow = np.exp((cosine - 1) * 60) * rng.uniform(4, 10) + np.exp((cosine - 1) * 6) * 0.6
    return sky + glow[..., None] * np.array([1.0, 0.95, 0.85]) * bright


def _woods(rng: np.random.Generator) -> np.ndarray:
    """A pale sky, a band of foliage with trunks, a lawn."""
    elevation, azimuth = _angles()
    sky = _sky(rng, rng.uniform(0.9, 1.3))
    line = 0.35 + 0.14 * _noise(rng, 2, 40, 1.5)[:1]
    leaves = 0.6 * _noise(rng, 200, 420, 0.7) + 0.4 * _noise(rng, 50, 110, 1.5) + 0.3 * _noise(rng, 430, 900, 0.4)
    season = rng.random()
    green = np.array([0.09, 0.12, 0.04]) * (1 - season) + np.array([0.22, 0.13, 0.035]) * season
    holes = leaves + 1.2 * (elevation / np.maximum(line, 0.05)) > 1.15
    foliage = green * (1.25 + 0.9 * leaves[..., None] + 0.35 * _noise(rng, 20, 40, 2)[..., None])
    image = np.where((holes & (elevation > 0.02))[..., None], sky, foliage)
    for _ in range(int(rng.integers(14, 30))):
        at, width = rng.uniform(0, 2 * np.pi), rng.uniform(0.01, 0.04)
        distance = np.abs((azimuth - at + np.pi) % (2 * np.pi) - np.pi)
        trunk = (distance < width) & (elevation > -0.06) & (elevation < rng.uniform(0.4, 0.9))
        image = np.where(trunk[..., None], np.array([0.045, 0.036, 0.028]) * (1 + 0.4 * leaves[..., None]), image)
    return _ground(image, rng, np.array([0.10, 0.12, 0.05]) * (0.8 + season * 0.6))


def _hills(rng: np.random.Generator) -> np.ndarray:
    """Open country: a bright sky over two lines of hills."""
    elevation, _ = _angles()
    image = _sky(rng, rng.uniform(1.0, 1.5))
    for depth, shade in ((0.16, np.array([0.28, 0.33, 0.38])), (0.08, np.array([0.14, 0.17, 0.09]))):
        line = depth * (0.6 + 0.5 * _noise(rng, 2, 14, 5.0)[:1])
        image = np.where((elevation < line)[..., None], shade * (1 + 0.2 * _noise(rng, 60, 120, 1.0)[..., None]), image)
    return _ground(image, rng, np.array([0.16, 0.15, 0.09]))


def _hall(rng: np.random.Generator) -> np.ndarray:
    """A room: walls, a row of windows, lamps in the ceiling."""
    elevation, azimuth = _angles()
    wall = np.array([0.36, 0.34, 0.31]) * rng.uniform(0.7, 1.2) * rng.uniform(0.9, 1.1, 3)
    image = np.broadcast_to(wall, (*SHAPE, 3)) * (1 + 0.06 * _noise(rng, 30, 60, 2.0)[..., None])
    image = np.where((elevation > 0.62)[..., None], np.array([0.55, 0.54, 0.52]), image)
    count = int(rng.integers(4, 9))
    phase = (azimuth / (2 * np.pi) * count + rng.random()) % 1
    pane = (phase > 0.25) & (phase < 0.75) & (elevation > 0.08) & (elevation < 0.52)
    bars = (np.abs(phase - 0.5) < 0.012) | (np.abs(elevation - 0.3) < 0.012)
    lit = azimuth < np.pi * rng.uniform(0.8, 1.6)
    image = np.where((pane & ~bars & lit)[..., None], np.array([2.6, 2.8, 3.1]) * rng.uniform(0.8, 1.6), image)
    lamps = ((azimuth / (2 * np.pi) * 5) % 1 < 0.5) & (elevation > 0.95) & (elevation < 1.2)
    image = np.where(lamps[..., None], np.array([5.0, 4.6, 4.0]), image)
    shelf = (elevation > -0.1) & (elevation < 0.05)
    image = np.where(shelf[..., None], wall * 0.5 * (1 + 0.7 * _noise(rng, 8, 70, 0.6)[..., None]), image)
    return _ground(gaussian_filter(image, (0.7, 0.7, 0)), rng, np.array([0.2, 0.17, 0.14]))


def _ground(image: np.ndarray, rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    elevation, _ = _angles()
    below = colour * (1 + 0.25 * _noise(rng, 60, 120, 1.0)[..., None])
    return np.where((elevation < -0.02)[..., None], below, image)
