"""From a recipe and a collection to committed jobs: the pure plan, the stages, the serial run.

Knows the order of things; geometry, rendering and formats are done by the rooms below.
"""
