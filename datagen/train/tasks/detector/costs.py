"""What a step of the detector costs, part by part: `python -m datagen.train.tasks.detector.costs [--recipe NAME]`.

Each part runs forward and backward on one scene of random pictures, in CPU-seconds of the process, and a whole step
follows with the largest memory that the process had.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from datagen.core.command import run_command
from datagen.core.errors import UsageError
from datagen.models.detector.detector import Detector, kept_tokens, taken
from datagen.models.detector.encoders import frozen_backbone
from datagen.models.detector.lifted import Views, Volume
from datagen.models.detector.matching import correspondences, unlikeness
from datagen.models.detector.volumes import cubes_about, lift
from datagen.train.costs import run_costs, sizes, spent, timed
from datagen.train.objective import Batch
from datagen.train.tasks.detector.networks import make_objective
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.scenes import objects_of, views_of

OBJECTS = 4


def random_batch(recipe: DetectorRecipe, objects: int = OBJECTS) -> Batch:
    """One scene of noise: cameras on a ring about blocks that stand on the floor."""
    rng = torch.Generator().manual_seed(0)
    size, M = recipe.data.image_px, 2 * recipe.data.views
    angle = torch.arange(M) * 2 * torch.pi / M
    eye = torch.stack([0.8 * torch.cos(angle), 0.8 * torch.sin(angle), torch.full((M,), 0.5)], dim=-1)
    forward = torch.nn.functional.normalize(torch.tensor([0.0, 0.0, 0.1]) - eye, dim=-1)
    right = torch.nn.functional.normalize(
        torch.linalg.cross(forward, torch.tensor([0.0, 0.0, 1.0]).expand(M, 3)), dim=-1
    )
    R = torch.stack([right, torch.linalg.cross(forward, right), forward], dim=1)
    T = torch.eye(4).repeat(M, 1, 1)
    T[:, :3, :3], T[:, :3, 3] = R, -(R @ eye[..., None])[..., 0]
    N = recipe.data.most_objects
    turn = torch.arange(N) * 2 * torch.pi / objects
    centre = torch.stack([0.3 * torch.cos(turn), 0.3 * torch.sin(turn), torch.full((N,), 0.1)], dim=-1)
    poses = torch.eye(4).repeat(N, 1, 1)
    poses[:, :3, 3] = centre
    focal = size / 1.2
    return {
        "pictures": torch.rand(1, M, 3, size, size, generator=rng) * 2 - 1,
        # All is of an object: no token can be left out.
        "masks": torch.ones(1, M, size, size, dtype=torch.bool),
        "changed": torch.rand(1, M, size, size, generator=rng) > 0.9,
        "K": torch.tensor([[[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1.0]]]),
        "extrinsics": T[None],
        "boxes": torch.stack([centre, torch.full((N, 3), 0.2)], dim=1)[None],
        "label": (torch.arange(N) == 0).float()[None],
        "there": (torch.arange(N) < objects)[None],
        "poses": poses[None],
    }


def measured(recipe: DetectorRecipe) -> dict[str, float]:
    """CPU-seconds of each part for one direction of one scene, of a whole step, and the peak memory in GiB."""
    if recipe.model.variant != "paper":
        raise UsageError(f"{recipe.name} is of variant {recipe.model.variant}; parts are measured of variant paper")
    objective = make_objective(recipe)
    model = cast(Detector, objective.model)
    batch = random_batch(recipe)
    batch = {k: v[:, :OBJECTS] if k in ("boxes", "label", "there", "poses") else v for k, v in batch.items()}
    if recipe.data.pack:
        # What a frozen network makes of the pictures comes from the cache.
        network = frozen_backbone(recipe.model.encoder)
        batch |= {} if network is None else {"held": network(batch["pictures"][0])[None]}
    half = slice(0, recipe.data.views)
    views, objects = views_of(batch, half), objects_of(batch)
    told = {"encoder": spent(lambda: model.encode(views))}
    f = model.encode(views).detach().requires_grad_()
    v = recipe.model.volume
    boxes = model.over_floor(1, f) if v.around == "floor" else cubes_about(objects, v.pad)
    points = boxes.points(v.size if v.around == "floor" else (v.side,) * 3)
    told["lifting"] = spent(lambda: lift(f, points.flatten(1, 4), views.K_B33, views.T_BM44, recipe.data.image_px)[0])
    lifted = torch.rand(points.shape[1], model.channels, *points.shape[2:5], requires_grad=True)
    told["3D network"] = spent(lambda: model.fuse(lifted))
    volume = Volume(model.fuse(lifted).detach().requires_grad_()[None], lifted[None, :, : model.config.dim], boxes)
    if recipe.model.render:
        told["rendering"] = spent(lambda: _rendered(model, volume, views))
    told["cut-out and beta"] = spent(lambda: model.cut_out(volume, objects)[1])
    z, beta = model.cut_out(volume, objects)
    there, inside = batch["there"], torch.ones(z.shape[:3], dtype=torch.bool)
    if recipe.model.most_tokens:
        places = kept_tokens(inside, recipe.model.most_tokens)
        z, beta, inside = taken(z, places), taken(beta, places), inside.gather(2, places)
    z, beta = (t.detach().requires_grad_() for t in (z, beta))
    if recipe.model.difference:
        told["unlikeness, of beta"] = spent(lambda: _unlike(beta, there, inside))
        with torch.no_grad():
            told["unlikeness, of what is lifted"] = timed(lambda: _unlike(beta, there, inside))
    chosen = correspondences(beta, recipe.model.k, there, inside) if recipe.model.match == "sparse" else None
    told["attention, all blocks"] = spent(lambda: _attended(model, z, chosen, there, inside))
    told["head"] = spent(lambda: model.answer(z, z.new_zeros(*z.shape[:2], model.told), inside).objects)
    step = timed(lambda: objective.total(objective(batch, 0, torch.Generator())).backward())
    return told | {"whole step, one scene": step} | sizes(model)


def _rendered(model: Detector, volume: Volume, views: Views) -> Tensor:
    found = model.render(volume, views.K_B33, views.T_BM44, views.image_px)
    return torch.cat([found.colour.flatten(), found.opacity.flatten(), found.features.flatten()])


def _unlike(z: Tensor, there: Tensor, inside: Tensor) -> Tensor:
    found = unlikeness(z, there, inside)
    return torch.cat([found.tokens.flatten(), found.objects.flatten()])


def _attended(model: Detector, z: Tensor, chosen: Tensor | None, there: Tensor, inside: Tensor) -> Tensor:
    for block in model.blocks:
        z = block(z, chosen, there, inside_BNP=inside)
    return z


def main(arguments: Sequence[str]) -> None:
    """Measure a recipe of variant paper and print its table."""
    run_costs(arguments, "datagen.train.tasks.detector.costs", __doc__ or "", "oddoneout", measured)


if __name__ == "__main__":
    run_command(main)
