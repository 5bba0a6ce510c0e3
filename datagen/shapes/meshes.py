"""A user's own meshes as shapes: part files, files with named nodes, or single meshes cut into components."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from datagen.core.clutter import real
from datagen.core.errors import MissingDependency, ShapeError, UnplacedParts
from datagen.core.shape import REMAINDER_PATH, Mesh, Part, Shape
from datagen.meshfiles.load import GLTF_SUFFIXES, MESH_SUFFIXES, STEP_SUFFIXES, files_named, read_mesh_file
from datagen.meshfiles.values import ABOUT_LOOKS, MeshFile
from datagen.recipe.categories import UNTOLD, Categories
from datagen.recipe.category import Category
from datagen.recipe.inspection import MILLIMETRES
from datagen.shapes.assembly import components, is_heap
from datagen.shapes.card import Carded, CollectionCard, read_card
from datagen.shapes.classify import class_from_name, classes_from_geometry, group_of
from datagen.shapes.files import files_digest
from datagen.shapes.layout import ShapeFiles, find_shapes, loose_parts, reach
from datagen.shapes.orient import T_front, T_up, up_from_parts
from datagen.shapes.passed_over import passed_over
from datagen.shapes.placing import left_out, placed_meshes
from datagen.shapes.plans import plan_files, read_plan
from datagen.shapes.source import ShapeEntry

LIKELY_MM = (1.0, 10_000.0)
"""Longest edge of a part whose unit is told."""
_Y_UP_SUFFIXES = (*GLTF_SUFFIXES, ".obj")


@dataclass(frozen=True)
class _Piece:
    """A loaded part before it has a class: `hints` is every name it goes by."""

    name: str
    hints: str
    mesh: Mesh
    path: str = ""


def recognise_meshes(path: Path, categories: Categories, units: str = "") -> "MeshSource | None":
    """A source if a path is or holds mesh files, else None. Raises UsageError on a broken collection.json.

    `units` is what the recipe says of them.
    """
    root = path if path.is_dir() else path.parent
    card = read_card(root, "meshes")
    category = categories.of(card.category)
    shapes = find_shapes(path, category, card.files)
    is_told = card.category not in UNTOLD or categories.own is not None
    return MeshSource(path, shapes, card, category, is_told, units) if shapes else None


@dataclass(frozen=True)
class MeshSource(Carded):
    """Shapes from plain mesh files; layout.py says which files make one shape.

    Up is +Z for MuJoCo, URDF, STL, PLY, OFF and STEP, +Y for glTF and OBJ, unless collection.json's `up` or named
    legs and seats say otherwise. The front is turned to -Y where a back and a seat tell it. Classes go by the rules
    of `category`; `is_told`: the collection or the recipe names it. STEP, glTF, MuJoCo and URDF are in metres as they
    are read; `units` of the recipe, else of collection.json, are those of other files, and of glTF that is not.
    """

    root: Path
    shapes: tuple[ShapeFiles, ...]
    card: CollectionCard
    category: Category
    is_told: bool = False
    units: str = ""

    @cached_property
    def _entries(self) -> tuple[ShapeEntry, ...]:
        said = self.category.name if self.is_told else ""
        entries = ((s.shape_id, self._classes(s.shape_id)) for s in self.shapes)
        return tuple(ShapeEntry(shape_id, shape_id, classes, category=said) for shape_id, classes in entries)

    def _category_of(self, shape_id: str) -> str:
        """What the shape is: of the category that is told, or that its name has a word of."""
        called = any(word in shape_id.lower() for word in self.category.called)
        return self.category.name if self.is_told or called else "object"

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Mesh files that are no shape's, or may be parts of one; what a plan does not place, its shape tells."""
        read = (file for shape in self.shapes for file in (*shape.files, *self._placed(shape)))
        loose = loose_parts(self.shapes, self.root) if self.card.files != "shapes" else ()
        return (*loose, *passed_over(self.root, read))

    def _placed(self, shape: ShapeFiles) -> tuple[Path, ...]:
        """The XMLs that place a shape, and the files that they name."""
        return tuple(plan_files(shape.plan, self.folder)) if shape.plan else ()

    def entries(self) -> tuple[ShapeEntry, ...]:
        """One entry a shape; unlike PartNet's, plain meshes must be read to know their parts.

        A shape that cannot be read keeps an entry without classes. Raises UnplacedParts naming the first
        folder whose parts nothing places.
        """
        return self._entries

    def _classes(self, shape_id: str) -> tuple[str, ...]:
        try:
            shape = self.load(shape_id)
        except (ShapeError, MissingDependency):
            return ()
        return tuple(sorted(part.part_class for part in shape.parts if part.path != REMAINDER_PATH))

    def digest(self, shape_id: str) -> str:
        """Content hash of the mesh files, the files that they name and the XMLs that place them, read as bytes."""
        files = next(shape for shape in self.shapes if shape.shape_id == shape_id)
        placed = self._placed(files)
        meshes = [*files.files, *(path for path in placed if path.suffix.lower() in MESH_SUFFIXES)]
        named = [other for path in dict.fromkeys(meshes) for other in files_named(path, reach(self.root))]
        return files_digest([*files.files, *placed, *named], files.folder)

    def load(self, shape_id: str) -> Shape:
        """One shape, upright, facing -Y, normalised.

        Raises ShapeError or MeshLoadError naming the file, UnplacedParts, MissingDependency for an extra.
        """
        files = next((shape for shape in self.shapes if shape.shape_id == shape_id), None)
        if files is None:
            raise ShapeError(f"{shape_id}: no such shape in {self.root}")
        pieces, up, warnings = _read(files, self.folder, self.category)
        up = self.card.up or up
        placed = [replace(piece, mesh=piece.mesh.transformed(T_up(up))) for piece in pieces]
        parts = _parts(placed, self.category)
        shape = Shape(
            shape_id,
            self.name,
            parts,
            shape_id,
            self._category_of(shape_id),
            self.licence,
            provenance=f"{self.name}/{shape_id}",
            warnings=warnings,
            T_shape_source=tuple(map(tuple, T_up(up).tolist())),
            source_mm=MILLIMETRES["m"] if files.plan else millimetres(files.files, self.units, self.card.units),
        )
        found = shape.transformed(T_front(parts, up, self.card.front, self.category.front)).normalised()
        told = (*unlikely_size(found), *parts_in_one_place(found)) if self.units else ()
        return replace(found, warnings=(*found.warnings, *told))


def unlikely_size(shape: Shape) -> tuple[str, ...]:
    """A warning where a part is longer than ten metres or shorter than a millimetre: most often a unit is wrong."""
    if not shape.mm:
        return ()
    low, high = shape.bounds
    size = (high - low) / shape.mm
    if LIKELY_MM[0] <= size.max() <= LIKELY_MM[1]:
        return ()
    told = " x ".join(f"{edge:,.4g}" for edge in size)
    return (f"unlikely size: {told} mm; if that is not meant, write the unit of its file as `units`",)


def parts_in_one_place(shape: Shape) -> tuple[str, ...]:
    """A warning for each part whose box and surface are another one's: exported twice, it hides what befalls either."""
    first: dict[tuple[float, ...], Part] = {}
    found = []
    for part in shape.parts:
        place = tuple(np.round([*part.mesh.bounds.ravel(), part.mesh.area], 4).tolist())
        twin = first.setdefault(place, part)
        if twin is not part:
            names = f"{twin.name} and {part.name}"
            found.append(f"two parts in one place, so defects of one are hidden by the other: {names}")
    return tuple(found)


def millimetres(files: Iterable[Path], recipe: str, card: str = "") -> float:
    """Millimetres of a unit of mesh files as they are read; 0 where nothing says. `recipe` and `card` are words."""
    suffixes = {path.suffix.lower() for path in files} & set(MESH_SUFFIXES)
    if suffixes and suffixes <= set(STEP_SUFFIXES):
        return MILLIMETRES["m"]
    told = MILLIMETRES.get(recipe) or MILLIMETRES.get(card)
    return told or (MILLIMETRES["m"] if suffixes and suffixes <= {*GLTF_SUFFIXES, *STEP_SUFFIXES} else 0.0)


def _read(files: ShapeFiles, collection: Path, category: Category) -> tuple[list[_Piece], str, tuple[str, ...]]:
    """Pieces in the source's frame, the axis that points up there, and warnings."""
    within = reach(collection)
    if files.plan is not None:
        return _read_placed(files, files.plan, collection)
    if len(files.files) > 1:
        return _read_part_files(files, within, category)
    path = files.files[0]
    file = read_mesh_file(path, within)
    up = "y" if path.suffix.lower() in _Y_UP_SUFFIXES else "z"
    if len(file.parts) > 1:
        pieces = [_Piece(part.name, part.name, part.mesh) for part in file.parts]
        return pieces, _up(pieces, category) or up, geometry_warnings(file.warnings)
    return _split(file.mesh), up, geometry_warnings(file.warnings)


def _read_placed(files: ShapeFiles, path: Path, collection: Path) -> tuple[list[_Piece], str, tuple[str, ...]]:
    plan = read_plan(path, collection)
    read: dict[Path, MeshFile] = {}

    def load(file: Path) -> Mesh:
        read[file] = read_mesh_file(file, reach(collection))
        return read[file].mesh

    placed, warnings = placed_meshes(plan, load)
    pieces = [_Piece(placement.name, placement.hints, mesh) for placement, mesh in placed]
    first = placed[0][0]
    if len(placed) == 1 and first.file is not None:
        # A single mesh has its parts inside it, as one that nothing places.
        inner = [_Piece(p.name, p.name, p.mesh.transformed(first.T_world_mesh)) for p in read[first.file].parts]
        pieces = inner if len(inner) > 1 else _split(inner[0].mesh)
    named = {real(file) for file in plan.named}
    idle = [file.name for file in files.files if real(file) not in named]
    told = [warning for file in read.values() for warning in geometry_warnings(file.warnings)]
    if idle:
        told.append(left_out(path, "what it does not place", idle))
    return pieces, "z", (*warnings, *told)


def _read_part_files(files: ShapeFiles, within: Path, category: Category) -> tuple[list[_Piece], str, tuple[str, ...]]:
    pieces: list[_Piece] = []
    warnings: list[str] = []
    for path in files.files:
        file = read_mesh_file(path, within)
        warnings += geometry_warnings(file.warnings)
        pieces.append(_Piece(path.stem, path.stem, file.mesh))
    if is_heap([piece.mesh for piece in pieces]):
        raise UnplacedParts(
            f"{files.folder}: its {len(pieces)} part files all lie at the origin in their own frames and "
            "nothing places them; export them in one frame, put a MuJoCo XML beside them, or, if each file is "
            'a whole shape, add a collection.json with {"files": "shapes"}'
        )
    y_up = all(path.suffix.lower() in _Y_UP_SUFFIXES for path in files.files)
    return pieces, _up(pieces, category) or ("y" if y_up else "z"), tuple(warnings)


def geometry_warnings(warnings: Iterable[str]) -> tuple[str, ...]:
    """What was left out of a file's geometry: chairs are dressed anew, so their own looks are not missed."""
    return tuple(w for w in warnings if not w.startswith(ABOUT_LOOKS))


def _split(mesh: Mesh) -> list[_Piece]:
    """A single mesh as its connected components; what is too small to matter becomes the remainder."""
    large, rest = components(mesh)
    pieces = [_Piece(f"component_{k + 1}", "", part) for k, part in enumerate(large)]
    return [*pieces, _Piece("remainder", "", rest, REMAINDER_PATH)] if rest is not None else pieces


def _up(pieces: list[_Piece], category: Category) -> str:
    named = [(class_from_name(piece.hints, category) or "", piece.mesh.centre) for piece in pieces]
    return up_from_parts(named, category.upright)


def _parts(pieces: list[_Piece], category: Category) -> tuple[Part, ...]:
    """Parts numbered from 1, z up; names decide the class, geometry where they say nothing."""
    by_shape = classes_from_geometry([piece.mesh for piece in pieces], category)
    parts = []
    for index, (piece, guess) in enumerate(zip(pieces, by_shape, strict=True)):
        if piece.path == REMAINDER_PATH:
            parts.append(Part(index + 1, piece.name, piece.path, "Other", piece.mesh))
            continue
        label = class_from_name(piece.name, category) or class_from_name(piece.hints, category) or guess
        parts.append(Part(index + 1, piece.name, piece.name, label, piece.mesh, group_of(piece.name, label)))
    return tuple(parts)
