"""`datagen`: the commands, and what their errors end with."""

import errno
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from datagen import __version__
from datagen.cli import commands
from datagen.core.command import one_line
from datagen.core.errors import EXIT_BUG, EXIT_STOPPED_EARLY, EXIT_USAGE, DatagenError

app = typer.Typer(
    name="datagen",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

PANELS: Mapping[str, tuple[Callable[..., None], ...]] = {
    "Make a dataset": (commands.inspect, commands.build, commands.status, commands.repro, commands.import_),
    "Look at a dataset": (commands.verify, commands.show, commands.view, commands.export, commands.unpack),
    "Use many machines": (commands.slurm, commands.merge),
    "Train on a dataset": (commands.train, commands.evaluate, commands.calibrate, commands.predict),
    "Know this machine": (commands.doctor, commands.bench),
}
"""Commands by their heading in `datagen --help`."""

for _panel, _commands in PANELS.items():
    for _command in _commands:
        app.command(_command.__name__.rstrip("_"), rich_help_panel=_panel)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"datagen {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Make conditional 3D anomaly-detection datasets from part-annotated meshes."""


def main() -> None:
    """Entry point: one line for an error a user can act on, a trace for a bug."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(prog_name="datagen", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except DatagenError as error:
        typer.echo(one_line(str(error)), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            _show_other(error)
        typer.echo(f"UsageError: {str(error.filename)[:80]}...: {error.strerror}; choose a shorter path", err=True)
        sys.exit(EXIT_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo(f"stopped; {_again()}", err=True)
        sys.exit(130)
    except SystemExit as stop:
        if stop.code == 130:
            typer.echo(f"stopped; {_again()}", err=True)
        raise
    except UnicodeEncodeError as error:
        if "surrogates" not in error.reason:
            _show_other(error)
        typer.echo(f"UsageError: a path or name is not UTF-8: {ascii(error.object)[:200]}; rename it", err=True)
        sys.exit(EXIT_USAGE)
    except Exception as error:
        _show_other(error)


def _show_other(error: Exception) -> None:
    """Usage errors of the command line are exit 2; anything else is a bug and keeps its trace."""
    show = getattr(error, "show", None)
    if show is not None:
        show()
        sys.exit(getattr(error, "exit_code", 2))
    import traceback

    traceback.print_exc()
    typer.echo("this is a bug in datagen; please report it with the trace above", err=True)
    sys.exit(EXIT_BUG)


def _stop(*_: object) -> None:
    raise DatagenStopped(f"asked to stop; {_again()}")


def _again() -> str:
    """How to go on with what was stopped: a run of training is not gone on with unasked."""
    words = sys.argv[1:]
    if words[:1] == ["train"] and "--resume" not in words:
        return "run the same command again with --resume to go on"
    return "run the same command again to go on"


class DatagenStopped(DatagenError):
    """SIGTERM: what is committed stays."""

    exit_code = EXIT_STOPPED_EARLY


if __name__ == "__main__":
    main()
