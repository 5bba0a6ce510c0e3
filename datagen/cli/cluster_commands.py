"""Commands for builds on many machines. Heavy imports stay inside them: `--help` loads none."""

from pathlib import Path
from typing import Annotated

import typer

from datagen.kinds.defaults import DEFAULT_RECIPE


def slurm(
    shapes: Annotated[str, typer.Option(help="A collection or folder of shapes, as the nodes see it.")],
    out: Annotated[Path, typer.Option(help="The dataset's folder, on the shared file system.")],
    tasks: Annotated[
        int, typer.Option(min=1, help="Number of tasks that the jobs are dealt over. It stays the same to the end.")
    ],
    recipe: Annotated[str, typer.Option(help="A recipe file, or the name of a built-in recipe.")] = DEFAULT_RECIPE,
    to: Annotated[Path, typer.Option(help="The folder to write the job scripts to.")] = Path("slurm"),
    account: Annotated[str, typer.Option(help="The account to charge (#SBATCH --account).")] = "",
    partition: Annotated[str, typer.Option(help="The partition to run in (#SBATCH --partition).")] = "",
    time: Annotated[
        str, typer.Option(help="Wall-clock limit of a task, as hours:minutes:seconds (#SBATCH --time).")
    ] = "04:00:00",
    cpus: Annotated[int, typer.Option(min=1, help="CPU cores of a task.")] = 4,
    mem: Annotated[str, typer.Option(help="Memory of a task (#SBATCH --mem).")] = "16G",
    max_array: Annotated[
        int,
        typer.Option(min=1, help="Most tasks in one array: MaxArraySize of the cluster (scontrol show config)."),
    ] = 1000,
    scratch: Annotated[
        str,
        typer.Option(help="Build in this folder of the node, such as $SLURM_TMPDIR, and merge into --out at the end."),
    ] = "",
    extra: Annotated[
        list[str] | None, typer.Option(help="A further option for `datagen build`. May be given several times.")
    ] = None,
) -> None:
    """Write job scripts for a SLURM array, and one for Ray over several nodes; say how to submit them.

    If tasks die or never start, run `datagen build ... --shard 0/N --missing` with the same number of tasks N, and
    submit the same scripts with the --array list that it prints. A task whose time is nearly up ends its jobs,
    requeues itself and goes on. `datagen status` shows the progress.
    """
    from datagen.cli.cluster import SlurmOptions, run_slurm

    options = SlurmOptions(shapes, out, recipe, account, partition, time, cpus, mem, scratch, tuple(extra or ()))
    run_slurm(options, tasks, to, max_array)


def merge(
    sources: Annotated[list[Path], typer.Argument(help="Folders of one dataset, such as those on scratch disks.")],
    out: Annotated[Path, typer.Option(help="The folder to copy their jobs into.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON on stdout.")] = False,
) -> None:
    """Copy the finished jobs of several folders of one dataset into another, each job once."""
    from datagen.cli.cluster import run_merge

    run_merge(sources, out, as_json)
