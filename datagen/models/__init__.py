"""Networks: the Correspondence Matching Transformer in two variants, and its baselines.

Owns tensors and losses on tensors; knows no file, no data set and no training loop. torch lives here.
"""
