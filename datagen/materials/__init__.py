"""Owns SVBRDF libraries (procedural and from folders) and which part of a shape wears which material.

Must not render, import bpy, or look at an anomaly's geometry: it sees ids, classes and groups only.
"""
