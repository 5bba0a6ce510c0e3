"""The parts of one object in PartNet's layout, or in PartNet-Mobility's: meshes by tree, looks, joints."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datagen.core.clutter import tidy
from datagen.core.errors import MeshLoadError, ShapeError
from datagen.core.joint import Joint
from datagen.core.material import Material
from datagen.core.shape import REMAINDER_PATH, Mesh, Part, Skin, concatenate
from datagen.geometry.refine import joined_skins
from datagen.meshfiles import obj
from datagen.meshfiles.load import MESH_SUFFIXES
from datagen.meshfiles.values import bad, checked, used_only
from datagen.recipe.category import Category
from datagen.shapes.looks import load_textured
from datagen.shapes.mobility import MESHES, joints_of, read_joints
from datagen.shapes.partnet_tree import PartTree, is_mobility
from datagen.shapes.semantics import is_unknown, part_class
from datagen.shapes.source import natural_key

_OBJ_NAME = re.compile(r"(new|original)-\d+\.obj")


@dataclass(frozen=True)
class Reading:
    """The meshes of one folder, with their looks where they are kept; `palette` fills as they are read."""

    folder: Path
    keep: bool
    palette: dict[str, Material] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """Where the meshes lie."""
        return self.folder / (MESHES if is_mobility(self.folder) else "objs")

    def read(self, stems: Sequence[str], warnings: list[str]) -> tuple[Mesh, Skin | None] | None:
        """The meshes of some stems as one, None where none has a face. Raises MeshLoadError."""
        if not (self.keep and is_mobility(self.folder)):
            meshes = _read_objs(self.home, stems, warnings)
            return (concatenate(meshes), None) if meshes else None
        pieces: list[tuple[Mesh, Skin | None]] = []
        for stem in stems:
            found, told = load_textured(self.home / f"{stem}.obj", self.folder)
            warnings += told
            pieces += [(piece.mesh, piece.skin) for piece in found]
            self.palette.update({m.material_id: m for piece in found for m in piece.materials})
        return joined_skins(pieces) if pieces else None


def read_parts(reading: Reading, tree: PartTree, category: Category) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Parts in the source frame, and what was skipped. Raises MeshLoadError, ShapeError."""
    parts: list[Part] = []
    unknown = dict.fromkeys(leaf.path for leaf in tree.leaves if is_unknown(leaf.path, category))
    warnings = [f"label that {category.name} does not know taken as Other: {path}" for path in unknown]
    for leaf in tree.leaves:
        found = reading.read(leaf.objs, warnings)
        if found is not None:
            mesh, skin = found
            label = part_class(leaf.path, category)
            parts.append(Part(leaf.node_id + 1, leaf.name, leaf.path, label, mesh, leaf.path, skin))
        else:
            warnings.append(f"part without a face skipped: {leaf.path}")
    unnamed, strange = _unnamed(reading.home, tree)
    warnings += [f"obj that no node names left out: {name}" for name in strange]
    rest = reading.read((*tree.leftovers, *unnamed), warnings)
    if rest is not None:
        next_id = max((leaf.node_id for leaf in tree.leaves), default=0) + 2
        parts.append(Part(next_id, "remainder", REMAINDER_PATH, "Other", rest[0], skin=rest[1]))
    if not parts:
        raise ShapeError(f"{reading.folder}: no part has a face; fetch the shape again")
    return tuple(parts), tuple(warnings)


def object_joints(folder: Path, tree: PartTree, parts: Sequence[Part]) -> tuple[tuple[Joint, ...], tuple[str, ...]]:
    """How parts move where the folder is PartNet-Mobility's, in the source frame, and warnings.

    `parts` are those of the folder, in the same frame. Raises ShapeError naming what of the URDF cannot be read.
    """
    if not is_mobility(folder):
        return (), ()
    read, warnings = read_joints(folder)
    bounds = np.array([part.mesh.bounds for part in parts])
    size = float(np.linalg.norm(bounds[:, 1].max(axis=0) - bounds[:, 0].min(axis=0)))
    joints, told = joints_of({leaf.node_id + 1: leaf for leaf in tree.leaves}, read, size)
    return joints, (*warnings, *told)


def _unnamed(objs: Path, tree: PartTree) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Meshes of a folder that no node names: stems of PartNet's own, and file names of others.

    The first are kept, so that the rendered chair is whole.
    """
    named = {f"{stem}.obj" for stem in (*tree.leftovers, *(obj for leaf in tree.leaves for obj in leaf.objs))}
    found = [p.name for p in tidy(objs.iterdir()) if p.suffix.lower() in MESH_SUFFIXES] if objs.is_dir() else []
    rest = sorted(set(found) - named, key=natural_key)
    kept = tuple(name.removesuffix(".obj") for name in rest if _OBJ_NAME.fullmatch(name))
    return kept, tuple(name for name in rest if not _OBJ_NAME.fullmatch(name))


def _read_objs(home: Path, stems: Sequence[str], warnings: list[str]) -> list[Mesh]:
    meshes = []
    for stem in stems:
        path = home / f"{stem}.obj"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise MeshLoadError(
                f"{path}: {error.strerror}; fetch the shape again or --skip {home.parent.name}"
            ) from error
        shape = obj.geometry(obj.read_text(data, path))
        if len(shape.faces):
            meshes.append(checked(path, stem, *used_only(shape.vertices, shape.faces)))
            continue
        if not data.rstrip(b" \t\r\n") or not data.endswith((b"\n", b"\r")):
            # A whole file ends its last line; one cut short in its vertices has no face either.
            raise bad(path, f"it ends after {len(data)} bytes without a face: cut short", "fetch the shape again")
        warnings.append(f"obj without a face skipped: {home.name}/{stem}.obj")
    return meshes
