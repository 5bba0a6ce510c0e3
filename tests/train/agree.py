"""One of some processes that share a network: python -m tests.train.agree RECIPE.json, with torchrun's environment.

Prints, of every process, whether all of them hold the first one's network after `agree`.
"""

import sys
from pathlib import Path

import torch

from datagen.train.runtime import open_runtime
from datagen.train.state import Training
from datagen.train.tasks.matching.networks import make_objective
from datagen.train.tasks.matching.recipe import MatchingRecipe


def main() -> None:
    torch.set_num_threads(1)
    recipe = MatchingRecipe.model_validate_json(Path(sys.argv[1]).read_text())
    with open_runtime("cpu") as runtime:
        training = Training(Path(), recipe, make_objective(recipe), runtime)
        held = [*training.objective.weights_dict().values(), *training.average.tensors.values()]
        for tensor in held:
            tensor.detach().copy_(torch.full_like(tensor, runtime.rank + 1))
        training.agree()
        held = [*training.objective.weights_dict().values(), *training.average.tensors.values()]
        print(runtime.gather(bool(all((tensor == 1).all() for tensor in held))))


if __name__ == "__main__":
    main()
