"""`datagen`: the commands, and what their errors end with."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from datagen.core.errors import EXIT_BUG, EXIT_QUARANTINED, EXIT_STOPPED_EARLY, DatagenError

app = typer.Typer(
    name="datagen",
    help="Make conditional 3D anomaly-detection datasets from part-annotated meshes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def common() -> None:
    """Make conditional 3D anomaly-detection datasets from part-annotated meshes."""


@app.command()
def build(
    shapes: Annotated[str, typer.Option(help="Collection (partnet/chair) or a folder or file of shapes.")],
    out: Annotated[Path, typer.Option(help="Output folder; running again goes on.")] = Path("out/dataset"),
    recipe: Annotated[str | None, typer.Option(help="Recipe file, or the name of a built-in one.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; overrides the recipe's.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N shapes in plan order.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Where collections are looked up first.")] = None,
    renderer: Annotated[str, typer.Option(help="cycles, or fake: numpy pixels in milliseconds.")] = "cycles",
    executor: Annotated[str, typer.Option(help="ray (all cores, or a cluster), or serial (this process).")] = "ray",
    workers: Annotated[int | None, typer.Option(min=1, help="Ray workers; default: the cores we may use.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Cycles threads a worker; ray: 1, serial: all.")] = None,
    shard: Annotated[str, typer.Option(help="Only shard I of N of the jobs, as I/N.")] = "0/1",
    skip: Annotated[list[str] | None, typer.Option(help="Shape id to leave out; may be repeated.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Recipe value, as section.key=value.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would be made, and what it would cost.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the closing summary as JSON on stdout.")] = False,
) -> None:
    """Build a dataset. Exit 3: finished, some shapes quarantined; 6: another recipe's folder; 75: run again."""
    from datagen.cli.build import parse_shard, run_build
    from datagen.pipeline.cores import usable_cores

    code = run_build(
        shapes=shapes,
        out=out,
        recipe=recipe,
        seed=seed,
        limit=limit,
        data_root=data_root,
        renderer_name=renderer,
        executor=executor,
        workers=workers,
        threads=threads or (1 if executor == "ray" else usable_cores()),
        shard=parse_shard(shard),
        skip=tuple(skip or ()),
        overrides=tuple(set_ or ()),
        dry_run=dry_run,
        as_json=json_,
    )
    raise typer.Exit(EXIT_QUARANTINED if code else 0)


@app.command()
def show(
    dataset: Annotated[Path, typer.Argument(help="A dataset's folder.")],
    sample: Annotated[list[str] | None, typer.Option(help="Sample id (a prefix does) or image path.")] = None,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("sample.png"),
    sheet: Annotated[int | None, typer.Option(help="Instead: a contact sheet of N samples of all kinds.")] = None,
) -> None:
    """One picture of a sample: reference, query, and the overlay with masks and box."""
    from datagen.cli.show import run_show

    run_show(dataset, tuple(sample or ()), out, sheet)


@app.command()
def doctor() -> None:
    """Say what this machine has, what is missing and what to do about it."""
    from datagen.cli.doctor import run_doctor

    raise typer.Exit(run_doctor())


def main() -> None:
    """Entry point: one line for an error a user can act on, a trace for a bug."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except DatagenError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("stopped; run the same command again to go on", err=True)
        sys.exit(130)
    except SystemExit:
        raise
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
    raise DatagenStopped("the build was asked to stop; run the same command again to go on")


class DatagenStopped(DatagenError):
    """SIGTERM: what is committed stays."""

    exit_code = EXIT_STOPPED_EARLY


if __name__ == "__main__":
    main()
