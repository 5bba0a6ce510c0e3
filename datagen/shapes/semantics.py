"""Semantic path -> part class, by a category's tables."""

from datagen.core.shape import REMAINDER_PATH
from datagen.recipe.category import Category


def part_class(path: str, category: Category) -> str:
    """The class of a semantic path such as `chair/chair_base/regular_leg_base/leg`; 'Other' if unknown."""
    return known_class(path, category) or _by_prefix(_words(path, category), category) or "Other"


def known_class(path: str, category: Category) -> str | None:
    """The class that the category's tables tell of a path, None where they do not know it.

    A label wins; else what everything below one of `under` is; else the last words, which may say more than where
    they stand (a `seat_connector` under a leg base is no leg).
    """
    if path == REMAINDER_PATH:
        return "Other"
    words = _words(path, category)
    whole = "/".join(words)
    if whole in category.labels:
        return category.labels[whole]
    under = next((category.under[prefix] for prefix in _prefixes(words) if prefix in category.under), None)
    ends = ("/".join(words[k:]) for k in range(len(words)))
    return under or next((category.names[end] for end in ends if end in category.names), None)


def is_unknown(path: str, category: Category) -> bool:
    """Whether nothing tells the class of a path: neither a table nor the label that it stands below."""
    return known_class(path, category) is None and _by_prefix(_words(path, category), category) is None


def _by_prefix(words: list[str], category: Category) -> str | None:
    labels = category.labels
    return next((labels[p] for p in _prefixes(words) if p in labels and p != category.first_word), None)


def _words(path: str, category: Category) -> list[str]:
    words = [word for word in path.strip("/").lower().replace(" ", "_").split("/") if word]
    return words if not words or words[0] == category.first_word else [category.first_word, *words]


def _prefixes(words: list[str]) -> list[str]:
    return ["/".join(words[:count]) for count in range(len(words) - 1, 0, -1)]
