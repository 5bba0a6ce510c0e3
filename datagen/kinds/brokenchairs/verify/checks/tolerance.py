"""Is everything that is called good within the drawing's tolerance, and every defect outside, by the meshes?"""

from collections.abc import Iterator

from datagen.kinds.brokenchairs.measured import Measured
from datagen.kinds.brokenchairs.verify import needs
from datagen.kinds.brokenchairs.verify.evidence import ChairEvidence
from datagen.kinds.brokenchairs.verify.needs import REPLAYED
from datagen.verify.check import ERROR, CheckList, Finding

CHECKS = CheckList[ChairEvidence]()
check = CHECKS.check

CLOSE = 0.01
"""Millimetres and degrees to which rows agree with meshes."""
CLOSE_SHARE = 0.01
"""Share of a magnitude, or of a ratio."""


@check(
    ERROR,
    "A good part that lies outside its tolerance is a defect with the wrong label.",
    of=REPLAYED,
    needs=(needs.measured, needs.source, needs.replays),
)
def good_parts_within_tolerance(evidence: ChairEvidence) -> Iterator[Finding]:
    """Every part without an anomaly lies within the recipe's tolerance of its nominal place, in samples of either
    label."""
    for replay in evidence.replays:
        if replay.banded is None:
            continue
        good = replay.banded.others if replay.query.name.label else replay.banded.own
        if good is not None and good.is_outside:
            yield Finding(replay.query.path, f"a part that is called good lies {_off(good)}")


@check(
    ERROR,
    "A defect within tolerance is a good part with the wrong label.",
    of=REPLAYED,
    needs=(needs.measured, needs.source, needs.replays),
)
def defects_outside_tolerance(evidence: ChairEvidence) -> Iterator[Finding]:
    """What an anomaly moved lies outside its tolerance, and so does the surface that it changed where a tolerance of
    surfaces is given."""
    for replay in evidence.replays:
        if replay.banded is None or not replay.query.name.label:
            continue
        if replay.refused.startswith("within_tolerance"):
            yield Finding(replay.query.path, f"replayed: {replay.refused}")
        own = () if replay.banded.own is None else (replay.banded.own,)
        for found in (*own, *replay.banded.further):
            if found.tolerance_ratio and not found.is_outside:
                yield Finding(replay.query.path, f"its defect lies {_off(found)}")


@check(
    ERROR,
    "A size that is not that of the meshes spoils every curve over sizes.",
    of=REPLAYED,
    needs=(needs.measured, needs.source, needs.replays),
)
def deviations_measured(evidence: ChairEvidence) -> Iterator[Finding]:
    """Magnitude, deviations, tolerances and ratio of rows are those measured again, to 0.01 mm, 0.01 degrees or 1 %."""
    for replay in evidence.replays:
        row, banded = replay.query.row, replay.banded
        if row is None or banded is None or banded.own is None:
            continue
        wrong = [
            f"{name} is {row.get(name) or 0:g}, measured {value:g}"
            for name, value in banded.own.columns().items()
            if isinstance(value, float) and not _same(name, float(row.get(name) or 0), value)
        ]
        if (row.get("magnitude_unit") or "") != banded.own.magnitude_unit:
            wrong.append(f"magnitude_unit is {row.get('magnitude_unit')!r}, it is {banded.own.magnitude_unit!r}")
        if wrong:
            yield Finding(replay.query.path, "; ".join(wrong))


def _same(name: str, said: float, measured: float) -> bool:
    if name in ("magnitude", "tolerance_ratio"):
        return abs(said - measured) <= max(CLOSE, CLOSE_SHARE * measured)
    return abs(said - measured) <= CLOSE


def _off(found: Measured) -> str:
    return (
        f"{found.deviation_mm:.3f} mm, {found.deviation_deg:.3f} degrees and {found.surface_mm:.3f} mm of surface off: "
        f"{found.tolerance_ratio:.3f} of its tolerance"
    )
