"""Parametric tables, lamps, cupboards, beds and taps in PartNet's layout, made on demand so that everything runs.

Beside the chairs of `shapes.procedural`, whose solids they share; never claims to be PartNet and reads nothing.
"""
