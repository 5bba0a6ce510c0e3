"""What operating systems leave in a dataset's folder is no stray file, no log, no view and no sample."""

import shutil

from datagen.datasets.samples import open_dataset
from datagen.store.log import any_torn, read_folder
from datagen.store.reader import DatasetReader

CLUTTER = ("._x.png", ".DS_Store", "Thumbs.db", "desktop.ini")


def test_clutter_in_a_dataset_counts_nowhere(fake_dataset, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(fake_dataset, root)
    names, entries = list(DatasetReader(root).sizes), set(read_folder(root / "log"))
    bundle = next((root / "shapes").glob("*/mv_images"))
    listed = open_dataset(root).list(bundle.relative_to(root).as_posix())
    for folder in (root / "images", bundle, root / "annotations", root / "log"):
        for name in CLUTTER:
            (folder / name).write_bytes(b"\0\5\x16\7")
    (root / "log" / "._writer.jsonl").write_bytes(b"\0\5\x16\7")
    (root / "__MACOSX" / "images").mkdir(parents=True)
    (root / "images" / "__MACOSX").mkdir()
    (root / "images" / "__MACOSX" / "._0001.png").write_bytes(b"\0\5\x16\7")
    assert list(DatasetReader(root).sizes) == names
    assert set(read_folder(root / "log")) == entries and not any_torn(root / "log")
    assert open_dataset(root).list(bundle.relative_to(root).as_posix()) == listed
