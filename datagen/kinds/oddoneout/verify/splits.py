"""Checks of split.json against the scenes that are there, and of what may stand on both sides of a cut."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from datagen.kinds.oddoneout.verify.checks import CHECKS, SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.verify.check import ERROR, Finding


def _split(e: SceneEvidence) -> str:
    return "" if e.split else "there is no readable split.json"


@CHECKS.check(
    ERROR, "A scene in no split is never loaded; one in two is tested on what it was trained on.", SCENES, (_split,)
)
def scene_splits(e: SceneEvidence) -> Iterator[Finding]:
    """Every scene stands in exactly one list, every name is a folder."""
    counts = Counter(name for names in e.split.values() for name in names)
    for key, names in e.split.items():
        if not names:
            yield Finding(key, "is empty in split.json: the published loader ends at it")
    there = {scene.name for scene in e.scenes}
    # An unfinished build names what it has yet to make: no row tells of those.
    begun = {str(row["query_path"]).partition("#")[0].removeprefix("scenes/") for row in e.tree.rows}
    for name, count in counts.items():
        if count > 1:
            yield Finding(name, f"stands in split.json {count} times")
        if name not in there and (name in begun or not e.tree.rows):
            yield Finding(name, "is named by split.json and not there")
    for name in sorted(there - set(counts)):
        yield Finding(name, "is in no split")


@CHECKS.check(ERROR, "A shape in training and test is one object.", SCENES, (_split,))
def scene_shapes_disjoint(e: SceneEvidence) -> Iterator[Finding]:
    """No shape across the cut; no category of unseen-test in another split."""
    shapes: dict[str, set[str]] = defaultdict(set)
    categories: dict[str, set[str]] = defaultdict(set)
    for scene in e.scenes:
        split = e.split_of.get(scene.name)
        if split:
            shapes[e.shape_of(scene)].add(split)
            categories[str(scene.extra.get("category", ""))].add(split)
    for shape, splits in shapes.items():
        if len(splits) > 1:
            yield Finding(shape, f"is in {', '.join(sorted(splits))}")
    for category, splits in categories.items():
        if category and "unseen-test" in splits and len(splits) > 1:
            yield Finding(category, f"is no unseen category: it is in {', '.join(sorted(splits))}")
