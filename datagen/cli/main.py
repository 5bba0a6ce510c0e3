"""`datagen`: the commands, and what their errors end with."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from datagen.core.errors import (
    EXIT_BUG,
    EXIT_QUARANTINED,
    EXIT_STOPPED_EARLY,
    EXIT_USAGE,
    EXIT_VERIFY_FAILED,
    DatagenError,
)

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
    shapes: Annotated[
        str | None, typer.Option(help="Collection (partnet/chair, toys, abc), or a folder or file of shapes.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Output folder; running again goes on.")] = Path("out/dataset"),
    recipe: Annotated[str | None, typer.Option(help="Recipe file, or the name of a built-in one.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; overrides the recipe's.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N shapes (scenes) in plan order.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Where collections are looked up first.")] = None,
    renderer: Annotated[str, typer.Option(help="cycles, or fake: numpy pixels in milliseconds.")] = "cycles",
    executor: Annotated[str, typer.Option(help="ray (all cores, or a cluster), or serial (this process).")] = "ray",
    workers: Annotated[int | None, typer.Option(min=1, help="Ray workers; default: the cores we may use.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Cycles threads a worker; ray: 1, serial: all.")] = None,
    job_minutes: Annotated[float, typer.Option(min=0.1, help="Longest half of a job under ray; then quarantine.")] = 15,
    job_gib: Annotated[
        float | None, typer.Option(min=0.5, help="Most memory of a ray worker; default: a core's share.")
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="loose files, or shards (tar; the default above 1,000 scenes).")
    ] = None,
    shard: Annotated[str, typer.Option(help="Only shard I of N of the jobs, as I/N.")] = "0/1",
    skip: Annotated[list[str] | None, typer.Option(help="Shape id to leave out; may be repeated.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Recipe value, as section.key=value.")] = None,
    also_done: Annotated[
        Path | None, typer.Option(help="Leave out what this folder of the same run holds: for scratch, merged later.")
    ] = None,
    missing: Annotated[bool, typer.Option(help="Print the shards of --shard 0/N with jobs left, as --array=.")] = False,
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
        job_minutes=job_minutes,
        job_gib=job_gib,
        shard=parse_shard(shard),
        layout=layout,
        skip=tuple(skip or ()),
        overrides=tuple(set_ or ()),
        missing=missing,
        also_done=also_done,
        dry_run=dry_run,
        as_json=json_,
    )
    raise typer.Exit(EXIT_QUARANTINED if code else 0)


@app.command()
def verify(
    dataset: Annotated[Path, typer.Argument(help="A dataset's folder: ours, a partial build, or the published one.")],
    report: Annotated[Path | None, typer.Option(help="The HTML page to write; default: report.html in it.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the findings as JSON on stdout.")] = False,
    rebuild: Annotated[float | None, typer.Option(help="Make this share of the jobs again and compare.")] = None,
    full: Annotated[bool, typer.Option(help="Replay the geometry of every sample, not of 200.")] = False,
    shapes: Annotated[str | None, typer.Option(help="The collection it was made from, if it is not found.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Where collections are looked up first.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sample that is replayed.")] = 0,
) -> None:
    """Check a dataset and draw a report. Exit 4: a check of level error failed."""
    from datagen.cli.verify import run_verify

    ok = run_verify(
        folder=dataset,
        report=report,
        as_json=json_,
        fraction=rebuild,
        full=full,
        shapes=shapes,
        data_root=data_root,
        seed=seed,
    )
    raise typer.Exit(0 if ok else EXIT_VERIFY_FAILED)


@app.command()
def export(
    dataset: Annotated[Path, typer.Argument(help="A dataset's folder, finished or partial.")],
    to: Annotated[str, typer.Option(help="Format: coco, or one that an installed package adds.")],
    out: Annotated[Path, typer.Option(help="Folder to write; empty, or not there yet.")],
) -> None:
    """Write a dataset's pictures and annotations in a format that other tools read."""
    from datagen.cli.export import run_export

    run_export(dataset, to, out)


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
def status(
    dataset: Annotated[Path, typer.Argument(help="A dataset's folder, finished or being built.")],
    json_: Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Jobs done, rejected and quarantined so far, the rate, and the time left. Reads logs only."""
    from datagen.cli.cluster import run_status

    run_status(dataset, json_)


@app.command()
def repro(
    dataset: Annotated[Path, typer.Argument(help="A dataset's folder.")],
    job_id: Annotated[str, typer.Argument(help="A job's id; a prefix does.")],
    shapes: Annotated[str | None, typer.Option(help="The collection, if it is elsewhere now.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to put the job's files; default: nowhere.")] = None,
) -> None:
    """Do one job again, alone, in this process, with the full trace of what goes wrong."""
    from datagen.cli.cluster import run_repro

    raise typer.Exit(run_repro(dataset, job_id, shapes, out))


@app.command()
def slurm(
    shapes: Annotated[str, typer.Option(help="Collection or folder, as for build; seen from the nodes.")],
    out: Annotated[Path, typer.Option(help="Output folder on the shared file system.")],
    tasks: Annotated[int, typer.Option(min=1, help="Shards N: fixed for the life of the array.")],
    recipe: Annotated[str, typer.Option(help="Recipe file or built-in recipe.")] = "brokenchairs",
    to: Annotated[Path, typer.Option(help="Folder for the job scripts.")] = Path("slurm"),
    account: Annotated[str, typer.Option(help="#SBATCH --account, if your cluster wants one.")] = "",
    partition: Annotated[str, typer.Option(help="#SBATCH --partition.")] = "",
    time: Annotated[str, typer.Option(help="#SBATCH --time a task.")] = "04:00:00",
    cpus: Annotated[int, typer.Option(min=1, help="Cores a task.")] = 4,
    mem: Annotated[str, typer.Option(help="#SBATCH --mem a task.")] = "16G",
    max_array: Annotated[int, typer.Option(min=1, help="MaxArraySize of your cluster (scontrol show config).")] = 1000,
    scratch: Annotated[str, typer.Option(help="Node-local folder, such as $SLURM_TMPDIR, merged at the end.")] = "",
    extra: Annotated[list[str] | None, typer.Option(help="Further option for datagen build; may be repeated.")] = None,
) -> None:
    """Write job scripts for a SLURM array (and one for Ray over several nodes), and say how to submit them.

    Submit with sbatch as printed. If tasks die or never start, run `datagen build ... --shard 0/N --missing`
    and submit the same scripts with the --array list it prints: N stays what it was. A task that is warned by
    USR1 before its time is up ends its jobs, requeues itself and goes on. `datagen status OUT` shows progress.
    """
    from datagen.cli.cluster import SlurmOptions, run_slurm

    options = SlurmOptions(shapes, out, recipe, account, partition, time, cpus, mem, scratch, tuple(extra or ()))
    run_slurm(options, tasks, to, max_array)


@app.command()
def unpack(
    dataset: Annotated[Path, typer.Argument(help="A dataset built with --layout shards.")],
    out: Annotated[Path, typer.Option(help="Where to write the published tree, manifest and split.json.")],
) -> None:
    """Write the published tree of loose files from a dataset's tar shards."""
    from datagen.cli.cluster import run_unpack

    run_unpack(dataset, out)


@app.command()
def merge(
    sources: Annotated[list[Path], typer.Argument(help="Folders of the same run, such as node-local ones.")],
    out: Annotated[Path, typer.Option(help="The folder to bring their jobs into.")],
    json_: Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Commit the finished jobs of several folders of one run into another; each job once."""
    from datagen.cli.cluster import run_merge

    run_merge(sources, out, json_)


@app.command()
def bench(
    quick: Annotated[bool, typer.Option(help="Smaller, for a first look.")] = False,
    only: Annotated[
        str, typer.Option(help="Parts: presets,plain,phases,bundles,scale,workers,verify,tabletop,operators.")
    ] = "",
    chairs: Annotated[int, typer.Option(min=1, help="Chairs that rendering is measured on.")] = 12,
    pictures: Annotated[int, typer.Option(min=1, max=12, help="Pictures of each: 4 views in 3 lights.")] = 12,
    shapes: Annotated[list[str] | None, typer.Option(help="Collection to measure on; may be repeated.")] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for the figures of --only operators.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Measure this machine: presets, a plain bpy script, phases of a build, reference bundles, scale, workers.

    Converged pictures to compare with take a minute and a half of CPU each, once: they are kept in the cache.
    """
    from datagen.cli.bench import run_bench

    parts = [part.strip() for part in only.split(",") if part.strip()]
    run_bench(quick, json_, parts, chairs, pictures, shapes or [], figures)


@app.command()
def doctor() -> None:
    """Say what this machine has, what is missing and what to do about it."""
    from datagen.cli.doctor import run_doctor

    raise typer.Exit(run_doctor())


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="A dataset's folder: built here or published, loose or in tar shards.")],
    model: Annotated[
        str | None, typer.Option(help="cmt, resnet_fpn, resnet_fpn_sa, vit, retrieval, viewpoint.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; default out/runs/NAME of the recipe.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Recipe file, or the name of one in recipes/train.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the run's newest checkpoint; start where there is none.")
    ] = False,
    init: Annotated[
        Path | None, typer.Option(help="Begin with the weights of this run or checkpoint, in a new run.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; overrides the recipe's.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Recipe value, as section.key=value.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, ...; default: CUDA if there is one.")] = None,
    unverified: Annotated[bool, typer.Option("--unverified", help="Train on data that verify has not passed.")] = False,
) -> None:
    """Train CMT or a baseline. Exit 4: the data do not pass verify; 5: no torch; 75: run again with --resume."""
    from datagen.cli.train import run_train

    run_train(
        data=data,
        model=model,
        out=out,
        recipe=recipe,
        resume=resume,
        init=init,
        seed=seed,
        overrides=tuple(set_ or ()),
        device=device,
        unverified=unverified,
    )


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run's folder, a checkpoint of one, or the published model.pt.")],
    data: Annotated[Path, typer.Option(help="A dataset's folder.")],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "test",
    out: Annotated[Path | None, typer.Option(help="Where JSON and page go; default: the run's folder.")] = None,
    sweep: Annotated[bool, typer.Option("--sweep", help="Also AUC over k and over the number of views.")] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Recipe value, as section.key=value.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA if there is one.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the metrics as JSON on stdout.")] = False,
) -> None:
    """Metrics with intervals on a split: JSON and an HTML page with curves, samples and correspondences."""
    from datagen.cli.train import run_evaluate

    run_evaluate(
        run=run,
        data=data,
        split=split,
        out=out,
        sweep=sweep,
        overrides=tuple(set_ or ()),
        device=device,
        as_json=json_,
    )


@app.command()
def predict(
    checkpoint: Annotated[Path, typer.Argument(help="A run's folder, a checkpoint of one, or the published model.pt.")],
    query: Annotated[Path, typer.Option(help="A photo; alpha or a plain background is taken away.")],
    reference: Annotated[Path, typer.Option(help="A folder of reference views, or a mesh, which is rendered.")],
    out: Annotated[Path | None, typer.Option(help="Write the attention picture here.")] = None,
    background: Annotated[str, typer.Option(help="auto, alpha, plain or keep.")] = "auto",
    shadow: Annotated[bool, typer.Option("--shadow", help="Paint a contact shadow below the object.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: CUDA if there is one.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the answer as JSON on stdout.")] = False,
) -> None:
    """Judge one photo against one reference: score, box, nearest view."""
    from datagen.cli.train import run_predict

    run_predict(
        checkpoint=checkpoint,
        query=query,
        reference=reference,
        out=out,
        background=background,
        shadow=shadow,
        device=device,
        as_json=json_,
    )


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
    except SystemExit as stop:
        if stop.code == 130:
            typer.echo("stopped; run the same command again to go on", err=True)
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
    raise DatagenStopped("the build was asked to stop; run the same command again to go on")


class DatagenStopped(DatagenError):
    """SIGTERM: what is committed stays."""

    exit_code = EXIT_STOPPED_EARLY


if __name__ == "__main__":
    main()
