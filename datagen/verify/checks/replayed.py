"""Checks that replay the geometry."""
