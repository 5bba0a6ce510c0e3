"""Whether rows of the manifest are missing: a job numbers its rows from 0 as it commits them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datagen.verify.check import Finding


def unnumbered(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Jobs whose rows are not numbered 0, 1, 2, ... without gaps: a row was taken out or put in."""
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(str(row["job_id"]), []).append(int(row["index"]))
    for job_id, found in sorted(numbers.items()):
        gone = sorted(set(range(max(found) + 1)) - set(found))
        if gone:
            yield Finding(job_id, f"its rows lack number {gone[0]}: a row was taken out")
        elif len(found) > max(found) + 1:
            yield Finding(job_id, f"has {len(found)} rows with numbers up to {max(found)}: a row is there twice")
