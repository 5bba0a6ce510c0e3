"""Names of the BOP challenge's scenewise layout."""

from typing import Any

CAMERAS, TRUTH, TRUTH_INFO = "scene_camera.json", "scene_gt.json", "scene_gt_info.json"
"""Tables of one folder, by the number of the picture."""
MODELS_INFO, CAMERA = "models_info.json", "camera.json"
TARGETS_19, TARGETS_24 = "test_targets_bop19.json", "test_targets_bop24.json"
"""What to look for in which picture: with the number of instances of each model, and pictures alone."""


def target(folder: int, picture: int, **more: Any) -> dict[str, int]:
    """An entry of a list of targets; `folder` and `picture` by their numbers."""
    return {"im_id": picture, "scene_id": folder, **more}
