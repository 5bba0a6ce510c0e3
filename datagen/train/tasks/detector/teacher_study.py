"""Which held network's features find the same point on another object, before anything is learned.

`python -m datagen.train.tasks.detector.teacher_study --data DIR --network mobilenetv2=FILE ...` lifts each
network's features to a lattice in every normal object and says how often the exact counterpart, by `T_world_shape`, is
the most similar token of another, or among the eight most similar. Colours and random weights are the controls.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import default_collate

from datagen.core.command import run_command
from datagen.core.errors import UsageError
from datagen.models.backbones import RANDOM, Frozen, load_backbone
from datagen.models.detector.encoders import FROZEN
from datagen.models.detector.lifted import MARGIN
from datagen.models.detector.volumes import lattice, lift
from datagen.train.recipes import load_train_recipe
from datagen.train.tasks.detector.correspondence import recall_at
from datagen.train.tasks.detector.recipe import DetectorRecipe
from datagen.train.tasks.detector.scenes import objects_of, trimmed
from datagen.train.tasks.detector.task import open_split

SIDE = 6
"""Lattice points along a side of an object."""
STRIDES = (4, 8, 16)
FIRST = (1, 8)


def recalls(
    encode: Callable[[Tensor], Tensor], data: Path, split: str, scenes: int, larger: float
) -> tuple[float, float]:
    """Recall at 1 and at 8 over scenes of a split; pictures are enlarged `larger` times for the network."""
    recipe = cast(DetectorRecipe, load_train_recipe("oddoneout_small", overrides=["data.pack=false"]))
    samples = open_split(data, split, recipe)
    found = []
    for number in range(min(scenes, len(samples))):
        batch = trimmed(default_collate([samples[number]]))
        pictures = batch["pictures"][0]
        with torch.no_grad():
            f = encode(F.interpolate(pictures, scale_factor=larger, mode="bilinear"))[None]
        points = lattice(objects_of(batch), SIDE, MARGIN)
        read, _ = lift(f, points.flatten(1, 2), batch["K"], batch["extrinsics"], pictures.shape[-1])
        z = read.unflatten(-1, points.shape[1:3]).permute(0, 2, 3, 1)
        found.append([float(recall_at(z, batch, points, k)[0]) for k in FIRST])
    at_one, at_eight = np.nanmean(np.array(found), axis=0).tolist()
    return at_one, at_eight


def colours(pictures: Tensor) -> Tensor:
    """The pictures at stride 4 with a constant beside them: their cosine then knows brightness."""
    small = F.avg_pool2d(pictures, 4)
    return torch.cat([small, torch.ones_like(small[:, :1])], dim=1)


def networks(told: Sequence[str]) -> dict[str, Callable[[Tensor], Tensor]]:
    """Networks as `NAME=FILE` at every stride, and the controls. Raises UsageError, MissingDependency."""
    found: dict[str, Callable[[Tensor], Tensor]] = {"colours": colours}
    for one in [*told, f"mobilenetv2={RANDOM}"]:
        name, _, weights = one.partition("=")
        if name not in FROZEN or not weights:
            raise UsageError(f"--network {one}: give NAME=FILE with a name of {', '.join(FROZEN)}")
        for stride in STRIDES if name != "dinov2" else (14,):
            word = "random weights" if weights == RANDOM else "its file"
            found[f"{name}, {word}, stride {stride}"] = load_backbone(cast(Frozen, name), weights, stride)
    return found


def main(arguments: Sequence[str]) -> None:
    """Parse, measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m datagen.train.tasks.detector.teacher_study", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="scenes built here")
    parser.add_argument("--split", default="unseen-test")
    parser.add_argument("--network", action="append", default=[], help="NAME=FILE")
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--larger", type=float, default=2.0, help="how much pictures are enlarged")
    given = parser.parse_args(arguments)
    sys.stdout.write("| features | recall at 1 | at 8 |\n|---|---|---|\n")
    for name, encode in networks(given.network).items():
        at_one, at_eight = recalls(encode, given.data, given.split, given.scenes, given.larger)
        sys.stdout.write(f"| {name} | {at_one:.3f} | {at_eight:.3f} |\n")


if __name__ == "__main__":
    run_command(main)
