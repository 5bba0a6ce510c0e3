"""Cushions are upholstered, boards may be anything."""

from datagen.core.rng import stream
from datagen.materials.assign import assign
from datagen.materials.procedural.library import ProceduralLibrary
from datagen.recipe.materials import MaterialSettings
from datagen.shapes.collections import open_collection

LIBRARY = ProceduralLibrary(0)


def seat_classes(shape) -> set[str]:
    of = {m.material_id: m.material_class for m in LIBRARY.materials}
    seats = {p.part_id for p in shape.parts if p.part_class == "SeatSurface"}
    found = set()
    for seed in range(30):
        dress = assign(shape, LIBRARY, MaterialSettings(), stream(seed))
        found |= {of[p.material_id] for p in dress.parts if p.part_id in seats}
    return found


def test_only_boards_are_made_of_wood():
    source = open_collection("partnet/chair")
    for entry in source.entries():
        shape = source.load(entry.shape_id)
        seats = [p.mesh.extents.min() for p in shape.parts if p.part_class == "SeatSurface"]
        if seats and max(seats) > 0.11:
            assert seat_classes(shape) <= {"fabric", "leather"}, entry.shape_id
            break
    else:
        raise AssertionError("no built-in chair has a cushion")
    boards = [s for s in map(source.load, ("1003", "1009")) if max(p.mesh.extents.min() for p in s.parts) < 0.11]
    assert any("wood" in seat_classes(shape) for shape in boards or [source.load("1009")])
