"""Names of the collections that are always there. Imports nothing, so that `--help` may say them."""

STAND_INS = "partnet/chair"
"""A collection of parts whose shapes come with the program."""
NAMES = (STAND_INS, "toys", "abc")
"""Collections to name in an example."""
