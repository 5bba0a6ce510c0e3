"""PartNet's part trees as text: leaves, leftovers and split lists, with no mesh opened."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.core.errors import ShapeError, UsageError

TREE_NAMES = ("result_after_merging.json", "result.json")
MAX_DEPTH = 64
LFS_POINTER = "version https://git-lfs"
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Leaf:
    """One labelled leaf: its node id, name, semantic path and obj stems."""

    node_id: int
    name: str
    path: str
    objs: tuple[str, ...]


@dataclass(frozen=True)
class PartTree:
    """A parsed tree. `leftovers`: obj stems that an inner node names and no leaf does."""

    leaves: tuple[Leaf, ...]
    leftovers: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def read_json(path: Path) -> Any:
    """The JSON value of a file. Raises ShapeError naming it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.startswith(LFS_POINTER):
            raise ShapeError(f"{path}: a git-lfs pointer stands here instead of the file; run `git lfs pull`")
        return json.loads(text)
    except FileNotFoundError as error:
        raise ShapeError(f"{path}: the file is missing; restore it or take the shape out") from error
    except (ValueError, OSError, RecursionError) as error:
        raise ShapeError(f"{path}: not readable as JSON ({error}); fetch the shape again") from error


def is_mobility(folder: Path) -> bool:
    """Whether a folder is laid out as PartNet-Mobility (SAPIEN) lays out an object."""
    return (
        (folder / "mobility.urdf").is_file()
        or (folder / "mobility_v2.json").is_file()
        or ((folder / "textured_objs").is_dir() and (folder / "result.json").is_file())
    )


def refuse_mobility(folder: Path) -> None:
    """Raises ShapeError for an object of PartNet-Mobility where meshes are looked for: its tree is not read there."""
    if is_mobility(folder):
        raise ShapeError(
            f"{folder}: this is an object of PartNet-Mobility (textured_objs/) below other folders; give its folder, "
            f"{folder.parent}, to --shapes"
        )


def refuse_buried(folder: Path) -> None:
    """Raises UsageError for a PartNet annotation where meshes are looked for: its tree would not be read there."""
    if (folder / "objs").is_dir() and tree_path(folder) is not None:
        raise UsageError(
            f"{folder} is a PartNet annotation below other folders, where its tree is not read; give its folder, "
            f"{folder.parent}, to --shapes"
        )


def tree_path(folder: Path) -> Path | None:
    """The merged tree of a shape's folder, else the raw one, else None."""
    return next((folder / name for name in TREE_NAMES if (folder / name).is_file()), None)


def read_tree(folder: Path) -> PartTree:
    """The part tree of one annotation. Raises ShapeError naming the file when it cannot be used.

    A node is a leaf when it has no (or an empty) `children`; key order, inner labels at leaves and
    extra keys do not matter. An obj claimed twice stays with its first leaf.
    """
    path = tree_path(folder)
    if path is None:
        raise ShapeError(f"{folder}: neither {TREE_NAMES[0]} nor {TREE_NAMES[1]} is there; fetch the shape again")
    data = read_json(path)
    roots = data if isinstance(data, list) else [data]
    if not roots or not all(isinstance(root, dict) for root in roots):
        raise ShapeError(f"{path}: expected a list with one root node; fetch the shape again")
    leaves: list[Leaf] = []
    named: dict[str, None] = {}
    for root in roots:
        _walk(root, "", leaves, named, path, 0)
    return _without_double_claims(_with_unique_ids(leaves), named)


def _walk(node: Any, prefix: str, leaves: list[Leaf], named: dict[str, None], path: Path, depth: int) -> None:
    if not isinstance(node, dict) or depth > MAX_DEPTH:
        raise ShapeError(f"{path}: a node under {prefix or 'the root'} is no object or lies too deep")
    name = str(node.get("name") or node.get("text") or "unnamed").strip()
    here = f"{prefix}/{name}" if prefix else name
    listed, children = node.get("objs") or [], node.get("children") or []
    if not isinstance(listed, list) or not isinstance(children, list):
        raise ShapeError(f"{path}: objs or children of {here} are no list; fetch the shape again")
    objs = tuple(_stem(value, path) for value in listed)
    named.update(dict.fromkeys(objs))
    if not children:
        node_id = node.get("id")
        leaves.append(Leaf(node_id if type(node_id) is int else -1, name, here, objs))
    for child in children:
        _walk(child, here, leaves, named, path, depth + 1)


def _stem(value: Any, path: Path) -> str:
    """An obj stem that names a file inside objs/ and nowhere else. Raises ShapeError."""
    stem = value.removesuffix(".obj") if isinstance(value, str) else ""
    if not _STEM.fullmatch(stem):
        raise ShapeError(f"{path}: {value!r} is no obj name inside objs/; fetch the shape again")
    return stem


def _with_unique_ids(leaves: list[Leaf]) -> list[Leaf]:
    ids = [leaf.node_id for leaf in leaves]
    if len(set(ids)) == len(ids) and min(ids, default=0) >= 0:
        return leaves
    return [Leaf(index, leaf.name, leaf.path, leaf.objs) for index, leaf in enumerate(leaves)]


def _without_double_claims(leaves: list[Leaf], named: dict[str, None]) -> PartTree:
    owner: dict[str, str] = {}
    kept, warnings = [], []
    for leaf in leaves:
        objs = tuple(dict.fromkeys(obj for obj in leaf.objs if obj not in owner))
        if len(objs) < len(set(leaf.objs)):
            warnings.append(f"obj named twice, left with its first leaf: {leaf.path}")
        owner.update(dict.fromkeys(objs, leaf.path))
        if objs:
            kept.append(Leaf(leaf.node_id, leaf.name, leaf.path, objs))
        elif not leaf.objs:
            warnings.append(f"leaf without an obj skipped: {leaf.path}")
    return PartTree(tuple(kept), tuple(obj for obj in named if obj not in owner), tuple(warnings))


def read_splits(root: Path, category: str) -> dict[str, str]:
    """anno_id -> train | val | test from PartNet's own lists beside or under `root`; {} where there are none.

    Raises ShapeError naming a list that is there but broken.
    """
    splits: dict[str, str] = {}
    folder = next((place for place in _split_folders(root) if place.is_dir()), None)
    if folder is None:
        return splits
    for split in ("train", "val", "test"):
        names = dict.fromkeys((category, category.capitalize()))
        path = next((p for name in names if (p := folder / f"{name}.{split}.json").is_file()), None)
        if path is not None:
            rows = read_json(path)
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, dict) and "anno_id" in row:
                    splits[str(row["anno_id"])] = split
    return splits


def _split_folders(root: Path) -> list[Path]:
    # Lists lie in the partnet_dataset repository, which people clone beside or into the data.
    tails = ("stats/train_val_test_split", "partnet_dataset/stats/train_val_test_split")
    return [base / tail for base in (root, root.parent, root.parent.parent) for tail in tails]
