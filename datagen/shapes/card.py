"""collection.json: who made a collection of shapes, and under which licence."""

import json
from dataclasses import dataclass
from pathlib import Path

from datagen.core.errors import UsageError
from datagen.recipe.inspection import MILLIMETRES

PARTNET_LICENCE = (
    "ShapeNet and PartNet terms of use: registered users, non-commercial research and education (shapenet.org)"
)
CARD_NAME = "collection.json"


@dataclass(frozen=True)
class CollectionCard:
    """Where a collection comes from. `stand_in`: made by this project in place of real data.

    `up` ('x' | 'y' | 'z'), `front` ('+x' .. '-z') and `files` ('parts' | 'shapes') settle what a folder of
    plain meshes leaves open; '' means decide by rule. `units` ('mm' | 'cm' | 'm' | 'inch') is that of files which do
    not say their own. `category` is that of shapes which do not say theirs.
    """

    source: str
    licence: str
    stand_in: bool = False
    note: str = ""
    up: str = ""
    front: str = ""
    files: str = ""
    units: str = ""
    category: str = ""


class Carded:
    """What a source says of itself out of its card."""

    card: CollectionCard
    root: Path

    @property
    def folder(self) -> Path:
        """The folder that holds every file of the collection."""
        return self.root if self.root.is_dir() else self.root.parent

    @property
    def name(self) -> str:
        """What the manifest's `source` column says."""
        return self.card.source

    @property
    def licence(self) -> str:
        """Licence text of the collection."""
        return self.card.licence

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the collection's folder holds that is no shape's, as `kind: detail`."""
        return ()

    @property
    def stand_in(self) -> bool:
        """Whether this project made the shapes in place of real data."""
        return self.card.stand_in


def read_card(root: Path, source: str, licence: str | None = None) -> CollectionCard:
    """The card of `root`, its gaps filled with `source` and `licence` (or with what the folder says).

    Raises UsageError when collection.json is there but cannot be used.
    """
    path = root / CARD_NAME
    default = CollectionCard(source, licence or folder_licence(root))
    if not path.is_file():
        return default
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(data, dict):
            raise ValueError("it holds no JSON object")
        unknown = sorted(set(data) - KEYS)
        if unknown:
            raise ValueError(f"{unknown[0]} is no key of it, which are {', '.join(sorted(KEYS))}")
        return CollectionCard(
            source=str(data.get("source") or default.source),
            licence=str(data.get("licence") or default.licence),
            stand_in=bool(data.get("stand_in", False)),
            note=str(data.get("note", "")),
            category=str(data.get("category", "")),
            **{key: _choice(data, key, allowed) for key, allowed in _CHOICES.items()},
        )
    except (ValueError, AttributeError, OSError) as error:
        raise UsageError(f"{path}: {error}; mend the file or remove it") from error


_CHOICES = {
    "up": ("", "y", "z", "x"),
    "front": ("", *(sign + axis for sign in "+-" for axis in "xyz")),
    "files": ("", "parts", "shapes"),
    "units": ("", *MILLIMETRES),
}


KEYS = frozenset({*_CHOICES, "source", "licence", "stand_in", "note", "category"})


def _choice(data: dict[str, object], key: str, allowed: tuple[str, ...]) -> str:
    value = str(data.get(key, ""))
    if value not in allowed:
        raise ValueError(f"{key} is {value!r}, not one of {', '.join(allowed[1:])}")
    return value


def folder_licence(root: Path) -> str:
    """What a folder without a card says about its licence: the name of its LICENSE file, or nothing."""
    names = sorted(
        path.name for path in root.iterdir() if path.is_file() and path.name.upper().startswith(("LICENSE", "LICENCE"))
    )
    return f"unknown (see {', '.join(names)} in the folder)" if names else "unknown (see the folder)"
