"""Which reference view is nearest a query's camera, and how far off: the ground truth of viewpoint prediction."""

from collections.abc import Sequence

import numpy as np

from datagen.datasets.samples import Sample
from datagen.datasets.source import SampleSource


def nearest_view(
    source: SampleSource, shape: str, sample: Sample, views: Sequence[int], there: np.ndarray | None = None
) -> tuple[int, float]:
    """Place in `views` of the view whose camera looks from the direction nearest the query's, and the angle (degrees).

    -1 and NaN where it is unknown. `there` (N,) bool: the views that count, by default all.
    From poses where both are known, else from the names' azimuths, of which the query's runs the other way.
    """
    poses = source.poses(shape)[list(views)]
    azimuths = source.azimuths(shape)[list(views)]
    if len(sample.T_world_camera) == 16 and np.isfinite(poses).all():
        eye = np.array(sample.T_world_camera).reshape(4, 4)[:3, 3]
        away = apart_deg(poses[:, :3, 3], eye)
    elif sample.azimuth_deg is not None and np.isfinite(azimuths).all():
        away = np.abs((azimuths + sample.azimuth_deg + 180) % 360 - 180)
    else:
        return -1, float("nan")
    return least(away, there)


def apart_deg(eyes_N3: np.ndarray, eye_3: np.ndarray) -> np.ndarray:
    """Degrees (N,) between the directions of places and of another, seen from the origin."""
    cosine = eyes_N3 @ eye_3 / np.linalg.norm(eyes_N3, axis=1) / np.linalg.norm(eye_3)
    found: np.ndarray = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return found


def least(away_N: np.ndarray, there_N: np.ndarray | None = None) -> tuple[int, float]:
    """The place of the smallest angle among those that are there, by default all, and the angle."""
    chosen = int((away_N if there_N is None else np.where(there_N, away_N, np.inf)).argmin())
    return chosen, float(away_N[chosen])
