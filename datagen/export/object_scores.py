"""How odd a method finds each of several objects, from its maps of pixels; and how well that tells odd ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import rankdata

from datagen.core.errors import UsageError
from datagen.formats.instances import read_mask
from datagen.kinds.registry import kind_of, open_tree

QUANTILE = 0.95
"""An object's score in one view is this quantile of the map within its mask: a crack is small, one pixel is noise."""
LEAST_PX = 20
"""Views that show fewer pixels of an object say nothing of it."""


@dataclass(frozen=True)
class ObjectScore:
    """`score` is the mean over the views that show the object; `relative` is that less the median of its neighbours."""

    stage: str
    name: str
    split: str
    label: int
    score: float
    relative: float
    views: int


def object_scores(root: Path, maps: Mapping[str, np.ndarray]) -> list[ObjectScore]:
    """Scores of all objects that the maps show. `maps`: path of a picture in the dataset -> map (h, w) of any size.

    Raises UsageError for a dataset without objects, or maps of none of its pictures; BrokenFile.
    """
    tree, kind = open_tree(root), kind_of(root)
    if kind.instances is None or kind.instances.objects is None:
        raise UsageError(f"datasets of kind {kind.name} show no objects side by side; score their pictures")
    found: dict[str, list[tuple[str, str, int, list[float]]]] = defaultdict(list)
    for seen in kind.instances.objects(tree.files, tree.rows):
        values = []
        for picture, path in seen.masks.items():
            if picture not in maps:
                continue
            told = maps[picture]
            mask = read_mask(tree.files, path, seen.size)
            if int(mask.sum()) < LEAST_PX:
                continue
            small = Image.fromarray(mask).resize((told.shape[1], told.shape[0]), Image.Resampling.NEAREST)
            inside = told[np.asarray(small)]
            if len(inside):
                values.append(float(np.quantile(inside, QUANTILE)))
        if values:
            found[seen.stage].append((seen.name, seen.split, seen.label, values))
    if not found:
        raise UsageError(f"the maps are of no picture of {root}; name them by their paths in the dataset")
    scores = []
    for stage, objects in sorted(found.items()):
        means = [float(np.mean(values)) for *_, values in objects]
        for k, (name, split, label, values) in enumerate(objects):
            others = [mean for n, mean in enumerate(means) if n != k] or [means[k]]
            relative = means[k] - float(np.median(others))
            scores.append(ObjectScore(stage, name, split, label, means[k], relative, len(values)))
    return scores


def auroc(labels: Iterable[int], scores: Iterable[float]) -> float:
    """Area under the ROC curve, ties halved; NaN where one label is absent."""
    label, score = np.array(list(labels)), np.array(list(scores))
    odd = int(label.sum())
    if not 0 < odd < len(label):
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[label == 1].sum() - odd * (odd + 1) / 2) / (odd * (len(label) - odd)))
