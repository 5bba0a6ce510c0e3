"""Parametric chairs written in PartNet's layout, so that everything runs without licensed data.

Owns the families, their primitives and the writer; never claims to be PartNet and reads nothing.
"""

from datagen.shapes.procedural.families import FAMILIES, chair
from datagen.shapes.procedural.write import generate

__all__ = ["FAMILIES", "chair", "generate"]
