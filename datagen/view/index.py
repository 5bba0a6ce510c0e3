"""What is known of every picture without opening it: columns of the manifest, and filters over them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datagen.core.errors import UsageError
from datagen.view.scores import read_scores

COLUMNS = (
    *("job_id", "index", "row_type", "sample_id", "query_path", "split", "label", "kind", "severity", "shape_id"),
    *("public_id", "changed_px", "part", "part_class", "mask_new_path", "mask_old_path"),
)
"""Columns that tiles and masks need; cameras, specs, digests and other long ones stay on the disk."""
VERDICTS = ("found", "missed", "false alarm", "passed")
"""By label and score: anomalous above and below the threshold, normal above and below it."""
ORDERS = ("path", "score", "severity")


@dataclass(frozen=True)
class Wanted:
    """What of the pictures is asked for: words of a column, of which any may hold, and ranges."""

    words: Mapping[str, frozenset[str]]
    text: str = ""
    severity: tuple[float, float] = (-np.inf, np.inf)
    score: tuple[float, float] = (-np.inf, np.inf)
    order: str = "path"


class Index:
    """The samples of a manifest in the order of their paths, as columns."""

    def __init__(self, root: Path, scores: Path | None = None, threshold: float = 0.5) -> None:
        """Raises UsageError where there is no manifest, or the scores are of other pictures."""
        path = root / "manifest.parquet"
        try:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                table = file.read(columns=list(COLUMNS), use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise UsageError(
                f"{path} cannot be read ({error}); view shows finished datasets, and imported ones (datagen import)"
            ) from error
        lacking = [name for name in COLUMNS if name not in table.column_names]
        if lacking:
            raise UsageError(f"{path} has no column {lacking[0]}; it is no manifest of datagen")
        self._manifest = path
        is_sample = pc.equal(table["row_type"], "sample")
        self.rows = table.filter(is_sample).sort_by("query_path").combine_chunks()
        self.things = table.filter(pc.equal(table["row_type"], "object")).combine_chunks()
        self.root, self.threshold = root, threshold
        self.score = np.full(len(self.rows), np.nan) if scores is None else self._scores(scores)

    def __len__(self) -> int:
        return len(self.rows)

    def record(self, number: int) -> dict[str, Any]:
        """The row of a picture."""
        return dict(self.rows.slice(number, 1).to_pylist()[0])

    def whole(self, number: int) -> dict[str, Any]:
        """The row of a picture with every column, from the disk."""
        path = self.rows["query_path"][number]
        with pq.ParquetFile(self._manifest, pre_buffer=False) as file:
            for batch in file.iter_batches(use_threads=False):
                found: list[dict[str, Any]] = batch.filter(pc.equal(batch["query_path"], path)).to_pylist()
                for row in found:
                    if row["row_type"] == "sample":
                        return row
        raise UsageError(f"{self._manifest} has changed; start the command again")

    def companions(self, number: int) -> list[dict[str, Any]]:
        """Rows of the objects that a picture shows, where the dataset has such."""
        job = self.rows["job_id"][number]
        return list(self.things.filter(pc.equal(self.things["job_id"], job)).to_pylist())

    @cached_property
    def words(self) -> dict[str, tuple[np.ndarray, list[str]]]:
        """Column -> code of every picture and the words they stand for, sorted."""
        found = {"kind": _coded(self._kinds[0]), "split": _coded(self.rows["split"])}
        categories = self._categories()
        if categories:
            names = [categories.get(shape, "") for shape in self.rows["shape_id"].to_pylist()]
            found["category"] = _coded(pa.array(names))
        if np.isfinite(self.score).any():
            found["verdict"] = self._verdicts()
        return found

    @property
    def severity(self) -> np.ndarray:
        """Of every picture, float32 (N,); 0 for normal ones and where it is not known."""
        return self._kinds[1]

    @cached_property
    def _kinds(self) -> tuple[pa.Array, np.ndarray]:
        """Kind of anomaly of every picture, `normal` without, and its severity; of odd objects that it shows."""
        label = self.rows["label"].to_numpy()
        if not len(self.things):
            kinds = pc.if_else(pa.array(label == 1), self.rows["kind"], "normal")
            return kinds, self.rows["severity"].to_numpy().astype(np.float32)
        of_job: dict[str, set[str]] = {}
        worst: dict[str, float] = {}
        for thing in self.things.select(["job_id", "label", "kind", "severity"]).to_pylist():
            if thing["label"]:
                of_job.setdefault(thing["job_id"], set()).add(thing["kind"])
                worst[thing["job_id"]] = max(worst.get(thing["job_id"], 0.0), thing["severity"])
        jobs = self.rows["job_id"].to_pylist()
        named = {job: kinds.pop() if len(kinds) == 1 else "several" for job, kinds in of_job.items()}
        kinds = [named.get(job, "normal") if odd else "normal" for job, odd in zip(jobs, label, strict=True)]
        return pa.array(kinds), np.array([worst.get(job, 0.0) for job in jobs], dtype=np.float32) * (label == 1)

    def _categories(self) -> dict[str, str]:
        path = self.root / "shapes.json"
        try:
            shapes = json.loads(path.read_bytes()).get("shapes", {}) if path.is_file() else {}
        except ValueError:
            return {}
        entries = ((str(entry.get("shape_id", key)), entry) for key, entry in shapes.items() if isinstance(entry, dict))
        return {shape: str(entry["category"]) for shape, entry in entries if entry.get("category")}

    def _verdicts(self) -> tuple[np.ndarray, list[str]]:
        odd, said = self.rows["label"].to_numpy() == 1, self.score > self.threshold
        code = np.where(odd, np.where(said, 0, 1), np.where(said, 2, 3)).astype(np.int16)
        code[~np.isfinite(self.score)] = len(VERDICTS)
        return code, [*VERDICTS, "not judged"]

    def _scores(self, path: Path) -> np.ndarray:
        """Score (N,) of every picture, NaN for those not judged. Raises UsageError."""
        told = read_scores(path)
        score = np.array([told.get(name, np.nan) for name in self.rows["query_path"].to_pylist()])
        if not np.isfinite(score).any():
            raise UsageError(f"--scores {path} judges no picture of {self.root}; evaluate a run on this dataset")
        return score

    def facets(self) -> dict[str, Any]:
        """How many pictures have each word of each column, and the ranges of severity and score."""
        counts = {
            name: {word: int(n) for word, n in zip(words, np.bincount(code, minlength=len(words)), strict=True) if n}
            for name, (code, words) in self.words.items()
        }
        judged = self.score[np.isfinite(self.score)]
        score = [float(judged.min()), float(judged.max())] if len(judged) else None
        return {
            "total": len(self),
            "words": counts,
            "severity": [0.0, float(self.severity.max(initial=0))],
            "score": score,
        }

    def find(self, wanted: Wanted) -> np.ndarray:
        """Numbers of the pictures asked for, in the order asked for."""
        chosen = np.ones(len(self), dtype=bool)
        for name, words in wanted.words.items():
            code, known = self.words.get(name, (np.zeros(len(self), np.int16), [""]))
            chosen &= np.isin(code, [k for k, word in enumerate(known) if word in words])
        chosen &= (
            (self.words["kind"][0] >= 0) & (self.severity >= wanted.severity[0]) & (self.severity <= wanted.severity[1])
        )
        if wanted.score != (-np.inf, np.inf):
            chosen &= (self.score >= wanted.score[0]) & (self.score <= wanted.score[1])
        if wanted.text:
            chosen &= pc.match_substring(self.rows["query_path"], wanted.text).to_numpy(zero_copy_only=False)
        found = np.flatnonzero(chosen)
        if wanted.order == "score":
            found = found[np.argsort(-np.nan_to_num(self.score[found], nan=-np.inf), kind="stable")]
        elif wanted.order == "severity":
            found = found[np.argsort(-self.severity[found], kind="stable")]
        return found

    def told(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """What a tile says of each of these pictures."""
        rows = self.rows.take(pa.array(numbers, pa.int64())).select(["query_path", "label", "split"]).to_pylist()
        kinds, names = self.words["kind"]
        verdict = self.words.get("verdict")
        return [
            {
                "number": int(number),
                "path": row["query_path"],
                "label": row["label"],
                "split": row["split"],
                "kind": names[kinds[number]],
                "severity": round(float(self.severity[number]), 5),
                "score": round(float(self.score[number]), 5) if np.isfinite(self.score[number]) else None,
                "verdict": verdict[1][verdict[0][number]] if verdict else None,
            }
            for number, row in zip(numbers, rows, strict=True)
        ]


def _coded(values: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Codes of words by their alphabet."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    coded = values.dictionary_encode()
    words = coded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=lambda k: words[k])
    place = np.empty(len(words), np.int16)
    place[order] = np.arange(len(words))
    return place[coded.indices.to_numpy()], [words[k] for k in order]
