"""Faults planted in the files beside scenes: splits, tables, run.json and the manifest as a whole."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.kinds.oddoneout.faults import Json, edit

Fault = Callable[[Path], None]


def of_root(name: str, change: Callable[[Json], object]) -> Fault:
    """Change a JSON file beside the scenes."""
    return lambda root: edit(root, change, name)


def gone(name: str) -> Fault:
    return lambda root: (root / name).unlink()


def damaged(name: str) -> Fault:
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[:-40])


def reversed_keys(table: Json) -> None:
    for key in reversed(list(table)):
        table[key] = table.pop(key)


def unshown_shape(table: Json) -> None:
    """The last shape listed, which four scenes hardly show."""
    table["shapes"].popitem()


def first_split(table: Json) -> list[str]:
    return next(iter(table.values()))


def renamed(old: str, new: str) -> Callable[[Json], None]:
    return lambda table: table.update({new: table.pop(old)})


def of_run(**values: Any) -> Fault:
    return of_root("run.json", lambda table: table.update(values))


def recipe_of(*keys: str, value: Any) -> Fault:
    """A value of the recipe in run.json."""

    def change(table: Json) -> None:
        section = table["recipe"]
        for key in keys[:-1]:
            section = section[key]
        assert section[keys[-1]] != value
        section[keys[-1]] = value

    return of_root("run.json", change)


ROOTS: dict[str, Fault] = {
    "split.json with an empty split": of_root("split.json", lambda t: t.update(val=[])),
    "split.json in another order": of_root("split.json", reversed_keys),
    "split.json with a scene that is not planned": of_root(
        "split.json", lambda t: first_split(t).append("cup_001-009")
    ),
    "split.json with another name of a split": of_root("split.json", lambda t: renamed(next(iter(t)), "val")(t)),
    "split.json damaged": damaged("split.json"),
    "split.json gone": gone("split.json"),
    "split-count.json gone": gone("split-count.json"),
    "protocol.json gone": gone("protocol.json"),
    "README.md gone": gone("README.md"),
    "README.md of another dataset": lambda root: (root / "README.md").write_text("# Another\n"),
    "shapes.json without a shape": of_root("shapes.json", unshown_shape),
    "shapes.json damaged": damaged("shapes.json"),
    "run.json gone": gone("run.json"),
    "run.json damaged": damaged("run.json"),
    "run.json: recipe_hash": of_run(recipe_hash="0" * 64),
    "run.json: collection_hash": of_run(collection_hash="0" * 64),
    "run.json: seed": of_run(seed=7),
    "run.json: source": of_run(source="toys4k"),
    "run.json: layout": of_run(layout="x"),
    "run.json: renderer": of_run(renderer="cycles"),
    "recipe: name": recipe_of("name", value="other"),
    "recipe: min_changed_px": recipe_of("anomaly", "min_changed_px", value=1.0),
    "recipe: cracks": recipe_of("anomaly", "fracture", "roughness", value=[0.5, 0.6]),
    "recipe: poses": recipe_of("layout", "poses", value="rigid_body"),
    "recipe: a section that is none": of_root("run.json", lambda t: t["recipe"].update(layout=3)),
    "manifest gone": gone("manifest.parquet"),
    "manifest damaged": damaged("manifest.parquet"),
}
"""Kind -> how it is planted in a dataset's folder."""
