"""The commands, each by the function that typer calls. Heavy imports stay inside them: `--help` loads none."""

from pathlib import Path
from typing import Annotated, Any

import typer

from datagen.cli.options import BenchOptions, BuildOptions, SlurmOptions, VerifyOptions, takes
from datagen.cli.train_options import CalibrateOptions, EvaluateOptions, PredictOptions, TrainOptions
from datagen.core.errors import EXIT_QUARANTINED, EXIT_VERIFY_FAILED

Dataset = Annotated[Path, typer.Argument(help="The dataset's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON on stdout.")]


@takes(BuildOptions)
def build(**given: Any) -> None:
    """Build a dataset from a recipe and a collection of shapes.

    Running the same command again goes on where it was interrupted.

    Exit codes: 3 when the build finished and some shapes are set aside (quarantined) or no picture came out, 6 when the
    folder belongs to another recipe, seed or collection, 75 when it stopped early and has to be run again.
    """
    from datagen.cli.build import run_build

    raise typer.Exit(EXIT_QUARANTINED if run_build(BuildOptions(**given)) else 0)


def status(dataset: Dataset, as_json: AsJson = False) -> None:
    """Say how far a build is: jobs done, rejected and quarantined, the rate and the time left.

    It reads the build's logs only, and may run beside the build.
    """
    from datagen.cli.cluster import run_status

    run_status(dataset, as_json)


def repro(
    dataset: Dataset,
    job_id: Annotated[str, typer.Argument(help="The id of the job, or its first digits.")],
    shapes: Annotated[
        str | None, typer.Option(help="The collection of shapes.", show_default="the one it was built from")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the files of the job into this folder.", show_default="they are dropped")
    ] = None,
) -> None:
    """Do one job again, alone and in this process, and show the full trace of what goes wrong.

    Exit code 3 when the job fails again.
    """
    from datagen.cli.cluster import run_repro

    raise typer.Exit(run_repro(dataset, job_id, shapes, out))


def inspect(
    shapes: Annotated[str, typer.Argument(help="A collection, or a folder or file of shapes.")],
    recipe: Annotated[str, typer.Option(help="The recipe whose operators are tried.")] = "quickstart",
    data_root: Annotated[Path | None, typer.Option(help="Look for collections in this folder first.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A recipe value, written as section.key=value. May be given several times."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Look at the first N shapes only.", min=1)] = None,
    tries: Annotated[int, typer.Option(help="Proposals of each kind for each part.", min=1)] = 4,
    station: Annotated[
        Path | None,
        typer.Option(help="A camera station's file: pixels per millimetre of each camera, and the smallest defect."),
    ] = None,
    defect_px: Annotated[int, typer.Option(help="Pixels that the smallest defect has to cover.", min=1)] = 25,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON on stdout.")] = False,
) -> None:
    """Look at shapes before anything is built: sizes, parts, what is wrong with them, what each operator could do.

    The shape that is looked at is named on stderr. Exit code 3 when a shape will be refused.
    """
    from datagen.cli.inspect import InspectOptions, run_inspect

    options = InspectOptions(
        shapes, data_root, recipe, tuple(settings or ()), limit, tries, station, defect_px, as_json
    )
    raise typer.Exit(run_inspect(options))


@takes(VerifyOptions)
def verify(**given: Any) -> None:
    """Check a dataset and write a report. Nothing else in its folder is changed.

    Exit code 4 when a check of level error failed.
    """
    from datagen.cli.verify import run_verify

    raise typer.Exit(0 if run_verify(VerifyOptions(**given)) else EXIT_VERIFY_FAILED)


def show(
    dataset: Dataset,
    sample: Annotated[
        list[str] | None,
        typer.Option(help="The id of a sample or the first letters of it, or its image's path. May be repeated."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("sample.png"),
    sheet: Annotated[
        int | None, typer.Option(help="Draw a contact sheet of N samples of all kinds instead.", metavar="N")
    ] = None,
) -> None:
    """Draw a sample: the reference, the query, and the query with its masks and box."""
    from datagen.cli.show import run_show

    run_show(dataset, tuple(sample or ()), out, sheet)


def view(
    dataset: Dataset,
    scores: Annotated[
        Path | None, typer.Option(help="Scores of its pictures: scores-<split>.csv of `datagen evaluate`.")
    ] = None,
    threshold: Annotated[float, typer.Option(help="A score above this says that a picture is anomalous.")] = 0.5,
    port: Annotated[int, typer.Option(help="The port to serve on.", show_default="a free one", min=0, max=65535)] = 0,
) -> None:
    """Look at every picture of a dataset in a browser, with filters, pairs, masks and meshes to turn.

    The page is served to this machine alone, under an address that holds a random word. Ctrl-C ends it.
    """
    from datagen.cli.view import run_view

    run_view(dataset, scores, threshold, port)


def export(
    dataset: Dataset,
    to: Annotated[
        str,
        typer.Option(
            help="The format: bop, coco, hub, kaputt, mad, mvtec, mvtec3d, points, poses, webdataset, "
            "or one that an installed package adds."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write; empty, or not there yet.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the format, written as key=value. May be given several times."),
    ] = None,
) -> None:
    """Write a dataset's pictures and annotations in a format that other tools read.

    Running the same command again goes on where it was interrupted.

    Exit code 75 when it stopped early, as on a full disk, and has to be run again.
    """
    from datagen.cli.show import run_export

    run_export(dataset, to, out, tuple(settings or ()))


def import_(
    published: Annotated[Path, typer.Argument(help="The folder of a published dataset, or of one published scene.")],
    out: Annotated[Path, typer.Option(help="The dataset's folder to make; empty, or not there yet.")],
    split: Annotated[
        Path | None, typer.Option(help="The published split file.", show_default="split.json in the folder, if any")
    ] = None,
) -> None:
    """Make a dataset of published data, so that verify, show, export and train work on them.

    docs/importing.md says which forms are known. Nothing in the published folder is changed.
    """
    from datagen.cli.show import run_import

    run_import(published, out, split)


def unpack(
    dataset: Annotated[Path, typer.Argument(help="The folder of a dataset that was built with --layout shards.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
) -> None:
    """Write the loose files of a dataset that is packed in tar shards."""
    from datagen.cli.cluster import run_unpack

    run_unpack(dataset, out)


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


@takes(CalibrateOptions)
def calibrate(**given: Any) -> None:
    """Choose the threshold by a few real photographs of good parts, and say what so few can promise.

    `datagen predict --calibration` then decides by it. Exit code 3 when some photo could not be judged.
    """
    from datagen.cli.calibrate import run_calibrate

    run_calibrate(CalibrateOptions(**given))


@takes(PredictOptions)
def predict(**given: Any) -> None:
    """Judge one photo against one reference, or find the odd one among objects in photographs with poses."""
    from datagen.cli.predict import run_predict

    run_predict(PredictOptions(**given))


@takes(SlurmOptions)
def slurm(**given: Any) -> None:
    """Write job scripts for a SLURM array, and one for Ray over several nodes; say how to submit them.

    If tasks die or never start, run `datagen build ... --shard 0/N --missing` with the same number of tasks N, and
    submit the same scripts with the --array list that it prints. A task whose time is nearly up ends its jobs,
    requeues itself and goes on. `datagen status` shows the progress.
    """
    from datagen.cli.cluster import run_slurm

    run_slurm(SlurmOptions(**given))


def merge(
    sources: Annotated[list[Path], typer.Argument(help="Folders of one dataset, such as those on scratch disks.")],
    out: Annotated[Path, typer.Option(help="The folder to copy their jobs into.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON on stdout.")] = False,
) -> None:
    """Copy the finished jobs of several folders of one dataset into another, each job once."""
    from datagen.cli.cluster import run_merge

    run_merge(sources, out, as_json)


@takes(BenchOptions)
def bench(**given: Any) -> None:
    """Measure this machine: render presets, phases of a build, reference bundles, scale and workers.

    The converged pictures to compare with take a minute and a half of CPU each. They are made once and kept in the
    cache.
    """
    from datagen.cli.machine import run_bench

    run_bench(BenchOptions(**given))


def doctor() -> None:
    """Say what this machine has, what is missing, and what to do about it.

    Exit code 5 when something needed is missing.
    """
    from datagen.cli.machine import run_doctor

    raise typer.Exit(run_doctor())
