"""Masks, boxes, visibility, quality and correspondences, from ray-cast frames and pictures.

Decides whether a view is worth keeping; renders nothing and writes nothing.
"""
