"""Which reader reads which export, and which samples each format keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import forms
import solid_forms
from found import Found, Sample


@dataclass(frozen=True)
class Reader:
    """A row of the table. `package` is '' where no registry has a reader and its rules are restated.

    `keeps` says which samples the format holds; None where it holds none, and its reader then counts what it holds.
    """

    form: str
    package: str
    read: Callable[[Path], Found]
    keeps: Callable[[Sequence[Sample]], list[Sample]] | None

    @property
    def told(self) -> str:
        """The package with its version."""
        return f"{self.package} {version(self.package)}" if self.package else "rules restated"


def everything(samples: Sequence[Sample]) -> list[Sample]:
    """A format that keeps all samples."""
    return list(samples)


def plain(samples: Sequence[Sample]) -> list[Sample]:
    """One that keeps no picture whose label and mask say different things."""
    return [sample for sample in samples if bool(sample.label) == bool(sample.mask_px)]


def one_class(samples: Sequence[Sample]) -> list[Sample]:
    """MVTec AD: as `plain`, no anomaly to learn from, and no category without one to test on."""
    told = [sample for sample in plain(samples) if not (sample.label and sample.split in ("train", "val"))]
    tested = {sample.category for sample in told if sample.label}
    return [sample for sample in told if sample.category in tested]


READERS = (
    Reader("bop", "", solid_forms.bop, everything),
    Reader("coco", "pycocotools", forms.coco, everything),
    Reader("hub", "datasets", forms.hub, everything),
    Reader("hub", "mlcroissant", forms.croissant, everything),
    Reader("kaputt", "anomalib", forms.kaputt, everything),
    Reader("mad", "", solid_forms.mad, plain),
    Reader("mvtec", "anomalib", forms.mvtec, one_class),
    Reader("mvtec3d", "anomalib", solid_forms.mvtec3d, one_class),
    Reader("points", "open3d", solid_forms.points, None),
    Reader("poses", "pycolmap", forms.poses, None),
    Reader("webdataset", "webdataset", forms.webdataset, everything),
)
