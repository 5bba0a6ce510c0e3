"""How a dataset of scenes compares with the published ones (section 4.1, Table 3)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.facts import SceneFacts
from datagen.verify.conformance import Line


@dataclass(frozen=True)
class Published:
    """Figures of a published set."""

    scenes: int
    shapes: int
    anomalous_shapes: int
    categories: int
    counts: tuple[int, int]
    splits: Mapping[str, int]


SETS = {
    "toys": Published(8000, 1050, 2345, 51, (3, 6), {"unseen-test": 2000, "train": 5000, "seen-test": 1000}),
    "parts": Published(15000, 4200, 10203, 0, (3, 12), {"train": 12000, "test": 3000}),
}
NORMAL_SHARE = 0.1
CUT_VIEWS, OBJECT_PX = 0.55, {5: 838, 50: 1708, 95: 4396}
"""Of the published sample scene: share of views in which the border cuts an object; percentiles of pixels an object."""
VIEWS, SEEN, UNSEEN = 20, 39, 12


def scene_conformance(evidence: SceneEvidence) -> tuple[Line, ...]:
    """Every line: what the published set has at this number of scenes, what is there."""
    recipe = evidence.recipe
    scenes = evidence.scenes
    if recipe is None or not scenes:
        return ()
    target = SETS[recipe.naming]
    scale = len(scenes) / target.scenes
    full = len(scenes) >= target.scenes
    why = "" if full else f"{len(scenes)} of {target.scenes} scenes are built"
    counts = [len(scene.objects) for scene in scenes]
    shapes = {evidence.shape_of(scene) for scene in scenes}
    odd = {(evidence.shape_of(s), str(o.record.get("path"))) for s in scenes for o in s.objects if o.anomalous}
    lines = [
        Line("scenes", "scenes", target.scenes, len(scenes), 0, why=why),
        Line("scenes", "views a scene", VIEWS, max(len(s.views) for s in scenes), 0),
        Line("scenes", "fewest objects", target.counts[0], min(counts), 0),
        Line("scenes", "most objects", target.counts[1], max(counts), 0 if full else target.counts[1], why=why),
        Line("shapes", "shapes", target.shapes, len(shapes), 0.02 * target.shapes, why=why),
        Line("shapes", "anomalous shapes", target.anomalous_shapes, len(odd), 0.05 * target.anomalous_shapes, why=why),
    ]
    empty = sum(scene.anomalous == 0 for scene in scenes)
    wanted = NORMAL_SHARE * len(scenes)
    spread = max(3 * (len(scenes) * NORMAL_SHARE * (1 - NORMAL_SHARE)) ** 0.5, 1.0)
    asked = f"the recipe asks for a share of {recipe.layout.normal_share:g}"
    lines.append(Line("scenes", "without an anomaly", wanted, empty, spread, why=asked))
    by_split = Counter(evidence.split_of.get(scene.name, "none") for scene in scenes)
    for split, count in target.splits.items():
        want = count * scale
        lines.append(Line("splits", split, want, by_split.get(split, 0), max(0.02 * want, 1.0), why=why))
    if target.categories:
        lines += _categories(evidence, why)
    return (*lines, *_framing(scenes, evidence))


def _framing(scenes: Sequence[SceneFacts], evidence: SceneEvidence) -> list[Line]:
    """How near the cameras are, beside the published sample: three long flat objects of one shape."""
    recipe = evidence.recipe
    assert recipe is not None
    cut = [view.cut_objects > 0 for scene in scenes for view in scene.views]
    seen = np.array([px for scene in scenes for thing in scene.objects for px in thing.seen_px], dtype=float)
    seen *= (256 / recipe.camera.size_px) ** 2
    why = "the sample is one scene of three objects of one shape"
    lines = [Line("framing", "views that cut an object", CUT_VIEWS, float(np.mean(cut)), 0.15, why=why)]
    for percentile, target in OBJECT_PX.items():
        value = float(np.percentile(seen, percentile))
        lines.append(Line("framing", f"pixels an object, {percentile} %", target, round(value), 0.5 * target, why=why))
    return lines


def _categories(evidence: SceneEvidence, why: str) -> list[Line]:
    seen: set[str] = set()
    unseen: set[str] = set()
    for scene in evidence.scenes:
        split = evidence.split_of.get(scene.name, "")
        (unseen if split == "unseen-test" else seen).add(str(scene.extra.get("category", "")))
    why = why or "the collection or the recipe has other categories than Table 3"
    return [
        Line("categories", "seen", SEEN, len(seen), 0, why=why),
        Line("categories", "unseen", UNSEEN, len(unseen), 0, why=why),
    ]
