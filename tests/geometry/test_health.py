"""Each fault of a part's surface by itself, and a sound part that has none."""

import numpy as np
import trimesh

from datagen.core.shape import Mesh, concatenate
from datagen.geometry.health import health


def of(solid):
    return Mesh(solid.vertices, solid.faces)


def wedge():
    """A closed part that no half turn lays on itself."""
    return of(trimesh.convex.convex_hull(np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1.5], [1.5, 0.2, 1.0]])))


def test_a_sound_part_has_nothing_to_tell():
    found = health(wedge())
    assert found.closed and found.words() == [] and found.pieces == 1 and found.crossing == 0


def test_each_fault_is_told():
    sound = wedge()
    assert health(Mesh(sound.vertices, sound.faces[:, ::-1])).words() == ["inside out"]
    assert health(Mesh(sound.vertices, sound.faces[:-1])).words() == ["open, 3 rim edges"]
    twice = health(Mesh(sound.vertices, np.concatenate([sound.faces, sound.faces[:2, ::-1]])))
    assert twice.doubled == 2 and twice.closed
    flat = health(Mesh(sound.vertices, np.concatenate([sound.faces, [[0, 1, 1]]])))
    assert flat.degenerate == 1
    apart = health(concatenate([sound, sound.transformed(trimesh.transformations.translation_matrix([5, 0, 0]))]))
    assert apart.pieces == 2 and "2 loose pieces" in apart.words()
    through = health(
        concatenate([sound, sound.transformed(trimesh.transformations.translation_matrix([0.3, 0.2, 0.2]))])
    )
    assert through.crossing > 0 and any("cross others" in word for word in through.words())


def test_thin_and_symmetric_parts_are_told():
    plate = health(of(trimesh.creation.box((1, 1, 0.01))))
    assert plate.thin and plate.turns == ("x", "y", "z")
    cone = health(of(trimesh.creation.cone(0.4, 1.0)))
    assert cone.turns == ("z",) and not cone.thin
