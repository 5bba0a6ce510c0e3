"""Commands about this machine. Heavy imports stay inside them: `--help` loads none."""

from pathlib import Path
from typing import Annotated

import typer

from datagen.kinds.defaults import MEASURED
from datagen.shapes.built_in import NAMES


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Measure less, for a first look.")] = False,
    only: Annotated[
        str,
        typer.Option(
            help="The parts to measure, with commas between: presets, plain, phases, bundles, scale, workers, verify, "
            "tabletop, operators.",
            show_default="all but operators",
        ),
    ] = "",
    objects: Annotated[
        int, typer.Option(f"--{MEASURED}", min=1, help=f"Number of {MEASURED} that rendering is measured on.")
    ] = 12,
    pictures: Annotated[
        int, typer.Option(min=1, max=12, help="Number of pictures of each of them: 4 views in up to 3 lights.")
    ] = 12,
    shapes: Annotated[
        list[str] | None,
        typer.Option(
            help="A collection of shapes to measure on. May be given several times.",
            show_default=" and ".join((", ".join(NAMES[:-1]), NAMES[-1])),
        ),
    ] = None,
    figures: Annotated[Path | None, typer.Option(help="Write the figures of --only operators to this folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Measure this machine: render presets, phases of a build, reference bundles, scale and workers.

    The converged pictures to compare with take a minute and a half of CPU each. They are made once and kept in the
    cache.
    """
    from datagen.bench.run import Measurement
    from datagen.cli.bench import run_bench

    parts = [part.strip() for part in only.split(",") if part.strip()]
    run_bench(Measurement(quick, objects, pictures, tuple(shapes or ()), figures), parts, as_json)


def doctor() -> None:
    """Say what this machine has, what is missing, and what to do about it.

    Exit code 5 when something needed is missing.
    """
    from datagen.cli.doctor import run_doctor

    raise typer.Exit(run_doctor())
