"""What jobs on scenes may use: its tools, and the shapes made with them."""

from dataclasses import dataclass
from functools import cached_property

from datagen.kinds.oddoneout.shapes import SceneShapes
from datagen.kinds.oddoneout.tools import SceneTools


@dataclass
class SceneContext(SceneTools):
    """Tools of scenes, and the shapes that scenes show."""

    @cached_property
    def scene_shapes(self) -> SceneShapes:
        """Shapes of scenes, normal and odd, and how they lie."""
        return SceneShapes(self)
