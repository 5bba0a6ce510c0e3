"""The five operators of the paper, section 3.1: one module each, `propose` and `apply`.

Values in, values out: no operator changes its input, reads a file or decides what is visible.
"""
