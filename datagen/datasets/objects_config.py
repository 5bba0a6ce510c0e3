"""How scenes of objects are read, as recipe data (importing this needs no torch)."""

from typing import Annotated, Literal

from pydantic import Field

from datagen.datasets.config import LoadConfig
from datagen.recipe.section import Fraction, Span


class ObjectsConfig(LoadConfig):
    """How scenes reach the detector."""

    FREE_ON_RESUME = LoadConfig.FREE_ON_RESUME | {"pack", "protocol"}
    LATER = LoadConfig.LATER | {"within"}

    image_px: Annotated[int, Field(ge=32, multiple_of=32)] = 256
    views: Annotated[int, Field(ge=1)] = 5
    """M: views that build the volume. Training draws as many more, which are rendered, and then the other way round."""
    protocol: Literal[0, 1] = 0
    """Which of the two fixed sets of views evaluation sees (protocol.json)."""
    pack: bool = False
    """Read from a packed cache of resized pictures and of what held networks make of them, made once; a teacher needs
    it."""
    points: Annotated[int, Field(ge=0)] = 0
    """Points of every object, fused from the depth of all views (variant points)."""
    depth_noise_m: Annotated[float, Field(ge=0)] = 0.0
    """Standard deviation of the noise on that depth: exact depth is an upper bound of what stereo gives."""
    changed: bool = False
    """Read which pixels of the training scenes their odd objects change (anomaly_masks/ of scenes built here):
    `loss.change` needs it."""
    boxes: Literal["world", "published"] = "world"
    """`world`: bounds of the object as it stands, where a scene tells them. `published`: the object's origin and its
    size before it was turned, as the published sets have it, whose own have no other: a perfect world box has IoU below
    one half with many of those."""
    most_objects: Annotated[int, Field(ge=2)] = 12
    """Objects a sample has room for."""
    yaw_deg: Annotated[float, Field(ge=0, le=180)] = 150.0
    """Training turns a scene about the vertical by up to so much; its cameras and boxes, not its pixels."""
    shift_m: Annotated[float, Field(ge=0)] = 0.2
    flip: Fraction = 0.5
    """Share of training scenes whose world is mirrored."""
    scale: Span = (0.9, 1.1)
    """Training scales the world by a factor between these."""
    within: str = ""
    """Train and validate on those scenes of `train` and `val` alone that are in this split too, such as train-3-7 of
    the study of object counts."""
    shapes: Annotated[int, Field(ge=1)] | None = None
    """Train on the scenes of the first N shapes alone (learning curves)."""
