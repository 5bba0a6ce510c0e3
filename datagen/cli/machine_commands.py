"""Commands about this machine. Heavy imports stay inside them: `--help` loads none."""

from typing import Any

import typer

from datagen.cli.options import BenchOptions, takes


@takes(BenchOptions)
def bench(**given: Any) -> None:
    """Measure this machine: render presets, phases of a build, reference bundles, scale and workers.

    The converged pictures to compare with take a minute and a half of CPU each. They are made once and kept in the
    cache.
    """
    from datagen.cli.bench import run_bench

    run_bench(BenchOptions(**given))


def doctor() -> None:
    """Say what this machine has, what is missing, and what to do about it.

    Exit code 5 when something needed is missing.
    """
    from datagen.cli.doctor import run_doctor

    raise typer.Exit(run_doctor())
