"""Exports read back by the tools' own classes: a table of what each found, against what the dataset itself says.

Run by `make exports` with the environment of requirements.txt, in which datagen is not installed and not imported.
Ends with 1 where a reader found anything else, or is not installed.
"""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import forms
from found import Expected, Sample, expected

HEAD = ("format", "dataset", "reader", "samples", "labels", "mask px", "agrees")


def rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """One row of the table for each format and dataset."""
    for name, (package, read, keeps) in forms.READERS.items():
        for kind in ("chairs", "scenes"):
            out = folder / kind / name
            if not out.is_dir():
                yield name, kind, "", "", "", "", "refused"
                continue
            samples = [Sample(**record) for record in json.loads((folder / kind / "truth.json").read_text())]
            found = read(out)
            told = expected(samples, keeps) if keeps else Expected(found.samples, 0, 0)
            wrong = told.differences(found, samples)
            sums = (str(found.samples), _told(found.labels), _told(found.mask_px))
            yield name, kind, f"{package} {version(package)}", *sums, f"NO: {'; '.join(wrong)}" if wrong else "yes"


def _told(number: int | None) -> str:
    return "" if number is None else str(number)


def main(folder: Path) -> int:
    """Print the table in Markdown. Returns the exit code."""
    table = list(rows(folder))
    for line in (HEAD, ("---",) * len(HEAD), *table):
        print(f"| {' | '.join(line)} |")
    return int(any(line[-1].startswith("NO") for line in table))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
