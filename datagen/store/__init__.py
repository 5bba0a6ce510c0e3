"""Atomic commit, per-writer log, parquet manifest, janitor: the only room that writes a dataset.

Proves that a sample exists; knows nothing of what is in it.
"""
