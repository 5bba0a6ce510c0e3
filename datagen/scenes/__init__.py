"""Cameras and light set-ups of a scene, drawn from a recipe and an rng stream.

Places things; renders and checks nothing.
"""
