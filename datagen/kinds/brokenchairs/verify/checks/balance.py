"""Does anything but the object tell the label?"""

from collections.abc import Iterator

from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import QUERIES, ROWS
from datagen.verify.check import ERROR, WARNING, CheckList, Finding

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check


@check(
    WARNING,
    "A model learns the shortest way: light, material or file size instead of the object.",
    of=QUERIES,
    needs=(needs.audit,),
)
def no_shortcut(evidence: ChairEvidence) -> Iterator[Finding]:
    """No metadata probe tells label or kind better than chance (95 % interval; single groups 99 %)."""
    for probe in evidence.audit.leaks:
        yield Finding(
            f"{probe.name} → {probe.target}", f"AUC {probe.auc:.3f}, interval {probe.low:.3f} to {probe.high:.3f}"
        )


@check(
    ERROR,
    "References and queries turn opposite ways in the published set; the viewpoint loss relies on it.",
    of=QUERIES,
    needs=(needs.references,),
)
def azimuth_sign(evidence: ChairEvidence) -> Iterator[Finding]:
    """Over the dataset, silhouettes of normal queries meet the reference at minus their azimuth, not at plus."""
    total = len(evidence.turns)
    against = sum(turn.same > turn.opposite for turn in evidence.turns)
    if total >= 8 and 2 * against > total:
        yield Finding("images/", f"{against} of {total} normal queries turn like the references")


@check(
    WARNING,
    "A build far below its plan lost something that its counts should say.",
    of=ROWS,
    needs=(needs.manifest, needs.source),
)
def counts_of_recipe(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every kind has at least 70 % of the images that its plan asks for."""
    from datagen.kinds.brokenchairs.verify.conformance import conformance

    for line in conformance(evidence):
        if line.table == "images" and line.planned and line.planned >= 10 and line.actual < 0.7 * line.planned:
            yield Finding(line.name, f"{line.actual:.0f} images of {line.planned:.0f} planned: {line.why}")
