"""Commands that train and use a network. Heavy imports stay inside them: `--help` loads none."""

from typing import Any

from datagen.cli.options import takes
from datagen.cli.train_options import EvaluateOptions, PredictOptions, TrainOptions


@takes(TrainOptions)
def train(**given: Any) -> None:
    """Train a network on a dataset: the Correspondence Matching Transformer, a baseline, or one of another task.

    The recipe names the task. Without a recipe it is the first one that learns from this kind of dataset.

    Exit codes: 4 when the data do not pass verify, 5 when torch is not installed, 75 when it stopped early and has
    to be run again with --resume.
    """
    from datagen.cli.train import run_train

    run_train(TrainOptions(**given))


@takes(EvaluateOptions)
def evaluate(**given: Any) -> None:
    """Measure a trained network on a split: figures with intervals as JSON, and an HTML page of curves and samples."""
    from datagen.cli.train import run_evaluate

    run_evaluate(EvaluateOptions(**given))


@takes(PredictOptions)
def predict(**given: Any) -> None:
    """Judge one photo against one reference: score, box and nearest view."""
    from datagen.cli.train import run_predict

    run_predict(PredictOptions(**given))
