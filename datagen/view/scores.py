"""Scores of an evaluated run as a table that `datagen view` shows and anybody else may write."""

import csv
from collections.abc import Iterable
from pathlib import Path

from datagen.core.errors import UsageError

HEAD = ("query_path", "label", "score")


def write_scores(path: Path, judged: Iterable[tuple[str, int, float]]) -> None:
    """CSV of (path of the picture in its dataset, label, score). Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(HEAD)
        table.writerows((name, label, f"{score:.6g}") for name, label, score in judged)


def read_scores(path: Path) -> dict[str, float]:
    """Path of a picture -> its score; of one judged several times the largest. Raises UsageError."""
    found: dict[str, float] = {}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                score = float(row["score"])
                found[row["query_path"]] = max(score, found.get(row["query_path"], score))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UsageError(
            f"--scores {path} is no table with the columns query_path and score ({error}); "
            "`datagen evaluate` writes scores-<split>.csv"
        ) from error
    return found
