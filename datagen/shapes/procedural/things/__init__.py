"""Toys and machine parts made here by constructive solid geometry: the built-in shapes of odd-one-out scenes.

Parametric and unlimited; stand-ins for Toys4K and ABC, not derived from them.
"""
