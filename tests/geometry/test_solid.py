"""The repair chain on shapes known by hand, and on what broke it once."""

import numpy as np
import pytest

from datagen.core.shape import Mesh
from datagen.geometry.solid import solidify_part, to_manifold
from tests.conftest import box


def test_a_box_is_a_solid_either_way_round():
    whole = box((1, 2, 3))
    for mesh in (whole, Mesh(whole.vertices, whole.faces[:, ::-1])):
        assert to_manifold(mesh).volume() == pytest.approx(6)
    assert solidify_part(whole).method == "direct"


def test_a_solid_without_volume_is_none():
    """Once turned over and over for ever: no way round has a positive volume."""
    flat = box((1, 1, 1))
    mesh = Mesh(flat.vertices * [1, 1, 0] + [1e30, 0, 0], flat.faces)
    assert to_manifold(mesh) is None


@pytest.mark.parametrize("missing", [2, 4])
def test_open_boxes_are_closed(missing):
    whole = box((1, 1, 1))
    solid = solidify_part(Mesh(whole.vertices, whole.faces[:-missing]))
    assert solid is not None and solid.volume > 0.01


def test_a_sheet_gets_a_thickness():
    sheet = Mesh(np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    doubled = Mesh(sheet.vertices, np.concatenate([sheet.faces, sheet.faces[:, ::-1]]))
    for mesh in (sheet, doubled):
        solid = solidify_part(mesh)
        assert solid.method == "solidified" and solid.volume == pytest.approx(0.012, rel=0.01)


def test_an_odd_number_of_half_edges_never_reaches_manifold3d():
    """Nine faces over eight corners, five edges open: manifold3d 3.5.4 dies of it."""
    faces = np.array(
        [[0, 1, 2], [0, 2, 3], [4, 6, 5], [4, 7, 6], [0, 4, 1], [1, 4, 5], [1, 5, 2], [2, 5, 6], [2, 6, 3]]
    )
    vertices = np.array([[x, y, z] for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)
    assert to_manifold(Mesh(vertices, faces)) is None
