"""A page on this machine that shows every picture of a dataset."""
