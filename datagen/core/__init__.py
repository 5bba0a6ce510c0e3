"""Value types that every room shares: numpy and the standard library only.

Owns no file, no renderer and no policy; anything that reads a disk lives elsewhere.
"""
