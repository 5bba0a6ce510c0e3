"""Which kinds of dataset there are, and which one a folder holds."""

from typing import Any

from datagen.core.errors import UsageError
from datagen.kinds.brokenchairs.verify.examination import CHAIRS
from datagen.kinds.oddoneout.verify.examination import SCENES
from datagen.verify.document import Examination
from datagen.verify.tree import Tree

EXAMINATIONS: tuple[Examination[Any], ...] = (SCENES, CHAIRS)


def examination_of(tree: Tree) -> Examination[Any]:
    """How a dataset is examined. Raises UsageError for a folder that holds none of the known kinds."""
    found = next((examination for examination in EXAMINATIONS if examination.recognises(tree)), None)
    if found is None:
        raise UsageError(f"{tree.root} holds no dataset of a known kind; is it a dataset's folder?")
    return found
