"""Pairs of pairs.parquet as samples: a picture against a bundle, of the normal object or of an anomalous one."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from datagen.core.errors import BrokenFile
from datagen.datasets.config import CELLS
from datagen.datasets.dataset import sample_rows
from datagen.datasets.samples import Sample, box_from_xywh, fields_of
from datagen.formats.pairs import PAIRS, Pair, read_pairs
from datagen.store.reader import DatasetReader


@dataclass(frozen=True)
class PairSample(Sample):
    """A cell: one picture against one bundle. `kind` is of the group's anomaly; `label` says whether they differ."""

    reference: str = ""
    """The bundle's id, as in shapes/shape_<id>."""
    group: str = ""
    """The anomaly whose pictures these are."""
    camera: int = 0
    """Which twins of the group."""
    query_state: str = ""
    """'' for the normal object, else the id of the anomalous one; likewise `reference_state`."""
    reference_state: str = ""
    relation: str = "same"
    balanced: bool = True

    @property
    def bundle(self) -> str:
        """The bundle that the picture meets."""
        return self.reference

    @property
    def drawn_by(self) -> str:
        """Twins are augmented alike."""
        return f"{self.group}/{self.camera}"


def has_pairs(files: DatasetReader, split: str = "") -> bool:
    """Whether a dataset lists pairs; with a `split`, whether it lists any of that. Raises BrokenFile."""
    if not split or not files.has(PAIRS):
        return files.has(PAIRS)
    return any(pair.split == split for pair in read_pairs(files))


def list_pairs(files: DatasetReader, split: str, *, balanced: bool = False) -> list[PairSample]:
    """The pairs of a split: the balanced ones, the four of a (group, camera) side by side, then the others.

    `balanced` leaves the others out. Raises BrokenFile where the table is not
    there, does not fit the manifest, or lacks one of four.
    """
    if not has_pairs(files):
        raise BrokenFile(f"{files.root}: has no {PAIRS}; data.pairs needs a build with reference.counterfactual")
    pictures = {row["query_path"]: row for row in sample_rows(files, split)}
    found = []
    for pair in read_pairs(files):
        if pair.split == split and (pair.balanced or not balanced):
            if pair.query_path not in pictures:
                raise BrokenFile(f"{files.root}/{PAIRS}: {pair.query_path} is no sample of the manifest; build again")
            found.append(_sample(pair, fields_of(pictures[pair.query_path])))
    found.sort(key=lambda s: (not s.balanced, len(s.shape), s.shape, s.group, s.camera, s.query_state, s.reference))
    whole = [cell for cell in found if cell.balanced]
    for (group, camera), cells in groupby(whole, key=lambda s: (s.group, s.camera)):
        _require_whole(list(cells), f"{files.root}/{PAIRS}: camera {camera} of {group}")
    if not whole:
        raise BrokenFile(f"{files.root}/{PAIRS}: split {split} has no pair; build more shapes")
    return found


def _sample(pair: Pair, picture: dict) -> PairSample:
    box = pair.bbox_xywh_512
    told: dict[str, Any] = {
        "label": pair.label,
        "kind": pair.kind,
        "box": box_from_xywh(box, pair.query_path) if box else (0.0, 0.0, 0.0, 0.0),
        "masks": tuple(filter(None, (pair.mask_query_path, pair.mask_reference_path))),
        "own_view": pair.reference_at_query and f"{pair.reference_at_query}.png",
    }
    names = ("reference", "group", "camera", "query_state", "reference_state", "relation", "balanced")
    fields: dict[str, Any] = {**picture, **told, **{name: getattr(pair, name) for name in names}}
    return PairSample(**fields)


def _require_whole(cells: list[PairSample], where: str) -> None:
    """Two pictures and two bundles, each with both labels. Raises BrokenFile."""
    labels: dict[str, list[int]] = defaultdict(list)
    for cell in cells:
        labels[cell.query_path].append(cell.label)
        labels[f"bundle {cell.reference}"].append(cell.label)
    if len(cells) != CELLS or len(labels) != CELLS or any(sorted(both) != [0, 1] for both in labels.values()):
        raise BrokenFile(f"{where} is not two pictures against two references with both labels each; build again")
