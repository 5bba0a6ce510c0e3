"""What a reader finds in an export, and what the dataset says it should."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """A sample as the dataset's manifest and masks tell it; `sha256` is of the picture's file."""

    sample_id: str
    path: str
    split: str
    label: int
    shape: str
    category: str
    mask_px: int
    sha256: str


@dataclass(frozen=True)
class Found:
    """Sums over an export. `labels` and `mask_px` are None where the format does not tell them.

    `pictures` are the sha256 of some pictures' files or bytes; `wrong` says what the reader found to be wrong itself.
    """

    samples: int
    labels: int | None
    mask_px: int | None
    pictures: frozenset[str] = frozenset()
    wrong: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Expected:
    """Sums over the samples that a format keeps."""

    samples: int
    labels: int
    mask_px: int

    def differences(self, found: Found, samples: Sequence[Sample]) -> list[str]:
        """What differs, in words; empty where all agrees."""
        wrong = list(found.wrong)
        for name in ("samples", "labels", "mask_px"):
            told, seen = getattr(self, name), getattr(found, name)
            if seen is not None and told != seen:
                wrong.append(f"{name} {seen}, the dataset has {told}")
        if not found.pictures <= {sample.sha256 for sample in samples}:
            wrong.append("a picture's bytes are not the dataset's")
        return wrong


def expected(samples: Sequence[Sample], keeps: Callable[[Sequence[Sample]], list[Sample]]) -> Expected:
    """Sums over the samples that a format keeps."""
    kept = keeps(samples)
    return Expected(len(kept), sum(s.label for s in kept), sum(s.mask_px for s in kept))
