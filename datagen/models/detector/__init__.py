"""The odd-one-out detector: views are lifted into volumes, objects are cut out of them and compared with each other.

Owns the networks alone: what they are trained on and measured by stands in `train.tasks.detector`.
"""
