"""Which reference view is nearest a query's camera: the ground truth of viewpoint prediction."""

from collections.abc import Sequence

import numpy as np

from datagen.datasets.samples import Sample
from datagen.datasets.source import SampleSource


def nearest_view(source: SampleSource, shape: str, sample: Sample, views: Sequence[int]) -> int:
    """Place in `views` of the view whose camera looks from the direction nearest the query's; -1 where it is unknown.

    From poses where both are known, else from the names' azimuths, of which the query's runs the other way.
    """
    poses = source.poses(shape)[list(views)]
    if len(sample.T_world_camera) == 16 and np.isfinite(poses).all():
        eye = np.array(sample.T_world_camera).reshape(4, 4)[:3, 3]
        eyes = poses[:, :3, 3]
        cosine = eyes @ eye / np.linalg.norm(eyes, axis=1) / np.linalg.norm(eye)
        return int(cosine.argmax())
    azimuths = source.azimuths(shape)[list(views)]
    if sample.azimuth_deg is None or not np.isfinite(azimuths).all():
        return -1
    away = (azimuths + sample.azimuth_deg + 180) % 360 - 180
    return int(np.abs(away).argmin())
