"""PartNet's layout on disk as a source: `<root>/<anno_id>/`, flat data_v0, or one annotation's folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from datagen.core.clutter import check_name, is_clutter, tidy
from datagen.core.errors import MeshLoadError, ShapeError
from datagen.core.shape import REMAINDER_PATH, T_INSIDE_FROM_PUBLISHED, Mesh, Part, Shape, concatenate
from datagen.meshfiles import obj
from datagen.meshfiles.load import MESH_SUFFIXES
from datagen.meshfiles.values import bad, checked, used_only
from datagen.recipe.category import DEFAULT, OTHER, Categories, Category
from datagen.shapes.card import PARTNET_LICENCE, Carded, CollectionCard, folder_licence, read_card
from datagen.shapes.files import files_digest
from datagen.shapes.partnet_tree import (
    PartTree,
    is_mobility,
    read_json,
    read_splits,
    read_tree,
    refuse_mobility,
    tree_path,
)
from datagen.shapes.passed_over import passed_over
from datagen.shapes.semantics import is_unknown, part_class
from datagen.shapes.source import ShapeEntry, natural_key

_SHAPENET_ID = re.compile(r"[0-9a-f]{16,64}|u[0-9a-f]{8}-[0-9a-f-]{8,}")
_OBJ_NAME = re.compile(r"(new|original)-\d+\.obj")


EVERY = "*"
"""In place of a category: all of them."""


def recognise_partnet(path: Path, categories: Categories, category: str | None = None) -> "PartNetSource | None":
    """A source if `path` is an annotation's folder or holds some (of `category`, if given), else None.

    A plain path to a mixed flat download gives the chairs; other categories are left out. EVERY gives them all.
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
    licence = PARTNET_LICENCE if _looks_original(folders[0]) else folder_licence(root)
    others = tuple(folder for folder in every if folder not in folders) if category is None else ()
    card, searched = read_card(root, "partnet", licence), category is None and root == path
    return PartNetSource(root, folders, card, categories, others, searched)


def _is_shape(folder: Path) -> bool:
    # A folder with objs/ but no tree is a damaged download: keep it, so that load() can say so.
    return (
        tree_path(folder) is not None
        or is_mobility(folder)
        or ((folder / "objs").is_dir() and (folder / "meta.json").is_file())
    )


def _of_category(folders: tuple[Path, ...], category: str | None) -> tuple[Path, ...]:
    categories = {folder: _meta(folder).get("model_cat", "").lower() for folder in folders}
    if category is None and len(set(categories.values()) - {""}) > 1 and "chair" in categories.values():
        category = "chair"
    if category in (None, EVERY):
        return folders
    assert category is not None
    return tuple(folder for folder in folders if categories[folder] in ("", category.lower()))


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
    """Annotations that were left out without being asked to."""
    searched: bool = False
    """Whether `root` was given, and not one annotation in it or a category of a download."""

    @cached_property
    def _by_id(self) -> dict[str, Path]:
        return {path.name: path for path in sorted(self.folders, key=lambda p: natural_key(p.name))}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Meshes beside the annotations, and annotations of other categories that a plain path leaves out."""
        others = tuple(f"annotation of another category left out: {folder.name}" for folder in self.others)
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
        """Content hash of the annotation's JSON and obj files, read as bytes."""
        folder = self._by_id[shape_id]
        return files_digest(tidy([*folder.glob("*.json"), *folder.glob("objs/*.obj")]), folder)

    def load(self, shape_id: str) -> Shape:
        """One annotation, normalised. Raises ShapeError or MeshLoadError naming the file."""
        folder = self._by_id.get(shape_id)
        if folder is None:
            raise ShapeError(f"{shape_id}: no such shape in {self.root}; see its folder names")
        refuse_mobility(folder)
        tree = read_tree(folder)
        meta = _meta(folder)
        category = self._category(meta)
        parts, warnings = _read_parts(folder, tree, category)
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
            warnings=(*tree.warnings, *warnings),
        )
        return shape.transformed(T_INSIDE_FROM_PUBLISHED).normalised()


def _leaf_classes(folder: Path, category: Category) -> tuple[str, ...]:
    try:
        return tuple(sorted(part_class(leaf.path, category) for leaf in read_tree(folder).leaves))
    except ShapeError:
        return ()


def _read_parts(folder: Path, tree: PartTree, category: Category) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Parts in the source frame, and what was skipped. Raises MeshLoadError, ShapeError."""
    parts: list[Part] = []
    unknown = dict.fromkeys(leaf.path for leaf in tree.leaves if is_unknown(leaf.path, category))
    warnings = [f"label that {category.name} does not know taken as Other: {path}" for path in unknown]
    for leaf in tree.leaves:
        meshes = _read_objs(folder, leaf.objs, warnings)
        if meshes:
            label = part_class(leaf.path, category)
            parts.append(Part(leaf.node_id + 1, leaf.name, leaf.path, label, concatenate(meshes), leaf.path))
        else:
            warnings.append(f"part without a face skipped: {leaf.path}")
    unnamed, strange = _unnamed(folder, tree)
    warnings += [f"obj that no node names left out: {name}" for name in strange]
    rest = _read_objs(folder, (*tree.leftovers, *unnamed), warnings)
    if rest:
        next_id = max((leaf.node_id for leaf in tree.leaves), default=0) + 2
        parts.append(Part(next_id, "remainder", REMAINDER_PATH, "Other", concatenate(rest)))
    if not parts:
        raise ShapeError(f"{folder}: no part has a face; fetch the shape again")
    return tuple(parts), tuple(warnings)


def _unnamed(folder: Path, tree: PartTree) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Meshes in objs/ that no node names: stems of PartNet's own, and file names of others.

    The first are kept, so that the rendered chair is whole.
    """
    named = {f"{stem}.obj" for stem in (*tree.leftovers, *(obj for leaf in tree.leaves for obj in leaf.objs))}
    objs = folder / "objs"
    found = [p.name for p in tidy(objs.iterdir()) if p.suffix.lower() in MESH_SUFFIXES] if objs.is_dir() else []
    rest = sorted(set(found) - named, key=natural_key)
    kept = tuple(name.removesuffix(".obj") for name in rest if _OBJ_NAME.fullmatch(name))
    return kept, tuple(name for name in rest if not _OBJ_NAME.fullmatch(name))


def _read_objs(folder: Path, stems: tuple[str, ...], warnings: list[str]) -> list[Mesh]:
    meshes = []
    for stem in stems:
        path = folder / "objs" / f"{stem}.obj"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise MeshLoadError(f"{path}: {error.strerror}; fetch the shape again or --skip {folder.name}") from error
        shape = obj.geometry(obj.read_text(data, path))
        if len(shape.faces):
            meshes.append(checked(path, stem, *used_only(shape.vertices, shape.faces)))
            continue
        if not data.rstrip(b" \t\r\n") or not data.endswith((b"\n", b"\r")):
            # A whole file ends its last line; one cut short in its vertices has no face either.
            raise bad(path, f"it ends after {len(data)} bytes without a face: cut short", "fetch the shape again")
        warnings.append(f"obj without a face skipped: objs/{stem}.obj")
    return meshes
