"""Stand-ins: closed solids of real size, PartNet's labels and layout, the same bytes each time."""

import hashlib
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import trimesh

from datagen.recipe.categories import built_in
from datagen.shapes.collections import open_collection
from datagen.shapes.semantics import known_class
from datagen.shapes.standins.collection import COUNT, GENERATORS, stand_in, write_collection

SIZES = {
    "table": ((0.35, 1.15), (0.55, 2.6)),
    "lamp": ((0.15, 3.9), (0.05, 1.7)),
    "storagefurniture": ((0.3, 2.3), (0.3, 2.0)),
    "bed": ((0.5, 2.2), (1.9, 2.5)),
    "faucet": ((0.07, 1.3), (0.1, 0.6)),
}
"""Category -> (least, most) height and (least, most) widest horizontal extent, in metres."""


@pytest.mark.parametrize("category", GENERATORS)
def test_families_are_closed_solids_of_real_size_that_hang_together(category):
    families = tuple(GENERATORS[category].families)
    assert len(families) >= 4
    (low, high), (narrow, wide) = SIZES[category]
    for number in range(2 * len(families)):
        family, pieces = stand_in(category, number)
        bounds = np.array([piece.mesh.bounds for piece in pieces])
        extent = bounds[:, 1].max(axis=0) - bounds[:, 0].min(axis=0)
        assert low < extent[1] < high and narrow < max(extent[0], extent[2]) < wide, (family, extent)
        assert bounds[:, 0, 1].min() == pytest.approx(0, abs=1e-9)
        for k, piece in enumerate(pieces):
            solid = trimesh.Trimesh(piece.mesh.vertices, piece.mesh.faces, process=False)
            assert solid.is_watertight and solid.volume > 0, (family, piece.path)
            others = np.delete(bounds, k, axis=0)
            touches = (others[:, 0] <= bounds[k, 1] + 0.002) & (others[:, 1] >= bounds[k, 0] - 0.002)
            assert touches.all(axis=1).any(), (family, piece.path)


@pytest.mark.parametrize("category", GENERATORS)
def test_labels_are_partnets_and_most_classes_are_there(category):
    known, found = built_in(category), Counter()
    for number in range(3 * len(GENERATORS[category].families)):
        for piece in stand_in(category, number)[1]:
            path = "/".join([known.first_word, *(word.partition("#")[0] for word in piece.path.split("/"))])
            part_class = known_class(path, known)
            assert part_class is not None, path
            found[part_class] += 1
    assert set(known.classes) - set(found) <= {"Other"}, set(known.classes) - set(found)


@pytest.mark.parametrize("category", GENERATORS)
def test_a_collection_is_opened_by_name_and_reads_without_warnings(category):
    source = open_collection(f"partnet/{category}")
    entries = source.entries()
    assert len(entries) == COUNT and {entry.category for entry in entries} == {category} and source.stand_in
    for entry in entries[: len(GENERATORS[category].families)]:
        shape = source.load(entry.shape_id)
        assert shape.category == category and shape.warnings == ()
        assert tuple(sorted(part.part_class for part in shape.parts)) == entry.part_classes


def test_another_machine_makes_them_for_itself(tmp_path, monkeypatch):
    source = open_collection("partnet/faucet")
    first = source.entries()[0].shape_id
    packed = pickle.dumps(source)
    monkeypatch.setenv("DATAGEN_CACHE", str(tmp_path))
    there = pickle.loads(packed)
    assert there.digest(first) == source.digest(first)
    assert there.root.is_relative_to(tmp_path) and there.root != source.root


def digest(folder: Path) -> str:
    """Of names and bytes of all files below a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def test_the_same_bytes_are_written_again(tmp_path):
    assert write_collection(tmp_path / "a", "faucet", 3) == ("6001", "6002", "6003")
    write_collection(tmp_path / "b", "faucet", 3)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    names = {path.name for path in (tmp_path / "a" / "6001").iterdir()}
    assert names == {"meta.json", "result.json", "result_after_merging.json", "objs"}
