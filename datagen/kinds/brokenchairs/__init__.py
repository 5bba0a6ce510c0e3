"""Chairs with one anomaly, as BrokenChairs-180K has them (Looking 3D)."""
