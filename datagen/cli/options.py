"""Options of commands as frozen values: the command line is read off them, and the command is given them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from datagen.kinds.defaults import DEFAULT_RECIPE, MADE, MEASURED
from datagen.shapes.built_in import NAMES

F = TypeVar("F", bound=Callable[..., None])

SHAPES, RECIPE, RUNS, CLUSTER, OUTPUT = "Shapes", "Recipe", "Where it runs", "Cluster", "Output"
"""Headings of the options in `--help`, in this order."""


def takes(options: type) -> Callable[[F], F]:
    """Give a command of `**given` the parameters of a dataclass, so that each option is written down once."""

    def give(command: F) -> F:
        command.__signature__ = inspect.signature(options)  # type: ignore[attr-defined]
        return command

    return give


def option(panel: str, name: str, text: str, **more: Any) -> Any:
    """An option `name` below the heading `panel`, with its sentence for `--help`."""
    return typer.Option(name, help=text, rich_help_panel=panel, **more)


@dataclass(frozen=True)
class BuildOptions:
    """What `datagen build` is told."""

    shapes: Annotated[
        str | None,
        option(
            SHAPES,
            "--shapes",
            f"A collection ({', '.join(NAMES)}), or a folder or file of shapes; several with commas between. "
            "A recipe may name a collection of its own.",
        ),
    ] = None
    data_root: Annotated[
        Path | None,
        option(SHAPES, "--data-root", "Look for collections in this folder first, then in $DATAGEN_DATA."),
    ] = None
    limit: Annotated[
        int | None,
        option(SHAPES, "--limit", "Make only the first N shapes of the plan (scenes, for a scene recipe).", min=1),
    ] = None
    skip: Annotated[
        list[str] | None,
        option(SHAPES, "--skip", "Leave out the shape with this id. May be given several times."),
    ] = None
    recipe: Annotated[
        str | None,
        option(
            RECIPE,
            "--recipe",
            "A recipe file, or the name of a built-in recipe such as quickstart.",
            show_default=f"every key at its default, for {MADE}",
        ),
    ] = None
    overrides: Annotated[
        list[str] | None,
        option(
            RECIPE,
            "--set",
            "Change one value of the recipe, written as section.key=value. May be given several times.",
        ),
    ] = None
    seed: Annotated[
        int | None,
        option(RECIPE, "--seed", "The seed of every random draw.", show_default="the recipe's"),
    ] = None
    renderer: Annotated[
        str,
        option(RUNS, "--renderer", "cycles renders with Blender. fake paints flat pixels in milliseconds, for tests."),
    ] = "cycles"
    executor: Annotated[
        str,
        option(
            RUNS, "--executor", "ray runs on all cores, or on the cluster of $RAY_ADDRESS. serial runs in this process."
        ),
    ] = "ray"
    workers: Annotated[
        int | None,
        option(RUNS, "--workers", "Number of worker processes under ray.", min=1, show_default="the usable cores"),
    ] = None
    threads: Annotated[
        int | None,
        option(
            RUNS,
            "--threads",
            "Threads of Blender in each worker.",
            min=1,
            show_default="1 under ray, all usable cores under serial",
        ),
    ] = None
    job_minutes: Annotated[
        float,
        option(
            RUNS,
            "--job-minutes",
            "Minutes that the geometry of a job may take under ray, and again its rendering. "
            "A job that takes longer is set aside (quarantined).",
            min=0.1,
        ),
    ] = 15
    job_gib: Annotated[
        float | None,
        option(
            RUNS,
            "--job-gib",
            "GiB of memory that a worker may fill under ray.",
            min=0.5,
            show_default="one core's share of the memory",
        ),
    ] = None
    shard: Annotated[
        str,
        option(CLUSTER, "--shard", "Do only part I of N of the jobs, written as I/N with I from 0 to N - 1."),
    ] = "0/1"
    also_done: Annotated[
        Path | None,
        option(
            CLUSTER,
            "--also-done",
            "Leave out jobs that this folder of the same dataset holds already. "
            "For builds on a scratch disk, which `datagen merge` brings together.",
        ),
    ] = None
    missing: Annotated[
        bool,
        option(
            CLUSTER,
            "--missing",
            "Build nothing. Print which parts of --shard 0/N have jobs left, as a list for sbatch --array.",
        ),
    ] = False
    out: Annotated[
        Path,
        option(OUTPUT, "--out", "The dataset's folder. The same command goes on with a build that was interrupted."),
    ] = Path("out/dataset")
    layout: Annotated[
        str | None,
        option(
            OUTPUT,
            "--layout",
            "loose writes single files. shards packs 64 jobs into each tar file.",
            show_default="loose; shards for a plan of more than 1,000 scenes",
        ),
    ] = None
    dry_run: Annotated[
        bool,
        option(OUTPUT, "--dry-run", "Build nothing. Print what the build would make, and what it would cost."),
    ] = False
    as_json: Annotated[
        bool,
        option(OUTPUT, "--json", "Print the closing summary as JSON on stdout."),
    ] = False


@dataclass(frozen=True)
class VerifyOptions:
    """What `datagen verify` is told."""

    dataset: Annotated[Path, typer.Argument(help="The dataset's folder: built here, unfinished, or published.")]
    report: Annotated[
        Path | None, typer.Option(help="The HTML page to write.", show_default="report.html in the dataset's folder")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False
    rebuild: Annotated[
        float | None,
        typer.Option(help="Make this share of the jobs again, above 0 and up to 1, and compare.", show_default="none"),
    ] = None
    full: Annotated[
        bool, typer.Option("--full", help="Replay the geometry of every sample instead of 200 of them.")
    ] = False
    shapes: Annotated[
        str | None,
        typer.Option(help="The collection of shapes it was built from.", show_default="where the build found it"),
    ] = None
    data_root: Annotated[
        Path | None, typer.Option(help="Look for collections in this folder first, then in $DATAGEN_DATA.")
    ] = None
    seed: Annotated[int, typer.Option(help="The seed that draws the samples whose geometry is replayed.")] = 0


@dataclass(frozen=True)
class SlurmOptions:
    """What `datagen slurm` is told."""

    shapes: Annotated[str, typer.Option(help="A collection or folder of shapes, as the nodes see it.")]
    out: Annotated[Path, typer.Option(help="The dataset's folder, on the shared file system.")]
    tasks: Annotated[
        int, typer.Option(min=1, help="Number of tasks that the jobs are dealt over. It stays the same to the end.")
    ]
    recipe: Annotated[str, typer.Option(help="A recipe file, or the name of a built-in recipe.")] = DEFAULT_RECIPE
    to: Annotated[Path, typer.Option(help="The folder to write the job scripts to.")] = Path("slurm")
    account: Annotated[str, typer.Option(help="The account to charge (#SBATCH --account).")] = ""
    partition: Annotated[str, typer.Option(help="The partition to run in (#SBATCH --partition).")] = ""
    time: Annotated[
        str, typer.Option(help="Wall-clock limit of a task, as hours:minutes:seconds (#SBATCH --time).")
    ] = "04:00:00"
    cpus: Annotated[int, typer.Option(min=1, help="CPU cores of a task.")] = 4
    mem: Annotated[str, typer.Option(help="Memory of a task (#SBATCH --mem).")] = "16G"
    max_array: Annotated[
        int,
        typer.Option(min=1, help="Most tasks in one array: MaxArraySize of the cluster (scontrol show config)."),
    ] = 1000
    scratch: Annotated[
        str,
        typer.Option(help="Build in this folder of the node, such as $SLURM_TMPDIR, and merge into --out at the end."),
    ] = ""
    extra: Annotated[
        list[str] | None, typer.Option(help="A further option for `datagen build`. May be given several times.")
    ] = None


@dataclass(frozen=True)
class BenchOptions:
    """What `datagen bench` is told."""

    quick: Annotated[bool, typer.Option("--quick", help="Measure less, for a first look.")] = False
    only: Annotated[
        str,
        typer.Option(
            help="The parts to measure, with commas between: presets, plain, phases, bundles, dense, scale, workers, "
            "verify, scenes, presets_of_scenes, operators.",
            show_default="all but presets_of_scenes and operators",
        ),
    ] = ""
    objects: Annotated[
        int, typer.Option(f"--{MEASURED}", min=1, help=f"Number of {MEASURED} that rendering is measured on.")
    ] = 12
    pictures: Annotated[
        int, typer.Option(min=1, max=12, help="Number of pictures of each of them: 4 views in up to 3 lights.")
    ] = 12
    shapes: Annotated[
        list[str] | None,
        typer.Option(
            help="A collection of shapes to measure on. May be given several times.",
            show_default=" and ".join((", ".join(NAMES[:-1]), NAMES[-1])),
        ),
    ] = None
    figures: Annotated[
        Path | None, typer.Option(help="Write pictures of presets, presets_of_scenes and operators to this folder.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False
