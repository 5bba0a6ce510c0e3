"""One query picture against a bundle of reference views: is it anomalous, where, and from which view is it seen?

`recipe.py` is what a run says, `networks.py` the table of networks, `task.py` what the training loop is given.
"""
