"""Mesh files as names and meshes."""

from datagen.meshfiles.load import read_mesh_file


def load_mesh(path):
    """(name, mesh) of every part of a file."""
    return tuple((part.name, part.mesh) for part in read_mesh_file(path).parts)
