"""What is wrong with a published camera, in words."""

import numpy as np

from datagen.formats.cameras import PublishedCamera, position_of


def _near(found: np.ndarray, wanted: np.ndarray, tolerance: float | np.ndarray) -> bool:
    # np.allclose takes ten times as long on matrices this small, and there are two cameras a picture.
    return bool((np.abs(found - wanted) <= tolerance).all())


def camera_faults(
    camera: PublishedCamera, size_px: int, radius: float, azimuth_deg: float, elevation_deg: float, focal_px: float
) -> list[str]:
    """What is wrong with a camera that its name puts at (radius, azimuth, elevation), in words.

    `azimuth_deg` in the sense of the formula (references as named, queries negated). `focal_px` is
    the focal length that it should have, in pixels of its picture.
    """
    faults = []
    rotation = camera.RT_[:3, :3]
    if not _near(rotation @ rotation.T, np.eye(3), 1e-4) or np.linalg.det(rotation) < 0:
        faults.append("RT_ holds no rotation")
    if not _near(camera.RT @ camera.RT_, np.eye(4), 1e-4):
        faults.append("RT and RT_ are not inverse to each other")
    wanted = np.array([[focal_px, 0, size_px / 2], [0, focal_px, size_px / 2], [0, 0, 1]])
    if not _near(camera.K, wanted, 1e-3 * (1 + wanted)):
        faults.append(f"K has focal length {camera.K[0, 0]:.6g} px and centre {camera.K[0, 2]:.6g}, not {focal_px:.6g}")
    want = position_of(radius, azimuth_deg, elevation_deg)
    if not _near(camera.position, want, 2e-3 * max(radius, 1.0)):
        mirrored = _near(camera.position, position_of(radius, -azimuth_deg, elevation_deg), 2e-3 * radius)
        inverted = _near(camera.RT[:3, 3], want, 2e-3 * max(radius, 1.0))
        why = "; its azimuth has the other sign" if mirrored else "; RT and RT_ are swapped" if inverted else ""
        faults.append(
            f"camera at {np.round(camera.position, 4).tolist()}, its name says {np.round(want, 4).tolist()}{why}"
        )
    # Published cameras look at the box centre, which the formula puts near the origin.
    direction = camera.position / max(float(np.linalg.norm(camera.position)), 1e-12)
    if float(camera.RT_[:3, 2] @ direction) < np.cos(np.radians(2.0)):
        faults.append("does not look at the object")
    elif abs(float(camera.RT_[1, 0])) > 0.02:
        faults.append("is rolled about its axis")
    return faults
