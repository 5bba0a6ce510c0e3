"""Normals that references are shaded by: round where a surface is round, flat up to a sharp edge."""

import numpy as np
import trimesh

from datagen.core.shape import Mesh
from datagen.geometry.clean import corner_normals


def mesh_of(made):
    return Mesh(np.array(made.vertices), np.array(made.faces))


def flat_normals(mesh):
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    across = np.cross(b - a, c - a)
    return across / np.linalg.norm(across, axis=1, keepdims=True)


def test_caps_of_a_cylinder_are_flat_and_its_side_is_round():
    mesh = mesh_of(trimesh.creation.cylinder(1.0, 2.0, sections=32))
    normals, flat = corner_normals(mesh), flat_normals(mesh)
    caps = np.abs(flat[:, 2]) > 0.5
    np.testing.assert_allclose(normals[caps], np.repeat(flat[caps, None], 3, axis=1), atol=1e-12)
    radial = mesh.triangles[~caps] * [1, 1, 0]
    radial /= np.linalg.norm(radial, axis=2, keepdims=True)
    assert np.einsum("fci,fci->fc", normals[~caps], radial).min() > np.cos(np.radians(3))


def test_a_plate_is_flat_though_much_smaller_faces_meet_it():
    """By area a plate outweighs the sides of a hole in it: their common mean is near the plate's normal, and not it."""
    for made in (
        trimesh.creation.annulus(0.2, 1.0, 0.1, sections=24),
        trimesh.creation.box((1.0, 2.0, 0.05)),
        trimesh.creation.icosphere(subdivisions=0),
    ):
        mesh = mesh_of(made)
        across = np.abs(flat_normals(mesh) @ [0, 0, 1]) > 0.999
        expected = np.repeat(flat_normals(mesh)[across, None], 3, axis=1)
        np.testing.assert_allclose(corner_normals(mesh)[across], expected, atol=1e-12)
    np.testing.assert_allclose(corner_normals(mesh), np.repeat(flat_normals(mesh)[:, None], 3, axis=1), atol=1e-12)


def test_winding_and_doubled_faces_do_not_matter_to_flat_ones():
    box = trimesh.creation.box((1.0, 1.0, 1.0))
    turned = np.array(box.faces)
    turned[::2] = turned[::2, ::-1]
    for faces in (turned, np.concatenate([box.faces, box.faces[:, ::-1]])):
        mesh = Mesh(np.array(box.vertices), faces)
        np.testing.assert_allclose(corner_normals(mesh), np.repeat(flat_normals(mesh)[:, None], 3, axis=1), atol=1e-12)
