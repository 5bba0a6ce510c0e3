"""Datasets as tensors: a dataset's folder or its tar shards, read, augmented, sampled, packed.

Owns nothing on disk but its packed cache; every draw depends on (seed, epoch, sample) alone.
"""
