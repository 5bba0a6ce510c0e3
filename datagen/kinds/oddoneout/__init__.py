"""Scenes of several objects, some of them odd, as ToysAD-8K and PartsAD-15K have them."""
