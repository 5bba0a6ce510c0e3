"""Checks of odd-one-out scenes: what `datagen verify` knows of the second kind of dataset.

Reads scenes as they lie on disk, published ones included; believes nothing that their pixels do not say.
"""
