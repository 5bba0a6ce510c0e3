"""Which object of a scene differs from the others: training, evaluation and figures of the detector."""
