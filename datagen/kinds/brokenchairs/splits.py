"""Splits by model, public ids and plan order: functions of the collection alone."""

from collections.abc import Sequence

from datagen.core.errors import UsageError
from datagen.core.ids import fraction_of_hash
from datagen.formats.brokenchairs import SPLITS, UNSEEN
from datagen.recipe.categories import DEFAULT
from datagen.recipe.models import SplitRecipe
from datagen.shapes.source import ShapeEntry

SMALL = 100
"""Below this many models shares are cut from a ranking; above, each model's hash decides alone."""


def assign_splits(entries: Sequence[ShapeEntry], recipe: SplitRecipe) -> dict[str, str]:
    """shape_id -> train | val | test, or unseen for whole categories. All annotations of one model share a split.

    Every category is split by itself, in the same shares. Raises UsageError for an unseen category without a shape.
    """
    by_category: dict[str, list[ShapeEntry]] = {}
    for entry in entries:
        by_category.setdefault(entry.category or DEFAULT, []).append(entry)
    for name in recipe.unseen:
        if name not in by_category:
            raise UsageError(f"split.unseen: no shape is a {name}; the collection has {', '.join(sorted(by_category))}")
    if set(by_category) <= set(recipe.unseen):
        raise UsageError("split.unseen names every category of the collection, which leaves nothing to train on")
    found: dict[str, str] = {}
    for name, members in by_category.items():
        unseen = {entry.shape_id: UNSEEN for entry in members}
        found |= unseen if name in recipe.unseen else _of_category(members, recipe)
    return found


def _of_category(entries: Sequence[ShapeEntry], recipe: SplitRecipe) -> dict[str, str]:
    """PartNet's own lists win where given; a shape on none of them goes to train."""
    if recipe.use_published and any(entry.published_split for entry in entries):
        published = {e.model_id or e.shape_id: e.published_split for e in entries if e.published_split}
        return {e.shape_id: published.get(e.model_id or e.shape_id) or "train" for e in entries}
    models = sorted({e.model_id or e.shape_id for e in entries}, key=lambda m: (fraction_of_hash(["split", m]), m))
    total = recipe.train + recipe.val + recipe.test
    if len(models) < SMALL:
        count = len(models)
        val = max(1, round(count * recipe.val / total)) if count >= 2 else 0
        test = max(2, round(count * recipe.test / total)) if count >= 4 else min(1, max(count - 2, 0))
        chosen = ["val"] * val + ["test"] * test + ["train"] * (count - val - test)
        of_model = dict(zip(models, chosen, strict=True))
    else:
        of_model = {m: _by_fraction(fraction_of_hash(["split", m]) * total, recipe) for m in models}
    return {e.shape_id: of_model[e.model_id or e.shape_id] for e in entries}


def _by_fraction(position: float, recipe: SplitRecipe) -> str:
    if position < recipe.val:
        return "val"
    return "test" if position < recipe.val + recipe.test else "train"


def plan_order(entries: Sequence[ShapeEntry], splits: dict[str, str]) -> list[ShapeEntry]:
    """Shapes so that every prefix holds the splits in proportion: `--limit N` takes a prefix.

    Within a split by hash; across splits by how far each has come, the smallest split first.
    """
    keyed = []
    for split in (*SPLITS, UNSEEN):
        members = [e for e in entries if splits[e.shape_id] == split]
        members.sort(key=lambda e: (fraction_of_hash(["order", e.shape_id]), e.shape_id))
        keyed += [((k / len(members), len(members), split), e) for k, e in enumerate(members)]
    return [entry for _, entry in sorted(keyed, key=lambda item: (item[0], item[1].shape_id))]


def public_ids(entries: Sequence[ShapeEntry]) -> dict[str, int]:
    """shape_id -> integer: the source's own number if all are distinct numbers, else the sorted position."""
    names = [entry.shape_id for entry in entries]
    if all(name.isascii() and name.isdigit() and str(int(name)) == name for name in names):
        return {name: int(name) for name in names}
    return {name: k + 1 for k, name in enumerate(sorted(names))}
