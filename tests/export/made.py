"""Exports of a small dataset of each kind for other tools' readers: `python -m tests.export.made DIR`.

Beside each export lies what the exporter says of it, and what the manifest says of the dataset.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from datagen.export.registry import BUILT_IN
from datagen.export.run import export_dataset
from datagen.store.manifest import read_manifest
from tests.conftest import SMALL_SCENES, run_build


def main(folder: Path) -> None:
    """Datasets, exports and what they have to hold, as expected.json."""
    run_build(folder / "data" / "chairs", 6)
    run_build(folder / "data" / "scenes", 4, "toysad_quickstart", SMALL_SCENES, "toys")
    expected: dict[str, dict[str, object]] = {}
    for kind in ("chairs", "scenes"):
        root = folder / "data" / kind
        rows = [row for row in read_manifest(root) if row["row_type"] == "sample"]
        pictures = {row["sample_id"]: str(root / row["query_path"]) for row in rows}
        expected[kind] = {"samples": len(rows), "labels": sum(row["label"] for row in rows), "pictures": pictures}
        for exporter in BUILT_IN:
            expected[kind][exporter.name] = asdict(export_dataset(root, exporter.name, folder / kind / exporter.name))
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
