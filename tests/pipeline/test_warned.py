"""What reading left out reaches the user: the summary, its document, the card and the manifest."""

from collections import Counter

from datagen.pipeline.summary import Summary, Tally, without_anomaly
from datagen.store.manifest import read_manifest
from tests.conftest import run_build
from tests.shapes.helpers import write_shape


def test_a_skipped_part_is_told_everywhere(tmp_path):
    for name in ("7", "8"):
        write_shape(tmp_path / "chairs", name, new_4="v 0 0 0\nv 1 0 0\n")
    summary = run_build(tmp_path / "out", 2, "quickstart", (), str(tmp_path / "chairs"))
    told = {w.kind: w for w in summary.warnings}
    skipped = told["part without a face skipped"]
    assert skipped.count == 2 and skipped.examples == tuple(
        f"{name}: chair/chair_base/regular_leg_base/leg" for name in "78"
    )
    assert summary.to_json()["warnings"]["obj without a face skipped"]["count"] == 2
    card = (tmp_path / "out" / "README.md").read_text()
    assert "## Warnings" in card and f"- {skipped.line}" in card
    rows = [row for row in read_manifest(tmp_path / "out") if row["warnings"]]
    assert {row["row_type"] for row in rows} == {"reference"} and {row["shape_id"] for row in rows} == {"7", "8"}


def test_a_file_that_no_shape_uses_is_told(tmp_path):
    write_shape(tmp_path / "chairs", "7")
    parts = tmp_path / "parts"
    (tmp_path / "chairs" / "7" / "objs").rename(parts)
    (parts / "seat.fbx").write_bytes(b"Kaydara FBX Binary")
    summary = run_build(tmp_path / "out", 1, "quickstart", (), str(parts))
    told = {w.kind: w.examples for w in summary.warnings}
    assert told["mesh format not read"] == ("seat.fbx",)
    assert "mesh format not read (1): seat.fbx" in (tmp_path / "out" / "README.md").read_text()


def test_a_clean_build_says_nothing(tmp_path):
    write_shape(tmp_path / "chairs", "7")
    summary = run_build(tmp_path / "out", 1, "quickstart", (), str(tmp_path / "chairs"))
    assert summary.warnings == () and "## Warnings" not in (tmp_path / "out" / "README.md").read_text()


def summary_of(anomalous: int, kinds: dict[str, Tally]) -> Summary:
    return Summary(8, anomalous, 1, {}, {}, kinds, {}, {}, {}, 0, False, "mine")


def test_a_build_without_a_picture_of_an_anomaly_says_so():
    tried = {"missing": Tally(48, 0, Counter({"too_much": 40, "not_visible": 8})), "swapped": Tally()}
    (told,) = without_anomaly(summary_of(0, tried))
    assert told.line.startswith("no picture of an anomaly came out, see docs/acceptance.md")
    assert told.line.endswith("(1): missing: 48 proposals, too_much 40, not_visible 8")
    (told,) = without_anomaly(summary_of(0, {"dent": Tally(24, 24)}))
    assert told.line.endswith("dent: 24 proposals, whose pictures were rejected")
    assert without_anomaly(summary_of(3, tried)) == () and without_anomaly(summary_of(0, {"swapped": Tally()})) == ()
