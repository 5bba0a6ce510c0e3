"""What the files of a view say that it shows: objects, depth, parts and changes, whole or by every fifth pixel."""

from dataclasses import dataclass

import numpy as np

from datagen.formats.oddoneout import BACKGROUND_DEPTH
from datagen.kinds.oddoneout.verify.compared import FOREGROUND

STRIDE = 5
"""Of this many pixels one is kept. Odd: then a camera of fewer pixels has the kept ones' rays."""


@dataclass(frozen=True, eq=False)
class Shown:
    """All (H, W): object (place + 1; 0 = none), z-depth in metres (0 = sky), part labels and changed pixels.

    `parts` and `changed` are None where their files are not there or of another size.
    """

    index: np.ndarray
    depth: np.ndarray
    parts: np.ndarray | None
    changed: np.ndarray | None

    @classmethod
    def of(
        cls, things: np.ndarray, depth: np.ndarray | None, parts: np.ndarray | None, changed: np.ndarray | None
    ) -> "Shown | None":
        """From objects' masks (N, H, W), z-depth, part labels and anomaly mask; None without depth of that size."""
        size = things.shape[1:]
        if depth is None or depth.shape != size or not len(things):
            return None
        return cls(
            np.where(things.any(axis=0), things.argmax(axis=0) + 1, 0).astype(np.uint16),
            np.where(depth < BACKGROUND_DEPTH / 2, depth, 0.0).astype(np.float32),
            None if parts is None or parts.shape != size else parts.astype(np.uint16),
            None if changed is None or changed.shape != size else changed > FOREGROUND,
        )

    def coarse(self) -> "Shown":
        """By every fifth pixel, about the middle."""
        kept = kept_pixels(self.index.shape[0])
        at = np.ix_(kept, kept)
        parts, changed = (None if a is None else a[at] for a in (self.parts, self.changed))
        return Shown(self.index[at], self.depth[at], parts, changed)


def kept_pixels(size: int) -> np.ndarray:
    """Rows, and columns, that are kept of a square picture: those of a camera of a fifth of its focal length."""
    count = 2 * (size // 2 // STRIDE) + size % 2
    found: np.ndarray = (np.arange(count) + 0.5 - count / 2) * STRIDE + size / 2 - 0.5
    return found.round().astype(int)
