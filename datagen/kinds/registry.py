"""Which kinds of dataset there are, and which one a recipe or a folder is of.

The built-in ones, and those that installed packages name under the entry point group `datagen.kinds`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from datagen.bench.run import Bench
from datagen.core.errors import UsageError
from datagen.core.plugins import Plugins, load
from datagen.kinds.brokenchairs.bench.parts import BENCHES as CHAIR_BENCHES
from datagen.kinds.brokenchairs.kind import BUILDING as CHAIRS
from datagen.kinds.oddoneout.bench.parts import BENCHES as SCENE_BENCHES
from datagen.kinds.oddoneout.kind import BUILDING as SCENES
from datagen.pipeline.building import Building
from datagen.pipeline.plan import Plan
from datagen.recipe import loader
from datagen.recipe.section import DatasetRecipe
from datagen.shapes.collections import open_collection
from datagen.shapes.source import Source
from datagen.store.reader import DatasetReader
from datagen.verify import tree
from datagen.verify.tree import Tree

if TYPE_CHECKING:
    from datagen.datasets.online import GroupMaker
    from datagen.formats.instances import Instances
    from datagen.formats.pictures import Shown
    from datagen.verify.document import Examination

    Groups = Callable[[Any, int, int, int], GroupMaker]
    Sheet = Callable[[DatasetReader, Sequence[Mapping[str, Any]], Sequence[str], int | None], Shown]

GROUP = "datagen.kinds"
T = TypeVar("T")


class Later(Generic[T]):
    """A field that may be given as an entry point, and is loaded when it is first asked for: builds verify nothing."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, kind: Any, owner: type | None = None) -> T:
        if kind is None:
            raise AttributeError(self._name)  # the field has no default
        value = kind.__dict__[self._name]
        if isinstance(value, EntryPoint):
            value = kind.__dict__[self._name] = value.load()
        return value

    def __set__(self, kind: Any, value: T | EntryPoint) -> None:
        kind.__dict__[self._name] = value


def _at(value: str) -> EntryPoint:
    return EntryPoint("", f"datagen.kinds.{value}", GROUP)


@dataclass(frozen=True)
class Kind:
    """A kind of dataset: how it is built, examined, shown, and what exporters find in it.

    `name` is the word of a recipe's `kind`. `sheet`: (reader, manifest rows, names wanted, how many) -> what
    `datagen show` draws. `instances` tells its pictures with the masks of anomalies; None where there are no masks.
    `has` are those of depth, pose and mesh that its files hold. `tasks` names the training tasks that learn from it,
    the one that a recipe without a task means first (`train.tasks.registry` finds them).
    `groups`: (plan, seed, size in px, cameras) -> what makes groups of pairs for `train --online`; None: nothing does.
    `benches`: the parts of `datagen bench` that measure it, by name; no two kinds share a name.
    """

    name: str
    building: Building[Any]
    examination: Later["Examination[Any]"] = Later()
    sheet: Later["Sheet"] = Later()
    instances: Later["Instances | None"] = Later()
    has: frozenset[str] = frozenset()
    tasks: tuple[str, ...] = ()
    groups: "Groups | None" = None
    benches: Mapping[str, Bench] = field(default_factory=dict)
    importer: EntryPoint | None = None
    """What reads a published folder of this kind, a `formats.published.Importer`; None where there is none."""


def _chair_groups(plan: Any, seed: int, size: int, cameras: int) -> "GroupMaker":
    # Training alone makes groups.
    from datagen.kinds.brokenchairs.groups import online_groups

    return online_groups(plan, seed, size, cameras)


BUILT_IN = (
    Kind(
        "oddoneout",
        SCENES,
        _at("oddoneout.verify.examination:SCENES"),
        _at("oddoneout.sheet:sheet"),
        _at("oddoneout.instances:SCENE_INSTANCES"),
        has=frozenset({"depth", "pose"}),
        tasks=("detector",),
        benches=SCENE_BENCHES,
        importer=_at("oddoneout.imported:published_scenes"),
    ),
    Kind(
        "brokenchairs",
        CHAIRS,
        _at("brokenchairs.verify.examination:CHAIRS"),
        _at("brokenchairs.sheet:sheet"),
        _at("brokenchairs.instances:CHAIR_INSTANCES"),
        has=frozenset({"depth", "pose", "mesh"}),
        tasks=("matching",),
        groups=_chair_groups,
        benches=CHAIR_BENCHES,
        importer=_at("brokenchairs.imported:published_queries"),
    ),
)


def of_packages() -> Plugins:
    """Kinds of other packages, and why others are none."""
    return load(entry_points(group=GROUP))


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, Kind]:
    """Every kind by its name. Raises UsageError for an entry point that gives none, or another of a known name."""
    found = {kind.name: kind for kind in BUILT_IN}
    for name, kind in of_packages().found.items():
        if not isinstance(kind, Kind) or kind.name in found:
            raise UsageError(f"the entry point {name} of {GROUP} gives no new kind of dataset; repair or uninstall it")
        found[kind.name] = kind
    return found


def _models() -> Mapping[str, type[DatasetRecipe]]:
    return {name: kind.building.recipe for name, kind in kinds().items()}


def load_recipe(path: Path | None, overrides: Sequence[str] = (), seed: int | None = None) -> Any:
    """The recipe at `path` (defaults if None) with `--set` overrides and the command's seed. Raises RecipeError."""
    return loader.load_recipe(path, _models(), overrides, seed)


def parse_recipe(data: dict[str, Any], origin: str) -> Any:
    """A recipe out of plain data, such as run.json's. Raises RecipeError."""
    return loader.parse_recipe(data, origin, _models())


def building_of(recipe: DatasetRecipe) -> Building[Any]:
    """How the kind of a recipe is built."""
    return kinds()[recipe.kind].building


def open_shapes(recipe: DatasetRecipe, spec: str, data_root: Path | None = None) -> Source:
    """The collection as a recipe's kind needs it. Raises as `open_collection`."""
    building = building_of(recipe)
    reading = building.reading(recipe)
    return open_collection(spec, data_root, building.textured, reading.categories, reading.keep, reading.units)


def make_plan(recipe: DatasetRecipe, source: Source, limit: int | None = None) -> Plan[Any]:
    """The plan of a recipe over a collection. For chairs `limit` counts shapes, for scenes scenes."""
    plan: Plan[Any] = building_of(recipe).plan(recipe, source, limit)
    return plan


def _folders() -> list[str]:
    """The folders of data of every kind."""
    return [folder for kind in kinds().values() for folder in kind.building.folders]


def _named(run: Any) -> str:
    """The kind that a run.json names; '' where it names none."""
    recipe = run.get("recipe") if isinstance(run, Mapping) else None
    return str(recipe.get("kind", "")) if isinstance(recipe, Mapping) else ""


def kind_of(root: Path) -> Kind:
    """The kind of a dataset's folder: by run.json, else by its folders or those in its tars.

    Raises UsageError for no folder, or one that holds no dataset of a known kind.
    """
    try:
        named = _named(json.loads((root / "run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        named = ""
    if named in kinds():
        return kinds()[named]
    for kind in kinds().values():
        if not DatasetReader(root, kind.building.folders).is_empty:
            return kind
    names = ", ".join(f"{folder}/" for folder in _folders())
    raise UsageError(
        f"{root} holds none of {names} and no tar shard of a dataset; is it a dataset's folder?{of_packages().hint}"
    )


def open_files(root: Path) -> DatasetReader:
    """The files of a dataset's folder. Raises UsageError when it holds no dataset at all."""
    return tree.open_files(root, _folders())


def open_tree(root: Path) -> Tree:
    """A dataset's folder as `datagen verify` reads it. Raises UsageError when it holds no dataset at all."""
    return tree.open_tree(root, _folders())


def examination_of(found: Tree) -> "Examination[Any]":
    """How a dataset is examined: by the kind in run.json if its files are of it, else by its files."""
    named = _named(found.run)
    for kind in sorted(kinds().values(), key=lambda kind: kind.name != named):
        if any(name.partition("/")[0] in kind.building.folders for name in found.files.sizes):
            return kind.examination
    raise UsageError(f"{found.root} holds no dataset of a known kind; is it a dataset's folder?")
