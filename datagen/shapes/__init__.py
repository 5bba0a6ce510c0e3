"""Sources of shapes: PartNet folders, a user's own meshes, procedural stand-ins.

Reads shape files and labels parts; never changes geometry beyond placing, orienting and normalising it.
"""
