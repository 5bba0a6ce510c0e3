"""Operators on whole objects of a scene (Odd-One-Out, section A.1): one module a family, `propose` and `apply`.

Values in, values out, like the operators on chairs' parts; shapes come dressed (every part has a skin).
"""
