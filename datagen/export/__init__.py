"""Exporters: a finished or partial dataset written again in a format that other tools read."""
