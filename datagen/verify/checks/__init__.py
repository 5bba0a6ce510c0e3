"""Every check, one function each. Importing this package fills the registry in the order of the report."""

from datagen.verify.checks import (
    files,
    labels,
    boxes,
    pictures,
    references,
    splits,
    replayed,
    balance,
)  # isort: skip

__all__ = ["balance", "boxes", "files", "labels", "pictures", "references", "replayed", "splits"]
