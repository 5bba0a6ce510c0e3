"""Filters and orders against the manifest, scores and verdicts, and what a folder without a manifest is told."""

from collections import Counter

import numpy as np
import pytest

from datagen.core.errors import UsageError
from datagen.store.manifest import read_manifest
from datagen.view.index import Index, Wanted
from datagen.view.scores import read_scores, write_scores


def samples(root):
    return sorted((row for row in read_manifest(root) if row["row_type"] == "sample"), key=lambda r: r["query_path"])


def test_facets_count_the_manifests_rows(fake_dataset):
    rows, told = samples(fake_dataset), Index(fake_dataset).facets()
    assert told["total"] == len(rows) and told["score"] is None
    assert told["words"]["kind"] == Counter(row["kind"] for row in rows)
    assert told["words"]["split"] == Counter(row["split"] for row in rows)
    assert told["severity"][1] == pytest.approx(max(row["severity"] for row in rows))


def test_filters_join_columns_and_may_any_of_their_words(fake_dataset):
    index, rows = Index(fake_dataset), samples(fake_dataset)
    words = {"kind": frozenset({"broken", "missing"}), "split": frozenset({"train"})}
    found = index.find(Wanted(words, severity=(0.0, 0.1)))
    wanted = [
        k
        for k, row in enumerate(rows)
        if row["kind"] in words["kind"] and row["split"] == "train" and row["severity"] <= 0.1
    ]
    assert wanted and found.tolist() == wanted
    text = rows[7]["query_path"].split("/")[1]
    assert {rows[k]["query_path"].split("/")[1] for k in index.find(Wanted({}, text=text))} == {text}
    severity = [rows[k]["severity"] for k in index.find(Wanted({}, order="severity"))]
    assert severity == sorted(severity, reverse=True)


def test_views_of_scenes_have_the_kinds_of_their_odd_objects(scene_dataset):
    index = Index(scene_dataset)
    odd = Counter()
    for row in read_manifest(scene_dataset):
        if row["row_type"] == "object" and row["label"]:
            odd[row["query_path"].partition("#")[0]] += 1
    told = index.told(range(len(index)))
    assert {row["kind"] == "normal" for row in told if not row["label"]} == {True}
    for row in told:
        scene = row["path"].rsplit("/", 2)[0]
        assert not row["label"] or (row["kind"] != "normal" and (row["kind"] != "several" or odd[scene] > 1))
    assert set(index.facets()["words"]["category"]) == {scene["path"].split("/")[1].rsplit("_", 1)[0] for scene in told}


def test_scores_give_verdicts(fake_dataset, tmp_path):
    rows = samples(fake_dataset)
    rng = np.random.default_rng(0)
    score = {row["query_path"]: float(rng.random()) for row in rows if row["split"] == "test"}
    write_scores(
        tmp_path / "scores.csv",
        ((row["query_path"], row["label"], score[row["query_path"]]) for row in rows if row["query_path"] in score),
    )
    assert read_scores(tmp_path / "scores.csv") == pytest.approx(score, rel=1e-5)
    index = Index(fake_dataset, tmp_path / "scores.csv", threshold=0.4)
    verdicts = {(1, True): "found", (1, False): "missed", (0, True): "false alarm", (0, False): "passed"}
    wanted = Counter(
        verdicts[row["label"], score[row["query_path"]] > 0.4] if row["query_path"] in score else "not judged"
        for row in rows
    )
    assert index.facets()["words"]["verdict"] == wanted
    found = index.told(index.find(Wanted({"verdict": frozenset({"found", "missed"})}, order="score")))
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    assert all(row["label"] and row["score"] is not None for row in found)


def test_what_cannot_be_shown_is_told(fake_dataset, tmp_path):
    with pytest.raises(UsageError, match="finished datasets, and imported ones"):
        Index(tmp_path)
    (tmp_path / "scores.csv").write_text("path,score\na,1\n")
    with pytest.raises(UsageError, match="no table with the columns query_path and score"):
        Index(fake_dataset, tmp_path / "scores.csv")
    (tmp_path / "scores.csv").write_text("query_path,score\na,1\n")
    with pytest.raises(UsageError, match="judges no picture"):
        Index(fake_dataset, tmp_path / "scores.csv")
