"""Commands for builds on many machines. Heavy imports stay inside them: `--help` loads none."""

from pathlib import Path
from typing import Annotated, Any

import typer

from datagen.cli.options import SlurmOptions, takes


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
