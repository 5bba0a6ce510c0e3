"""Every check of chairs, one function each, in the order of the report."""

from datagen.kinds.brokenchairs.verify.checks import (
    balance,
    boxes,
    files,
    labels,
    pairs,
    pictures,
    references,
    replayed,
    several,
    splits,
    tolerance,
)
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.verify.check import CheckList

CHECKS: CheckList[ChairEvidence] = CheckList(
    files.CHECKS,
    labels.CHECKS,
    boxes.CHECKS,
    several.CHECKS,
    pictures.CHECKS,
    references.CHECKS,
    splits.CHECKS,
    replayed.CHECKS,
    tolerance.CHECKS,
    balance.CHECKS,
    pairs.CHECKS,
)
