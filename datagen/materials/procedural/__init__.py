"""Owns the built-in SVBRDFs: pure functions of (seed, index), numpy only, tileable maps.

Must not read a user's files; what it writes goes through the material cache alone.
"""
