"""Figures of pairs: how twins differ, what reference views show of a change, what either side alone tells."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from datagen.core.statistics import auc
from datagen.formats.brokenchairs import reference_name
from datagen.formats.pairs import Pair
from datagen.kinds.brokenchairs.counterfactual import changed_depth
from datagen.kinds.brokenchairs.pairs import SHOWN_PX
from datagen.kinds.brokenchairs.verify.tree import ChairTree
from datagen.verify.logistic import auc_interval, held_out_scores
from datagen.verify.pictures import open_picture, probe_features

GROWN_PX = 2
"""How far beyond the masks edges and shadows of the change may reach."""
WHITE = 235
MIN_SHAPES, MIN_PAIRS, MAX_PAIRS = 10, 80, 2000
VIEWS = 4
"""Views of a bundle that a probe looks at, spread over the ring."""

Shot = tuple[str, int]
"""(group, camera): one picture and its twin."""


def shots(pairs: Sequence[Pair]) -> Mapping[Shot, tuple[Pair, ...]]:
    """The balanced pairs of each picture and its twin, in the table's order."""
    found: dict[Shot, list[Pair]] = {}
    for pair in pairs:
        if pair.balanced:
            found.setdefault((pair.group, pair.camera), []).append(pair)
    return {key: tuple(cells) for key, cells in found.items()}


def twin_difference(tree: ChairTree, cells: Sequence[Pair]) -> float | None:
    """Mean grey level by which a picture and its twin differ on the object, outside the masks of the change.

    None where the pairs do not name both pictures. Raises what DAMAGE covers.
    """
    paths = {pair.query_state == "": pair.query_path for pair in cells}
    if len(paths) != 2:
        return None
    normal, anomalous = (np.asarray(open_picture(tree.files.read(paths[k])).convert("RGB")) for k in (True, False))
    if normal.shape != anomalous.shape:
        return 255.0
    masks = {path for pair in cells for path in (pair.mask_query_path, pair.mask_reference_path) if path}
    changed = np.zeros(normal.shape[:2], dtype=bool)
    for path in masks:
        changed |= np.asarray(open_picture(tree.files.read(path)).convert("L")) > 127
    shown = (normal.min(axis=2) < WHITE) | (anomalous.min(axis=2) < WHITE)
    shown &= ~binary_dilation(changed, iterations=GROWN_PX)
    difference = np.abs(normal.astype(np.int16) - anomalous).mean(axis=2)[shown]
    return float(difference.mean()) if len(difference) else 0.0


def views_showing(tree: ChairTree, one: str, other: str) -> int | None:
    """Reference views in which the depths of two bundles differ in 60 pixels; None without views in common.

    Raises what DAMAGE covers.
    """
    depths = [_depths(tree, name) for name in (one, other)]
    common = set(depths[0]) & set(depths[1])
    if not common:
        return None
    pairs = ((_depth(tree, depths[0][azimuth]), _depth(tree, depths[1][azimuth])) for azimuth in sorted(common))
    return sum(changed_depth(a, b) >= SHOWN_PX for a, b in pairs)


def _depths(tree: ChairTree, name: str) -> dict[float, str]:
    """Azimuth (360 is 0) -> path of the depth of each view of a bundle."""
    paths = ((reference_name(stem)[1], f"{stem}_depth.npy") for stem in tree.bundles.get(name, ()))
    return {azimuth % 360: path for azimuth, path in paths if azimuth is not None and path in tree.files.sizes}


def _depth(tree: ChairTree, path: str) -> np.ndarray:
    depth: np.ndarray = np.load(io.BytesIO(tree.files.read(path)), allow_pickle=False)
    return depth


@dataclass(frozen=True)
class SideProbe:
    """How well one side of pairs alone tells their label: AUC with its interval."""

    side: str
    auc: float
    low: float
    high: float


def side_probes(tree: ChairTree, pairs: Sequence[Pair]) -> Iterator[SideProbe]:
    """Probes of the query alone and of the reference alone; none where shapes or pairs are too few."""
    pairs = [pair for pair in pairs if pair.balanced][:MAX_PAIRS]
    labels = np.array([pair.label for pair in pairs])
    groups = [pair.shape_id for pair in pairs]
    if len(pairs) < MIN_PAIRS or len(set(groups)) < MIN_SHAPES or len(set(labels.tolist())) < 2:
        return
    for side, subjects in (("query", [p.query_path for p in pairs]), ("reference", [p.reference for p in pairs])):
        read = _query_features if side == "query" else _reference_features
        known = {subject: read(tree, subject) for subject in sorted(set(subjects))}
        X = np.stack([known[subject] for subject in subjects])
        scores = held_out_scores(X, labels, groups)
        blocks = [f"{pair.query_path} {pair.reference}" for pair in pairs]
        low, high = auc_interval(X, labels[:, None], scores[:, None], groups, blocks)
        yield SideProbe(side, auc(labels, scores), low, high)


def _query_features(tree: ChairTree, path: str) -> np.ndarray:
    return probe_features(open_picture(tree.files.read(path))).astype(np.float64)


def _reference_features(tree: ChairTree, name: str) -> np.ndarray:
    stems = [stem for stem in tree.bundles.get(name, ()) if f"{stem}.png" in tree.files.sizes]
    chosen = stems[:: max(1, len(stems) // VIEWS)][:VIEWS]
    found = [probe_features(open_picture(tree.files.read(f"{stem}.png"))) for stem in chosen]
    mean: np.ndarray = np.mean(found, axis=0, dtype=np.float64)
    return mean
