"""Any folder of meshes with their textures kept: Toys4K's category/instance, ABC's files, GLBs, scans.

A shape is a mesh file, a folder that holds one, or what a MuJoCo XML or URDF places; a first level of folders above
names the category. Parts are objects or groups, else connected components, else convex segments.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from datagen.core.clutter import is_clutter, real
from datagen.core.errors import MeshLoadError, ShapeError, UsageError
from datagen.core.shape import Mesh, Part, Shape
from datagen.geometry.proximity import nearest_faces
from datagen.geometry.refine import skin_at
from datagen.geometry.segments import component_labels, convex_segments
from datagen.meshfiles.blend import images_named
from datagen.meshfiles.load import GLTF_SUFFIXES, MESH_SUFFIXES, files_named
from datagen.meshfiles.values import NEXT_STEP
from datagen.shapes.card import Carded, CollectionCard, read_card
from datagen.shapes.files import files_digest, shape_cache
from datagen.shapes.layout import distinct_objects, folders, reach, telling_parts
from datagen.shapes.looks import TexturedPiece, load_textured
from datagen.shapes.orient import T_up
from datagen.shapes.partnet_tree import refuse_buried, refuse_mobility
from datagen.shapes.passed_over import passed_over
from datagen.shapes.placed_looks import PlacedLooks, load_placed, turned_skin
from datagen.shapes.placing import left_out
from datagen.shapes.plans import PlannedShape, find_plans, is_plan, plan_files
from datagen.shapes.source import ShapeEntry, natural_key

BLEND = ".blend"
BLEND_TIMEOUT_S = 300


@dataclass(frozen=True)
class ThingFile:
    """One shape of a folder: a mesh file, or a plan (MJCF, URDF) with the mesh files that it names."""

    shape_id: str
    category: str
    path: Path
    planned: tuple[Path, ...] | None = None
    idle: tuple[Path, ...] = ()
    """Mesh files beside a plan that it does not place."""


@dataclass(frozen=True)
class TexturedSource(Carded):
    """The source protocol over a folder (or file) of meshes."""

    root: Path
    things: tuple[ThingFile, ...]
    card: CollectionCard

    @cached_property
    def _by_id(self) -> Mapping[str, ThingFile]:
        return {thing.shape_id: thing for thing in self.things}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Mesh files of the folder that are no shape's."""
        return passed_over(self.root, (path for thing in self.things for path in (*self._files(thing), *thing.idle)))

    def _files(self, thing: ThingFile) -> list[Path]:
        """The file of a shape, or the XMLs and the mesh files that make one."""
        return [thing.path] if thing.planned is None else [*plan_files(thing.path, self.folder), *thing.planned]

    def entries(self) -> tuple[ShapeEntry, ...]:
        """Every shape, in natural order; nothing is read."""
        return tuple(ShapeEntry(t.shape_id, t.shape_id, (), category=t.category) for t in self.things)

    def digest(self, shape_id: str) -> str:
        """Content hash of the mesh file (and the XMLs that place it) and of every file that it names."""
        thing = self._by_id[shape_id]
        paths = self._files(thing)
        if thing.path.suffix.lower() == BLEND:
            paths += images_named(thing.path)
        meshes = [path for path in dict.fromkeys(paths) if path.suffix.lower() in MESH_SUFFIXES]
        named = [other for path in meshes for other in files_named(path, reach(self.root))]
        return files_digest([*paths, *named], thing.path.parent)

    def load(self, shape_id: str) -> Shape:
        """One shape, z up, standing, normalised, in its own materials. Raises ShapeError, MeshLoadError,
        MissingDependency naming the file."""
        thing = self._by_id.get(shape_id)
        if thing is None:
            raise ShapeError(f"{shape_id}: no such shape in {self.root}")
        idle = (left_out(thing.path, "what it does not place", [p.name for p in thing.idle]),) if thing.idle else ()
        looks, natural_up = self._looks(thing)
        up, pieces = self.card.up or natural_up, looks.pieces
        T = T_up(up) @ looks.T_plan_pieces
        palette = {m.material_id: m for piece in pieces for m in piece.materials}
        parts = [
            replace(part, mesh=part.mesh.transformed(T), skin=turned_skin(part.skin, T)) for part in _parts(pieces)
        ]
        return Shape(
            shape_id,
            self.name,
            tuple(parts),
            model_id=shape_id,
            category=thing.category,
            licence=self.licence,
            provenance=f"{self.name}/{shape_id}",
            warnings=(*idle, *looks.warnings),
            T_shape_source=tuple(map(tuple, T_up(up).tolist())),
            palette=palette,
        ).normalised()

    def _looks(self, thing: ThingFile) -> tuple[PlacedLooks, str]:
        """Pieces in the source's frame, and the axis that points up there."""
        if thing.planned is not None:
            return load_placed(thing.path, self.folder), "z"
        path = blend_as_glb(thing.path) if thing.path.suffix.lower() == BLEND else thing.path
        pieces, warnings = load_textured(path, reach(self.root) if path == thing.path else None)
        return PlacedLooks(pieces, np.eye(4), warnings), _up(path)


def _up(path: Path) -> str:
    """+Y for glTF and OBJ, +Z for the rest, and for URDF's OBJs."""
    if path.suffix.lower() in GLTF_SUFFIXES:
        return "y"
    return "z" if path.suffix.lower() != ".obj" or any(path.parent.glob("*.urdf")) else "y"


def recognise_things(path: Path) -> TexturedSource | None:
    """A source if a path is or holds mesh files, else None. Raises UsageError on a broken collection.json."""
    root = path if path.is_dir() else path.parent
    things = find_things(path)
    return TexturedSource(path, things, read_card(root, root.name or "things")) if things else None


def find_things(path: Path) -> tuple[ThingFile, ...]:
    """Every shape at a path, in natural order of ids."""
    if is_plan(path):
        return (ThingFile(path.stem, _word(path.stem), path, ()),)
    if path.is_file():
        known = path.suffix.lower() in (*MESH_SUFFIXES, BLEND)
        return (ThingFile(path.stem, _word(path.stem), path),) if known else ()
    plans = find_plans(path)
    taken = frozenset[Path]().union(*(plan.taken for plan in plans))
    found = {thing.shape_id: thing for thing in map(_planned, plans)}
    for folder in folders(path):
        refuse_mobility(folder)
        refuse_buried(folder)
        meshes = _meshes(folder, taken)
        words = telling_parts(folder, path)
        for mesh in meshes:
            named = [*words, *([mesh.stem] if len(meshes) > 1 or not words else [])]
            shape_id = "/".join(named)
            category = named[0] if len(named) > 1 else _word(named[0])
            if shape_id in found:
                raise UsageError(
                    f"{path}: {mesh} and {found[shape_id].path} would both be the shape {shape_id}; rename one of them"
                )
            found[shape_id] = ThingFile(shape_id, category, mesh)
    return tuple(sorted(found.values(), key=lambda t: natural_key(t.shape_id)))


def _planned(plan: PlannedShape) -> ThingFile:
    category = plan.words[0] if len(plan.words) > 1 else _word(plan.words[0])
    return ThingFile("/".join(plan.words), category, plan.path, plan.files, plan.idle)


def _meshes(folder: Path, taken: frozenset[Path]) -> list[Path]:
    """Mesh files of a folder, twins in several formats dropped; a .blend counts where nothing else does."""
    paths = sorted(path for path in folder.iterdir() if not is_clutter(path.name) and path.is_file())
    paths = [path for path in paths if not taken or real(path) not in taken]
    # Convex pieces for physics engines are no shapes.
    paths = [p for p in paths if not re.search(r"(_vhacd|_coacd|collision|_convex)", p.stem.lower())]
    meshes = list(distinct_objects(paths))
    known = {p.stem for p in meshes}
    return meshes + [p for p in paths if p.suffix.lower() == BLEND and p.stem not in known and not meshes]


def _word(name: str) -> str:
    """A category from a name: `car_01` is car."""
    return re.sub(r"[-_ ]*\d+$", "", name.lower()) or name.lower()


def blend_as_glb(path: Path) -> Path:
    """A .blend's meshes with their textures as GLB in the cache, by Blender in a process of its own.

    Scripts in the file are never run. Raises MeshLoadError.
    """
    if not path.is_file():
        raise MeshLoadError(f"{path}: the file is missing; restore it or take the shape out")
    digest = files_digest([path, *images_named(path)], path.parent)
    target = shape_cache() / digest[:2] / f"{digest}.glb"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "shape.glb"
        command = [sys.executable, "-m", "datagen.render.blender.blendfile", str(path), str(made)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=BLEND_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise MeshLoadError(f"{path}: Blender did not open it in {BLEND_TIMEOUT_S} s; {NEXT_STEP}") from error
        if done.returncode or not made.is_file():
            why = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise MeshLoadError(f"{path}: Blender cannot export it ({why}); {NEXT_STEP}")
        made.replace(target)
    return target


def _parts(pieces: list[TexturedPiece]) -> list[Part]:
    """Named pieces as parts; a single one is cut into components, else into convex segments."""
    if len(pieces) > 1:
        return [
            Part(k + 1, p.name, p.name, "Other", p.mesh, p.name if p.skin is None else "", p.skin)
            for k, p in enumerate(pieces)
        ]
    (piece,) = pieces
    labels = component_labels(_unit(piece.mesh))
    if labels.max() > 0:
        return [_subset(piece, labels == k, k) for k in range(int(labels.max()) + 1) if (labels == k).any()]
    segments = convex_segments(_unit(piece.mesh))
    if not segments:
        return [Part(1, piece.name, piece.name, "Other", piece.mesh, "body", piece.skin)]
    back = _unit_transform(piece.mesh)
    return [_segment(piece, mesh.transformed(np.linalg.inv(back)), k) for k, mesh in enumerate(segments)]


def _subset(piece: TexturedPiece, mask: np.ndarray, k: int) -> Part:
    used, inverse = np.unique(piece.mesh.faces[mask], return_inverse=True)
    mesh = Mesh(piece.mesh.vertices[used], inverse.reshape(-1, 3))
    skin = None if piece.skin is None else piece.skin.of(mask)
    return Part(k + 1, f"component_{k + 1}", f"component_{k + 1}", "Other", mesh, "body" if skin is None else "", skin)


def _unit_transform(mesh: Mesh) -> np.ndarray:
    """To a bounding box of diagonal 2 about the origin: tolerances are in such units."""
    T = np.eye(4)
    scale = 2.0 / max(mesh.diagonal, 1e-12)
    T[:3, :3] *= scale
    T[:3, 3] = -scale * mesh.centre
    return T


def _unit(mesh: Mesh) -> Mesh:
    return mesh.transformed(_unit_transform(mesh))


def _segment(piece: TexturedPiece, mesh: Mesh, k: int) -> Part:
    skin = piece.skin
    if skin is not None:
        source = nearest_faces(piece.mesh, mesh.triangles.mean(axis=1))
        skin = skin_at(piece.mesh, skin, source, mesh.triangles)
    return Part(k + 1, f"segment_{k + 1}", f"segment_{k + 1}", "Other", mesh, "body" if skin is None else "", skin)
