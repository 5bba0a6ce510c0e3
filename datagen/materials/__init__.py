"""Owns SVBRDF libraries (procedural and from folders) and which part of a shape wears which material.

Must not render, import bpy, or look at an anomaly's geometry: it sees ids, classes and groups only.
"""

from datagen.materials.assign import assign
from datagen.materials.folder import FolderLibrary, load_folder
from datagen.materials.library import CombinedLibrary, MaterialLibrary
from datagen.materials.open import open_libraries
from datagen.materials.procedural.library import ProceduralLibrary
from datagen.recipe.materials import MaterialSettings

__all__ = [
    "CombinedLibrary",
    "FolderLibrary",
    "MaterialLibrary",
    "MaterialSettings",
    "ProceduralLibrary",
    "assign",
    "load_folder",
    "open_libraries",
]
