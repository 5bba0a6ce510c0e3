"""Point clouds with labels of points: Anomaly-ShapeNet's tree or Real3D-AD's, a class for each normal shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import ClassVar

import numpy as np

from datagen.core.errors import BrokenFile
from datagen.core.rng import stream
from datagen.core.shape import Mesh
from datagen.export.clouds import pcd_bytes, read_pcd, seen_from, table_bytes, telling_eye
from datagen.export.counts import Counts, Exported
from datagen.export.files import put, write_card
from datagen.export.journal import Note
from datagen.export.mvtec3d import SHAPES
from datagen.export.protocol import Options
from datagen.export.settings import Setting
from datagen.formats.instances import Record
from datagen.formats.solids import Compared, Solid
from datagen.geometry.proximity import closest
from datagen.geometry.sample import sample_surface
from datagen.store.reader import DatasetReader

NEAR_GONE = 0.02
"""Where something is missing, points within this share of the normal thing's diagonal of its place are marked."""
LEAST = 0.01
"""So many of an anomalous cloud's points are marked at least, the nearest: the cut face of a thin bar holds none."""


@dataclass(frozen=True)
class Form:
    """What the two published trees call things. `normal` is a word by which readers know a normal cloud."""

    above: str
    truth: str
    normal: str
    comma: str


FORMS = {
    "anomaly-shapenet": Form("pcd/", "GT", "positive_good", ","),
    "real3d-ad": Form("", "gt", "good", " "),
}


class Points:
    """The exporter. Clouds are sampled evenly from the surfaces, so none holds what a mesh's vertices would tell."""

    name = "points"
    about = "Point clouds with a label for each point, in the tree of Anomaly-ShapeNet or of Real3D-AD."
    needs = frozenset({"mesh"})
    settings: ClassVar = {
        "form": Setting("anomaly-shapenet", "whose tree", tuple(FORMS)),
        "points": Setting(8192, "points of a cloud"),
        "templates": Setting(4, "normal clouds to train on, of each shape"),
        "partial": Setting(False, "test clouds hold what one reference view sees"),
        "shapes": SHAPES,
    }

    def write(self, reader: DatasetReader, rows: Sequence[Record], out: Path, options: Options) -> Exported:
        """Clouds and labels, shape by shape. Raises UsageError without the build's shapes, BrokenFile, OSError."""
        form, journal = FORMS[options.settings["form"]], options.journal
        for thing in options.solids(reader, rows):
            folder, templates = out / form.above / thing.name, options.settings["templates"]
            for k in range(templates):
                cloud, _ = _cloud(thing, thing.normal, options, "template", k, whole=True)
                put(pcd_bytes(cloud), folder / "train" / f"{thing.name}_template{k}.pcd")
            normal = repeat(thing.normal, max(1, len(thing.anomalous)))
            marks, tests = [], 0
            for k, solid in enumerate(chain(normal, thing.anomalous)):
                tests += 1
                odd = solid is not thing.normal
                cloud, marked = _cloud(thing, solid, options, "test", k, whole=not options.settings["partial"])
                stem = f"{thing.name}_{solid.kind if odd else form.normal}{k:02d}"
                stem += "_cut" if options.settings["partial"] else ""
                put(pcd_bytes(cloud), folder / "test" / f"{stem}.pcd")
                if odd:
                    put(table_bytes(cloud, marked, form.comma), folder / form.truth / f"{stem}.txt")
                    marks.append((solid.kind, int(marked.sum())))
            journal.note(
                Note(thing.name, "train", pictures=templates),
                Note(f"{thing.name} test", "test", len(marks), tuple(marks), tests),
            )
        write_card(reader, out)
        return journal.counts.exported()

    def read_back(self, out: Path) -> Exported:
        """Counts of an export as its files state them; every cloud is read. Raises BrokenFile."""
        counts = Counts()
        form = FORMS["anomaly-shapenet" if (out / "pcd").is_dir() else "real3d-ad"]
        for path in sorted((out / form.above).glob("*/*/*.pcd")):
            kind, marked = path.stem.removeprefix(f"{path.parts[-3]}_").removesuffix("_cut")[:-2], 0
            odd = path.parts[-2] == "test" and kind != form.normal
            table = path.parents[1] / form.truth / f"{path.stem}.txt"
            try:
                count = len(read_pcd(path.read_bytes()))
                if odd:
                    labels = np.loadtxt(table, delimiter=form.comma, ndmin=2)[:, 3]
                    if len(labels) != count:
                        raise ValueError(f"{count} points and {len(labels)} labels")
                    marked = int(labels.sum())
            except (OSError, ValueError, IndexError) as error:
                raise BrokenFile(f"{path}: {error}; export the dataset again") from error
            counts.add(path.parts[-2], int(odd), [(kind, marked)] if odd else [])
        return counts.exported()


def _cloud(
    thing: Compared, solid: Solid, options: Options, word: str, number: int, whole: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) float32 of a solid and which of them are marked (N,) bool; drawn by a stream of their own."""
    rng = stream(0, "cloud", thing.name, solid.name, word, number)
    count = options.settings["points"]
    points, faces = sample_surface(solid.mesh, count, rng)
    if not whole:
        eye = telling_eye(solid.mesh, points[_marked(thing, solid, points, faces)], rng)
        points, faces = seen_from(solid.mesh, eye, count, rng)
    return points.astype(np.float32), _marked(thing, solid, points, faces)


def _marked(thing: Compared, solid: Solid, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Points (N,) bool of changed faces; of few or none, and where something is gone, also those about that place."""
    marked: np.ndarray = solid.changed[faces]
    if solid is thing.normal or marked.mean() >= LEAST:
        return marked
    place = solid.gone
    if place is None:
        place = Mesh(solid.mesh.vertices, solid.mesh.faces[solid.changed])
    near = closest(place, points)[1]
    limit = float(np.sort(near)[int(LEAST * len(near))])
    if solid.gone is not None:
        limit = max(limit, NEAR_GONE * thing.normal.mesh.diagonal)
    return marked | (near <= limit)
