"""Guarded mesh loading, cleaning, repair, booleans, sampling and embree ray casting.

Knows meshes, not objects or datasets; native libraries see only meshes that passed `core.Mesh`.
"""
