"""Mesh files as their formats define them: OBJ, glTF, PLY, STL, OFF and STEP, for every kind of dataset.

Owns parsing alone. It decides nothing about parts of a shape, up axes or pictures, and opens no texture.
"""
