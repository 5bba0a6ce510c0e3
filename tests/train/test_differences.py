"""What differs, in a sentence: names of parts, and which of them a change map covers."""

import numpy as np
import pytest

from datagen.core.shape import Mesh, Part
from datagen.train.tasks.matching.differences import SeenPart, have_names, named, sentence


def part(number, name, middle):
    box = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.05 + middle
    faces = np.array([[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]])
    return Part(number, name, name, "Leg", Mesh(box, faces))


def test_namesakes_are_told_apart_by_the_objects_own_sides():
    """The object faces -y with z up, so its own left is +x."""
    corners = [(1, 1), (-1, 1), (1, -1), (-1, -1)]
    legs = [part(k, "chair_leg", (0.4 * x, 0.4 * y, 0.0)) for k, (x, y) in enumerate(corners, 1)]
    bars = [part(5, "bar", (0, 0, 0.3)), part(6, "bar", (0, 0, 0.9)), part(7, "seat", (0, 0, 0.5))]
    assert [seen.name for seen in named([*legs, *bars])] == [
        *("left rear chair leg", "right rear chair leg", "left front chair leg", "right front chair leg"),
        *("lower bar", "upper bar", "seat"),
    ]


def test_namesakes_in_one_place_have_numbers():
    assert [seen.name for seen in named([part(1, "knob", (0, 0, 0)), part(2, "knob", (0, 0, 0))])] == [
        "knob 1",
        "knob 2",
    ]


def test_numbers_are_no_names():
    assert not have_names(
        [part(1, "component_1", (0, 0, 0)), part(2, "component_2", (0, 0, 1)), part(3, "", (1, 0, 0))]
    )
    assert have_names([part(1, "component_1", (0, 0, 0)), part(2, "bracket", (0, 0, 1))])


PARTS = [SeenPart(1, "seat"), SeenPart(2, "left rear leg")]
IDS = np.zeros((64, 64), dtype=np.int32)
IDS[10:30, 10:50], IDS[30:60, 12:18] = 1, 2


@pytest.mark.parametrize(
    ("rows", "columns", "ground", "said"),
    [
        ((32, 58), (12, 18), False, "left rear leg: not where the reference has it"),
        ((32, 58), (12, 18), True, "left rear leg: nothing is where the reference has it"),
        ((12, 18), (12, 24), False, "seat: differs from the reference in a part of it"),
        ((40, 60), (40, 60), False, "something is there that the reference does not have, near the seat"),
        ((0, 1), (0, 1), False, "nothing in particular: the difference is spread thinly"),
    ],
)
def test_a_sentence_names_the_part_that_the_map_covers(rows, columns, ground, said):
    change = np.zeros((64, 64))
    change[slice(*rows), slice(*columns)] = 0.9
    assert sentence(change, IDS, PARTS, np.full((64, 64), ground)) == said


def test_a_faint_map_names_its_strongest_part():
    change = np.zeros((64, 64))
    change[32:58, 12:18], change[10:30, 10:50] = 0.3, 0.1
    assert sentence(change, IDS, PARTS, np.zeros((64, 64), bool)).startswith("left rear leg")
