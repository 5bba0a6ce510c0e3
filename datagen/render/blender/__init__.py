"""Blender Cycles in a process of its own: the only package that imports bpy.

`client` is what the rest of the program sees; `server`, `session` and what they use run inside.
"""
