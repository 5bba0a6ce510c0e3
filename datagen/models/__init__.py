"""Networks: the Correspondence Matching Transformer in two variants, and its baselines.

Owns tensors and losses on tensors; knows no data set, no training loop and no file but an image backbone's weights.
torch lives here.
"""
