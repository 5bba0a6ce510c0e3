"""Training, evaluation and prediction: recipes, the loop, checkpoints, metrics, pages.

Reads datasets and models, renders references through the pipeline; writes run folders and nothing else.
"""
