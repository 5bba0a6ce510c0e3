"""Options of `datagen train`, `evaluate` and `predict`, each written down once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option(help="The dataset's folder: built here or published, loose or in tar shards.")]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1, ...", show_default="cuda where there is a GPU, else cpu")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change one value of the recipe, written as section.key=value. May be repeated."),
]
Checkpoint = Annotated[
    Path, typer.Argument(help="The folder of a training run, a checkpoint of one, or the published model.pt.")
]


@dataclass(frozen=True)
class TrainOptions:
    """What `datagen train` is told."""

    data: Data
    model: Annotated[
        str | None,
        typer.Option(
            help="The network: cmt, resnet_fpn, resnet_fpn_sa, vit, retrieval, viewpoint or comparator.",
            show_default="the recipe's",
        ),
    ] = None
    out: Annotated[
        Path | None, typer.Option(help="The folder of the run.", show_default="out/runs/NAME, after the recipe's name")
    ] = None
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe file, or the name of a recipe in recipes/train. Its task has to learn from the dataset.",
            show_default="the one of --model, else of the dataset's first task",
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from the newest checkpoint of the run, or start where there is none."),
    ] = False
    init: Annotated[Path | None, typer.Option(help="Start a new run from the weights of this run or checkpoint.")] = (
        None
    )
    online: Annotated[
        str | None,
        typer.Option(
            help="A recipe of datasets by which pairs are made while training, from --shapes; --data then validates.",
            show_default="train on --data",
        ),
    ] = None
    shapes: Annotated[str | None, typer.Option(help="With --online: the collection that pairs are made from.")] = None
    seed: Annotated[int | None, typer.Option(help="The seed of every random draw.", show_default="the recipe's")] = None
    overrides: Overrides = None
    device: Device = None
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Train without running `datagen verify` on the data first.")
    ] = False


@dataclass(frozen=True)
class EvaluateOptions:
    """What `datagen evaluate` is told."""

    run: Checkpoint
    data: Data
    split: Annotated[
        str,
        typer.Option(help="The split to measure on: train, val, test; unseen where there is one."),
    ] = "test"
    out: Annotated[
        Path | None, typer.Option(help="The folder to write figures and page to.", show_default="the run's folder")
    ] = None
    sweep: Annotated[
        bool,
        typer.Option("--sweep", help="Also measure AUC over k (places attended to) and over the number of views."),
    ] = False
    overrides: Overrides = None
    device: Device = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON on stdout.")] = False


Background = Annotated[str, typer.Option(help="How the photo's background is taken away: auto, alpha, plain, or keep.")]
Shadow = Annotated[bool, typer.Option("--shadow", help="Paint a contact shadow below the object.")]


@dataclass(frozen=True)
class CalibrateOptions:
    """What `datagen calibrate` is told."""

    checkpoint: Checkpoint
    photos: Annotated[Path, typer.Option(help="A folder of photographs of good parts.")]
    reference: Annotated[
        Path, typer.Option(help="What they should look like: a folder of reference views, or a mesh to render.")
    ]
    bad: Annotated[
        Path | None, typer.Option(help="A folder of photographs of bad parts: how many of them are found is told.")
    ] = None
    false_calls: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="The share of good parts that may be called anomalous.")
    ] = 0.05
    affine: Annotated[
        bool, typer.Option("--affine", help="Bring scores to probabilities by the photographs; needs --bad.")
    ] = False
    out: Annotated[
        Path | None, typer.Option(help="The file to write.", show_default="calibration.json in the run's folder")
    ] = None
    background: Background = "auto"
    shadow: Shadow = False
    device: Device = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON on stdout.")] = False


@dataclass(frozen=True)
class PredictOptions:
    """What `datagen predict` is told."""

    checkpoint: Checkpoint
    query: Annotated[
        Path | None,
        typer.Option(help="The photo to judge, or a folder of photos. Alpha or a plain background is taken away."),
    ] = None
    reference: Annotated[
        Path | None,
        typer.Option(help="What it should look like: a folder of reference views, or a mesh to render."),
    ] = None
    scene: Annotated[
        Path | None,
        typer.Option(
            help="Instead of both: a folder of photographs with poses (transforms.json, COLMAP's text model, or a "
            "scene as built) of objects among which the odd one is looked for."
        ),
    ] = None
    views: Annotated[int, typer.Option(help="With --scene: use at most so many of the photographs.")] = 20
    out: Annotated[
        Path | None,
        typer.Option(
            help="Draw the answer into this picture; of a folder a sheet of all answers.", show_default="no picture"
        ),
    ] = None
    table: Annotated[
        Path | None,
        typer.Option(
            "--csv", help="Of a folder: a line for each photo, with score, verdict and box.", show_default="no table"
        ),
    ] = None
    calibration: Annotated[
        Path | None,
        typer.Option(help="A file of `datagen calibrate`.", show_default="the threshold of validation"),
    ] = None
    background: Background = "auto"
    shadow: Shadow = False
    device: Device = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON on stdout.")] = False
