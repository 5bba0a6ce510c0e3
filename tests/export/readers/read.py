"""Exports read back by the tools' own classes: a table of what each found, against what the dataset itself says.

Run by `make exports` with the environment of requirements.txt, in which datagen is not installed and not imported.
Ends with 1 where a reader found anything else, or is not installed.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from damage import DAMAGES
from found import Expected, Found, Sample, expected
from table import READERS, Reader

HEAD = ("format", "dataset", "reader", "samples", "labels", "mask px", "agrees")


def rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """One row of the table for each reader and dataset."""
    for reader in READERS:
        for kind in ("chairs", "scenes"):
            out = folder / kind / reader.form
            if not out.is_dir():
                yield reader.form, kind, "", "", "", "", "refused"
                continue
            found, wrong = judge(reader, out, folder / kind)
            sums = (str(found.samples), _told(found.labels), _told(found.mask_px))
            yield reader.form, kind, reader.told, *sums, f"NO: {'; '.join(wrong)}" if wrong else "yes"


def judge(reader: Reader, out: Path, dataset: Path) -> tuple[Found, list[str]]:
    """What a reader finds in an export, and what of it is not as the dataset says."""
    samples = [Sample(**record) for record in json.loads((dataset / "truth.json").read_text())]
    found = reader.read(out)
    told = expected(samples, reader.keeps) if reader.keeps else Expected(found.samples, found.labels or 0, 0)
    return found, told.differences(found, samples)


def _told(number: int | None) -> str:
    return "" if number is None else str(number)


def negatives(folder: Path) -> Iterator[tuple[str, ...]]:
    """One row for each way to spoil an export: what its reader makes of it."""
    for form, kind, what, spoil in DAMAGES:
        reader = next(reader for reader in READERS if reader.form == form)
        copy = folder / kind / f"{form}-spoilt"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder / kind / form, copy)
        spoil(copy)
        try:
            _, wrong = judge(reader, copy, folder / kind)
        except Exception as error:  # readers fail in their own ways
            wrong = [f"{type(error).__name__}: {str(error).splitlines()[0][:90]}"]
        shutil.rmtree(copy)
        yield form, kind, reader.told, what, f"yes: {wrong[0]}".replace(str(copy), "") if wrong else "NO"


def _print(head: tuple[str, ...], table: list[tuple[str, ...]]) -> None:
    for line in (head, ("---",) * len(head), *table):
        print(f"| {' | '.join(line)} |")


def main(folder: Path) -> int:
    """Print both tables in Markdown. Returns the exit code."""
    table = list(rows(folder))
    _print(HEAD, table)
    print()
    spoilt = list(negatives(folder))
    _print(("format", "dataset", "reader", "spoilt by", "noticed"), spoilt)
    return int(any(line[-1].startswith("NO") for line in (*table, *spoilt)))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
