"""Which files a scene's folder holds, against those of the layout."""

from collections.abc import Sequence
from dataclasses import dataclass

from datagen.formats.oddoneout import FLOOR, view_name
from datagen.store.reader import DatasetReader

OURS = ("masks", "binary_labels", "anomaly_masks", "part_labels", "depth_exr", "depth_png", "scene.jpg")
"""What every scene of ours has beside RGB/, segmentations/ and its tables, which are read in any case."""
PASSED_OVER = frozenset({"scene3d.metadata.json", "scene2d.metadata.json", "scene.jpg", "scene.mp4"})


@dataclass(frozen=True)
class Listing:
    """What a folder has of `OURS`, files that are missing of folders that are there, and files of no layout."""

    there: frozenset[str]
    missing: tuple[str, ...]
    strays: tuple[str, ...]


def listing(files: DatasetReader, folder: str, names: Sequence[str], views: int) -> Listing:
    """Of a scene's folder, with objects of these names and that many views."""
    found = {path.removeprefix(f"{folder}/") for path in files.list(folder)}
    there = frozenset(path.partition("/")[0] for path in found).intersection(OURS)
    wanted = {
        f"{part}/{view_name(v, 'exr' if part == 'depth_exr' else 'png')}"
        for part in there
        if part not in PASSED_OVER
        for v in range(views)
    }
    read = {f"RGB/{view_name(v)}" for v in range(views)}
    read |= {f"segmentations/{name}/{name}_{view_name(v)}" for name in (*names, FLOOR) for v in range(views)}
    found |= _seen_by_loaders(files, folder)
    return Listing(there, tuple(sorted(wanted - found)), tuple(sorted(found - wanted - read - PASSED_OVER)))


def _seen_by_loaders(files: DatasetReader, folder: str) -> set[str]:
    """What lies loose in the folders that loaders list: also empty folders, and what systems leave (Thumbs.db)."""
    places = ((part, files.root / folder / part) for part in ("RGB", "masks"))
    there = ((part, path) for part, path in places if path.is_dir())
    return {f"{part}/{entry.name}" for part, path in there for entry in path.iterdir() if entry.name[0] != "."}
