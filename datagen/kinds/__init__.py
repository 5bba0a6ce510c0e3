"""Kinds of dataset: a folder each, with what is particular to it."""
