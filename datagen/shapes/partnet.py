"""PartNet's layout on disk as a source: `<root>/<anno_id>/`, flat data_v0, or one annotation's folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from datagen.core.clutter import check_name, is_clutter, tidy
from datagen.core.errors import ShapeError
from datagen.core.shape import T_INSIDE_FROM_PUBLISHED, Shape
from datagen.recipe.categories import DEFAULT, OTHER, UNTOLD, Categories
from datagen.recipe.category import Category
from datagen.recipe.inspection import MILLIMETRES
from datagen.shapes.card import PARTNET_LICENCE, Carded, CollectionCard, folder_licence, read_card
from datagen.shapes.files import files_digest
from datagen.shapes.mobility import MESHES, SEMANTICS, URDF
from datagen.shapes.partnet_parts import Reading, object_joints, read_parts
from datagen.shapes.partnet_tree import (
    is_mobility,
    read_json,
    read_splits,
    read_tree,
    tree_path,
)
from datagen.shapes.passed_over import passed_over
from datagen.shapes.semantics import part_class
from datagen.shapes.source import ShapeEntry, natural_key

_SHAPENET_ID = re.compile(r"[0-9a-f]{16,64}|u[0-9a-f]{8}-[0-9a-f-]{8,}")


EVERY = "*"
"""In place of a category: all of them."""


def recognise_partnet(
    path: Path, categories: Categories, category: str | None = None, keep: bool = False
) -> "PartNetSource | None":
    """A source if `path` is an annotation's folder or holds some (of `category`, if given), else None.

    A plain path to a mixed flat download gives every annotation under its own category; those of one where the
    recipe's `category` or the folder's name says which, the others with a warning. EVERY gives them all whatever is
    said. `keep`: parts of PartNet-Mobility keep their own textures.
    Raises UsageError on a broken collection.json.
    """
    if not path.is_dir():
        return None
    folders: tuple[Path, ...]
    if tree_path(path) or is_mobility(path):
        folders, root = (path,), path.parent
    else:
        folders, root = (
            tuple(c for c in sorted(path.iterdir()) if not is_clutter(c.name) and c.is_dir() and _is_shape(c)),
            path,
        )
    for folder in folders:
        check_name(folder)
    every, folders = folders, _of_category(folders, category)
    if not folders:
        return None
    wanted = _wanted(folders, root, categories) if category is None and root == path else ""
    if wanted:
        folders = tuple(folder for folder in folders if _is_of(folder, wanted, categories))
    licence = PARTNET_LICENCE if _looks_original(folders[0]) else folder_licence(root)
    others = frozenset(every).difference(folders) if category is None else frozenset()
    card, searched = read_card(root, "partnet", licence), category is None and root == path
    return PartNetSource(root, folders, card, categories, tuple(sorted(others)), wanted, searched, keep)


def _is_shape(folder: Path) -> bool:
    # A folder with objs/ but no tree is a damaged download: keep it, so that load() can say so.
    return (
        tree_path(folder) is not None
        or is_mobility(folder)
        or ((folder / "objs").is_dir() and (folder / "meta.json").is_file())
    )


def _of_category(folders: tuple[Path, ...], category: str | None) -> tuple[Path, ...]:
    if category in (None, EVERY):
        return folders
    assert category is not None
    return tuple(f for f in folders if _meta(f).get("model_cat", "").lower() in ("", category.lower()))


def _wanted(folders: tuple[Path, ...], root: Path, categories: Categories) -> str:
    """The category that the recipe or the folder's name says where a folder has several and this one; else ''."""
    said = {categories.of(word).name for folder in folders if (word := _meta(folder).get("model_cat", ""))}
    if len(said) < 2:
        return ""
    named = categories.own.name if categories.own is not None else categories.of(root.name).name
    by_name = categories.own is not None or (named != OTHER and root.name.lower() not in UNTOLD)
    return named if by_name and named in said else ""


def _is_of(folder: Path, wanted: str, categories: Categories) -> bool:
    word = _meta(folder).get("model_cat", "")
    return not word or categories.of(word).name == wanted


def _looks_original(folder: Path) -> bool:
    original_files = any((folder / name).exists() for name in ("point_sample", "tree_hier.html", "parts_render"))
    return original_files or bool(_SHAPENET_ID.fullmatch(_meta(folder).get("model_id", "")))


def _meta(folder: Path) -> dict[str, str]:
    """meta.json as strings; {} where it is missing or broken (entries must survive that)."""
    try:
        data = read_json(folder / "meta.json")
    except ShapeError:
        return {}
    return {str(k): str(v) for k, v in data.items()} if isinstance(data, dict) else {}


@dataclass(frozen=True)
class PartNetSource(Carded):
    """Annotations of one collection. Source frame y up, front +z; loaded shapes are +Z up, front -Y."""

    root: Path
    folders: tuple[Path, ...]
    card: CollectionCard
    categories: Categories
    others: tuple[Path, ...] = ()
    """Annotations that were left out as they are of another category than `wanted`."""
    wanted: str = ""
    """The category that the recipe or the folder's name says, where others are left out."""
    searched: bool = False
    """Whether `root` was given, and not one annotation in it or a category of a download."""
    keep: bool = False
    """Whether parts of PartNet-Mobility keep their own textures."""

    @cached_property
    def _by_id(self) -> dict[str, Path]:
        return {path.name: path for path in sorted(self.folders, key=lambda p: natural_key(p.name))}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Meshes beside the annotations, and annotations of other categories that a plain path leaves out."""
        kind = f"annotation that is no {self.wanted} left out, give its folder as another collection to have it"
        others = tuple(f"{kind}: {folder.name} ({_meta(folder).get('model_cat', '')})" for folder in self.others)
        return (*others, *passed_over(self.root, (), (*self.folders, *self.others))) if self.searched else ()

    def entries(self) -> tuple[ShapeEntry, ...]:
        """One entry a folder, reading JSON only; a broken tree leaves `part_classes` empty."""
        splits: dict[str, dict[str, str]] = {}
        entries = []
        for shape_id, folder in self._by_id.items():
            meta = _meta(folder)
            category = meta.get("model_cat", "") or "Chair"
            if category not in splits:
                splits[category] = read_splits(self.root, category)
            split = splits[category].get(meta.get("anno_id", shape_id), splits[category].get(shape_id))
            kind = self._category(meta)
            classes = _leaf_classes(folder, kind)
            entries.append(ShapeEntry(shape_id, meta.get("model_id") or shape_id, classes, split, kind.name))
        if {entry.category for entry in entries} == {DEFAULT}:
            # A collection of chairs is one that says nothing: scenes are not named after them.
            return tuple(replace(entry, category="") for entry in entries)
        return tuple(entries)

    def _category(self, meta: Mapping[str, str]) -> Category:
        """The category that meta.json, the card or the recipe says."""
        return self.categories.of(meta.get("model_cat") or self.card.category)

    def digest(self, shape_id: str) -> str:
        """Content hash of the annotation's JSON and obj files, and of what PartNet-Mobility has beside them."""
        folder = self._by_id[shape_id]
        files = [*folder.glob("*.json"), *folder.glob("objs/*.obj")]
        if is_mobility(folder):
            files += [folder / URDF, folder / SEMANTICS, *folder.glob(f"{MESHES}/*"), *folder.glob("images/*")]
        return files_digest(tidy(path for path in files if path.is_file()), folder)

    def load(self, shape_id: str) -> Shape:
        """One annotation, normalised. Raises ShapeError or MeshLoadError naming the file."""
        folder = self._by_id.get(shape_id)
        if folder is None:
            raise ShapeError(f"{shape_id}: no such shape in {self.root}; see its folder names")
        tree = read_tree(folder)
        meta = _meta(folder)
        category = self._category(meta)
        reading = Reading(folder, self.keep)
        parts, warnings = read_parts(reading, tree, category)
        joints, told = object_joints(folder, tree, parts)
        if not (folder / "meta.json").is_file():
            warnings = (*warnings, f"meta.json missing, the folder's name stands for model_id: {shape_id}")
        shape = Shape(
            shape_id=shape_id,
            source=self.name,
            parts=parts,
            model_id=meta.get("model_id") or shape_id,
            category=category.name if category.name != OTHER else meta.get("model_cat", OTHER).lower(),
            licence=self.licence,
            provenance=f"{self.name}/{shape_id}",
            warnings=(*tree.warnings, *warnings, *told),
            palette=reading.palette,
            joints=joints,
            source_mm=MILLIMETRES.get(self.card.units, 0.0),
        )
        return shape.transformed(T_INSIDE_FROM_PUBLISHED).normalised()


def _leaf_classes(folder: Path, category: Category) -> tuple[str, ...]:
    try:
        return tuple(sorted(part_class(leaf.path, category) for leaf in read_tree(folder).leaves))
    except ShapeError:
        return ()
