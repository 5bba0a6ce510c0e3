"""The built-in chairs: solid, joined, standing, realistic, and the same bytes every time."""

import filecmp
import json
from pathlib import Path

import manifold3d
import networkx
import numpy as np
import pytest

from datagen.core.errors import UsageError
from datagen.core.folders import bundled
from datagen.core.rng import stream
from datagen.core.shape import Mesh
from datagen.recipe.categories import built_in
from datagen.shapes.collections import open_collection
from datagen.shapes.procedural import FAMILIES, chair, generate
from datagen.shapes.procedural.__main__ import main
from datagen.shapes.semantics import part_class

CHAIRS = built_in("chair")
CONTACT = 0.0025
"""Metres: 0.005 units of a unit-sphere chair."""


def solid(mesh: Mesh) -> manifold3d.Manifold:
    made = manifold3d.Mesh(
        vert_properties=np.array(mesh.vertices, dtype=np.float32),
        tri_verts=np.array(mesh.faces, dtype=np.uint32),
    )
    return manifold3d.Manifold(made)


def label(path: str) -> str:
    return "/".join(["chair", *(word.split("#")[0] for word in path.split("/"))])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_chair_is_solid_joined_and_stands(family: str) -> None:
    for k in range(3):
        made = chair(family, stream(1, "test", family, k))
        meshes = [piece.mesh for piece in made.pieces]
        solids = [solid(mesh) for mesh in meshes]
        assert all(s.status() == manifold3d.Error.NoError and s.volume() > 0 for s in solids)
        assert 5 <= len(meshes) <= 30
        assert 1500 <= sum(len(mesh.faces) for mesh in meshes) <= 12_000
        assert min(mesh.bounds[0, 1] for mesh in meshes) == pytest.approx(0, abs=1e-9)
        links = networkx.Graph()
        links.add_nodes_from(range(len(meshes)))
        for i in range(len(meshes)):
            for j in range(i):
                apart = np.maximum(meshes[i].bounds[0] - meshes[j].bounds[1], meshes[j].bounds[0] - meshes[i].bounds[1])
                if apart.max() < CONTACT and solids[i].min_gap(solids[j], 2 * CONTACT) < CONTACT:
                    links.add_edge(i, j)
        assert networkx.is_connected(links)
        assert all(label(piece.path) in CHAIRS.labels for piece in made.pieces)


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"rocking", "office", "sofa", "tulip"}))
def test_legs_reach_the_ground(family: str) -> None:
    made = chair(family, stream(2, "test", family))
    low = [piece.mesh.bounds[0, 1] for piece in made.pieces if piece.path.endswith("regular_leg_base/leg")]
    assert len(low) >= 2 and max(low) < 0.002


@pytest.mark.parametrize("family", ["dining", "slat_back", "ladder_back", "cantilever", "windsor", "folding"])
def test_side_chairs_have_human_proportions(family: str) -> None:
    made = chair(family, stream(3, "test", family))
    seats = [p.mesh for p in made.pieces if part_class(label(p.path), CHAIRS) == "SeatSurface"]
    top = max(piece.mesh.bounds[1, 1] for piece in made.pieces)
    assert 0.41 < max(mesh.bounds[1, 1] for mesh in seats) < 0.52 and 0.75 < top < 1.1


def test_part_classes_are_shared_and_complete() -> None:
    found = {
        family: {part_class(label(p.path), CHAIRS) for p in chair(family, stream(0, "test", family, k)).pieces}
        for family in FAMILIES
        for k in range(4)
    }
    assert len(FAMILIES) >= 10
    for common in ("Leg", "SeatSurface", "BackSurface", "Arm"):
        assert sum(common in classes for classes in found.values()) >= 4, common
    many = {
        part_class(label(p.path), CHAIRS)
        for f in FAMILIES
        for k in range(6)
        for p in chair(f, stream(k, "t", f)).pieces
    }
    assert many == set(CHAIRS.classes)


def test_an_unknown_family_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no family 'throne'"):
        chair("throne", stream(0))


def test_the_built_in_assets_regenerate_byte_for_byte(tmp_path: Path) -> None:
    generate(tmp_path, 24, seed=0)
    built_in = bundled("assets") / "partnet" / "chair"
    mine = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    theirs = sorted(str(path.relative_to(built_in)) for path in built_in.rglob("*") if path.is_file())
    assert mine == theirs
    assert filecmp.cmpfiles(tmp_path, built_in, mine, shallow=False)[1:] == ([], [])


def test_some_families_alone_are_the_same_chairs(tmp_path: Path) -> None:
    ids = generate(tmp_path, 24, seed=0, families=("office", "tulip"))
    assert ids == ("1005", "1013", "1018")
    built_in = bundled("assets") / "partnet" / "chair"
    for number in ids:
        mine = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / number).rglob("*") if path.is_file())
        assert filecmp.cmpfiles(tmp_path, built_in, mine, shallow=False)[1:] == ([], [])
    with pytest.raises(UsageError, match="no family 'throne'"):
        generate(tmp_path, 24, seed=0, families=("throne",))


def test_the_built_in_collection_says_what_it_is() -> None:
    source = open_collection("partnet/chair")
    assert source.stand_in and source.licence == "Apache-2.0" and source.name == "datagen-procedural"
    entries = source.entries()
    assert [e.shape_id for e in entries] == [str(k) for k in range(1001, 1025)]
    assert len({e.model_id for e in entries}) == 24
    for entry in entries[:13]:
        shape = source.load(entry.shape_id)
        assert not shape.warnings and shape.category == "chair"
        back = [p.mesh.centre for p in shape.parts if p.part_class in ("BackSurface", "BackFrame")]
        seat = [p.mesh.centre for p in shape.parts if p.part_class == "SeatSurface"]
        assert not back or np.mean(back, axis=0)[1] > np.mean(seat, axis=0)[1]


def test_quirks_are_all_there(tmp_path: Path) -> None:
    generate(tmp_path, 26, seed=0, quirks=True)
    folders = [path for path in tmp_path.iterdir() if path.is_dir()]
    trees = [json.loads((folder / "result_after_merging.json").read_text()) for folder in folders]
    assert len({tuple(tree[0]) for tree in trees}) > 3, "key order varies"
    assert any("conf_score" in (folder / "result.json").read_text() for folder in folders)
    numbers = sorted(int(path.stem.split("-")[1]) for path in (folders[0] / "objs").iterdir())
    assert numbers != list(range(1, len(numbers) + 1)), "gaps in the numbers"


@pytest.mark.parametrize("other", [{"seed": 1}, {"count": 2}, {"families": ("office",)}])
def test_a_folder_of_other_shapes_is_left_as_it_is(tmp_path, other):
    asked = {"count": 4, "seed": 0, "families": tuple(FAMILIES)}
    generate(tmp_path, **asked)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="not among the shapes asked for"):
        generate(tmp_path, **{**asked, **other})
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    generate(tmp_path, **{**asked, "count": 5})
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 5


@pytest.mark.parametrize("number", ["0", "-3"])
def test_no_chair_is_refused(tmp_path, number, capsys):
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "none"), "--count", number])
    assert "give 1 or more" in capsys.readouterr().err and not (tmp_path / "none").exists()
