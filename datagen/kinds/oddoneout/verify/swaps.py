"""Checks of scenes with swapped majorities: an object by itself may not tell whether it is odd."""

from collections import Counter
from collections.abc import Iterator

from datagen.kinds.oddoneout.verify.checks import SCENES
from datagen.kinds.oddoneout.verify.evidence import SceneEvidence
from datagen.kinds.oddoneout.verify.facts import SceneFacts
from datagen.kinds.oddoneout.verify.refusals import CHECKS
from datagen.verify.check import ERROR, Finding


def _is_swap(scene: SceneFacts) -> bool:
    return "twin" in scene.extra


@CHECKS.check(ERROR, "What stands in one majority alone can be told without a look at the others.", SCENES)
def scene_swaps_have_twins(e: SceneEvidence) -> Iterator[Finding]:
    """A scene of swapped majorities has its twin in the same split, with the two shapes in each other's places."""
    scenes = {scene.name: scene for scene in e.scenes}
    told = {str(row["query_path"]).rsplit("/", 1)[-1] for row in e.tree.rows if row["row_type"] == "scene"}
    for scene in filter(_is_swap, e.scenes):
        name = scene.extra["twin"]
        twin = scenes.get(str(name))
        if twin is None:
            # An unfinished build names what it has yet to make: no row tells of it.
            if name is None or str(name) in told:
                yield Finding(scene.name, f"its twin {name} is not here; build it, or leave both out")
            continue
        if twin.extra.get("twin") != scene.name:
            yield Finding(scene.name, f"its twin {name} names {twin.extra.get('twin')} as its own")
        if e.split_of.get(scene.name) != e.split_of.get(twin.name):
            yield Finding(scene.name, f"its twin {name} is in another split")
        if [thing.anomalous for thing in scene.objects] != [thing.anomalous for thing in twin.objects]:
            yield Finding(scene.name, f"its twin {name} has its odd objects in other places")
        mine, theirs = ([thing.record.get("shows") for thing in one.objects] for one in (scene, twin))
        if scene.anomalous and any(a == b for a, b in zip(mine, theirs, strict=False)):
            yield Finding(scene.name, f"an object shows the same shape as in its twin {name}")


@CHECKS.check(ERROR, "The single-object scorer is at one half by this count.", SCENES)
def scene_swaps_balance(e: SceneEvidence) -> Iterator[Finding]:
    """In every split, and of every shape, each of the two shapes is as often odd as the other, and as often normal."""
    counts: dict[tuple[str, str], Counter[tuple[bool, str]]] = {}
    here = {scene.name for scene in e.scenes}
    for scene in filter(_is_swap, e.scenes):
        if not scene.anomalous or scene.extra["twin"] not in here:
            continue
        for key in ("", str(scene.objects[0].record.get("shape_id", ""))):
            counter = counts.setdefault((str(e.split_of.get(scene.name, "none")), key), Counter())
            for thing in scene.objects:
                counter[thing.anomalous, str(thing.record.get("shows"))] += 1
    for (split, shape), counter in sorted(counts.items()):
        for odd, word in ((True, "odd"), (False, "normal")):
            normal, anomalous = counter[odd, "normal"], counter[odd, "anomalous"]
            if normal != anomalous:
                where = f"{split} {shape}".strip()
                yield Finding(where, f"{word} objects: {normal} show the normal shape, {anomalous} the anomalous one")
