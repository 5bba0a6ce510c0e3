"""Measurements of the program on this machine: what `datagen bench` prints.

Reports ratios taken side by side and CPU-seconds; decides and stores nothing. What is measured on one kind of dataset
lies in the folder of the kind, and the kind names it.
"""
