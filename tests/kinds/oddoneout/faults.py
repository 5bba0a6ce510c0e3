"""What tests of `verify` do to a small dataset of scenes: edits of tables and rows, told by the check that is meant."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.examination import SCENES
from datagen.kinds.registry import open_tree
from datagen.verify.check import Result, run_check

Json = dict[str, Any]


def edit(folder: Path, change: Callable[[Json], object], name: str = "scene3d.metadata.json") -> None:
    """Change a table of a scene, or another JSON file."""
    path = folder / name
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))


def edit_rows(root: Path, change: Callable[[list[Json]], list[Json] | None]) -> None:
    """Change the rows of the manifest in place, or by the list that is given back."""
    path = root / "manifest.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows = change(rows) or rows
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def odd_scene(root: Path) -> Path:
    """A scene with an anomaly."""
    for folder in sorted((root / "scenes").iterdir()):
        if any(thing["label"] for thing in json.loads((folder / "scene3d.metadata.json").read_text())["objects"]):
            return folder
    raise AssertionError("no scene has an anomaly")


def odd_of(table: Json) -> Json:
    """The first anomalous object of a scene's table."""
    found: Json = next(thing for thing in table["objects"] if thing["label"])
    return found


def run_named(root: Path, name: str) -> Result:
    """One check of scenes alone: each reads every file otherwise."""
    evidence = SceneEvidence(open_tree(root), source_options={"shapes": "toys"})
    return run_check(SCENES.checks.checks[name], evidence)
