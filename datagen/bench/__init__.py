"""Measurements of the program on this machine: what `datagen bench` prints.

Reports ratios taken side by side and CPU-seconds; decides and stores nothing.
"""
