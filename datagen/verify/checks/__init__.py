"""Every check, one function each. Importing this package fills the registry; the report sorts it."""

from datagen.verify.checks import balance, boxes, files, labels, pictures, references, replayed, splits

__all__ = ["balance", "boxes", "files", "labels", "pictures", "references", "replayed", "splits"]
