"""What a step of the comparator costs, part by part: `python -m datagen.train.tasks.matching.costs`.

Each part runs forward and backward on random pictures, in CPU-seconds of the process: a batch of whole bundles as
training draws them, so every picture is encoded once. A whole step, an evaluation of one picture against all its views
and the largest memory that the process had follow.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from datagen.core.command import run_command
from datagen.core.errors import UsageError
from datagen.models.comparator import Comparator
from datagen.train.costs import run_costs, sizes, spent, timed
from datagen.train.objective import Batch
from datagen.train.tasks.matching.networks import make_objective
from datagen.train.tasks.matching.recipe import MatchingRecipe, require_matching


def random_batch(recipe: MatchingRecipe, queries: int, bundles: int) -> Batch:
    """Noise with everything that a training step reads: `queries` (Q, 3, S, S) spread over `bundles` sets of views."""
    rng = torch.Generator().manual_seed(0)
    size, views = recipe.data.image_px, recipe.data.views
    reference = torch.arange(queries) % bundles
    return {
        "query": torch.rand(queries, 3, size, size, generator=rng) * 2 - 1,
        "views": torch.randint(0, 256, (bundles, views, size, size), dtype=torch.uint8, generator=rng)[reference],
        "xyz": torch.zeros(queries, views, 1, 3),
        "reference": reference,
        "nearest": torch.arange(queries) % views,
        "label": (torch.arange(queries) % 2).float(),
        "box": torch.tensor([[0.5, 0.5, 0.2, 0.2]]).expand(queries, 4),
        "changed": (torch.rand(queries, size, size, generator=rng) > 0.9).float(),
    }


def measured(recipe: MatchingRecipe) -> dict[str, float]:
    """CPU-seconds of each part and of a whole step of `optim.batch` queries, of one evaluated picture; peak memory in
    GiB; millions of weights.

    Raises UsageError for a recipe of another task or network.
    """
    require_matching(recipe)
    objective = make_objective(recipe)
    model = cast(Comparator, objective.model)
    if not isinstance(model, Comparator):
        raise UsageError(f"{recipe.name} is no recipe of the comparator; give one of model.network comparator")
    Q, N = recipe.optim.batch, recipe.data.views
    bundles = max(1, Q // recipe.data.queries_per_shape)
    batch = random_batch(recipe, Q, bundles)
    views = torch.rand(bundles * N, 1, *batch["query"].shape[-2:]) * 2 - 1
    bf16 = recipe.optim.amp == "bf16"
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        told = {
            f"{Q} queries to stride {recipe.model.compare_at}": spent(
                lambda: model.trunk(model.query_stem(batch["query"]))
            ),
            f"{bundles} x {N} views to the same": spent(lambda: model.trunk(model._references(views))),
        }
        f = model.trunk(torch.cat([model.query_stem(batch["query"]), model._references(views)])).detach()
        f.requires_grad_()
        told["embeddings of all"] = spent(lambda: model.embedding(f))
        rows, weights = torch.arange(Q)[:, None] % (bundles * N), torch.ones(Q, 1)
        told["comparison, place by place"] = spent(lambda: model._compare(f[:Q], f[Q:], rows, weights))
        joined = model._compare(f[:Q], f[Q:], rows, weights).detach().requires_grad_()
        told["stages to the answer"] = spent(lambda: _answer(model, joined))
        optimiser = torch.optim.AdamW(objective.parameters(), lr=1e-3)

        def step() -> None:
            objective.total(objective(batch, 0, torch.Generator().manual_seed(0))).backward()
            optimiser.step()

        told["whole step"] = timed(step)
    one = {name: value[:1] for name, value in random_batch(recipe, 1, 1).items()}
    objective.eval()
    with torch.no_grad():
        objective.predict(one)
        told["one picture evaluated"] = timed(lambda: objective.predict(one))
    return told | sizes(model)


def _answer(model: Comparator, joined: Tensor) -> Tensor:
    output = model._judge(joined)
    return torch.cat([output.logit_B.flatten(), cast(Tensor, output.change_Bhw).flatten()])


def main(arguments: Sequence[str]) -> None:
    """Measure a recipe of network comparator and print its table."""
    run_costs(arguments, "datagen.train.tasks.matching.costs", __doc__ or "", "comparator_64", measured)


if __name__ == "__main__":
    run_command(main)
