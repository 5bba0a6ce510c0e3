"""Commands around a build that runs elsewhere: status, repro, slurm, merge."""

import shlex
import shutil
import traceback
from dataclasses import replace
from pathlib import Path
from string import Template

from datagen.cli.build import print_json
from datagen.cli.console import console as open_console
from datagen.cli.options import SlurmOptions
from datagen.core.clutter import tidy
from datagen.core.errors import EXIT_OK, EXIT_QUARANTINED, UsageError
from datagen.core.folders import bundled
from datagen.kinds.registry import load_recipe, make_plan, open_shapes, parse_recipe
from datagen.pipeline.assets import open_library
from datagen.pipeline.jobs import run_job
from datagen.pipeline.merge import merge
from datagen.pipeline.status import status
from datagen.pipeline.worker import JOB_ERRORS
from datagen.recipe.loader import find_recipe
from datagen.render.protocol import open_renderer
from datagen.store.dataset import check_output_path
from datagen.store.launch import read_launch, read_run
from datagen.store.shards import unpack


def run_status(root: Path, as_json: bool) -> None:
    """Print the figures of a build."""
    figures = status(root)
    if as_json:
        print_json(figures)
        return
    console = open_console(stderr=False)
    left = figures["seconds_left"]
    time_left = "unknown" if left is None else f"{left // 3600} h {left % 3600 // 60} min"
    console.print(
        f"{figures['jobs_done']} of {figures['jobs_planned']} jobs done, {figures['images']} images, "
        f"{figures['jobs_per_hour']:g} jobs/h, time left {time_left}",
    )
    rejected = ", ".join(f"{reason} {count}" for reason, count in figures["rejected"].items())
    console.print(f"rejected: {rejected or 'none'}", soft_wrap=True)
    console.print(f"quarantined: {len(figures['quarantined'])}")
    for job_id, why in list(figures["quarantined"].items())[:20]:
        console.print(f"  {why}; datagen repro {shlex.quote(str(root))} {job_id[:16]}", soft_wrap=True)


def run_repro(root: Path, job_id: str, shapes: str | None, out: Path | None) -> int:
    """Do one job again; 0 if it works now, 3 if it fails as before."""
    launch, run = read_launch(root), read_run(root)
    recipe = parse_recipe(dict(run["recipe"]), f"{root}/run.json")
    data_root = Path(launch["data_root"]) if launch.get("data_root") else None
    source = open_shapes(recipe, shapes or launch["shapes"], data_root)
    plan = make_plan(recipe, source, launch.get("limit"))
    found = [job for job in plan.jobs() if job.job_id.startswith(job_id)]
    if len(found) != 1:
        raise UsageError(f"{job_id} names {len(found)} jobs of {root}; give more digits, or the right --shapes")
    console = open_console()
    console.print(f"{found[0].job_type} job of {found[0].shape_id}, {found[0].kind}")
    renderer = open_renderer(launch["renderer"])
    try:
        bundle = run_job(found[0], plan.building.context(plan, open_library(plan), launch["renderer"], renderer))
    except JOB_ERRORS:
        console.print(traceback.format_exc(), soft_wrap=True)
        return EXIT_QUARANTINED
    finally:
        renderer.close()
    console.print(f"it works: {len(bundle.rows)} rows, {len(bundle.files)} files")
    for path, data in bundle.files.items() if out else ():
        target = Path(out or ".") / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return EXIT_OK


def template(name: str) -> Template:
    """A job script template of cluster/, from a checkout or an installed wheel. Raises UsageError."""
    path = bundled("cluster") / name
    if path.is_file():
        return Template(path.read_text())
    raise UsageError(f"the template {name} is not installed; take it from the cluster folder of the source")


def run_slurm(options: SlurmOptions) -> None:
    """Write the scripts and print what to submit."""
    to, tasks, max_array = options.to, options.tasks, options.max_array
    load_recipe(find_recipe(options.recipe))
    to.mkdir(parents=True, exist_ok=True)
    console = open_console(stderr=False)
    if Path(options.shapes).exists():
        options = replace(options, shapes=str(Path(options.shapes).absolute()))
    if Path(options.recipe).is_file():
        options = replace(options, recipe=str(Path(options.recipe).absolute()))
    scripts = [(offset, min(max_array, tasks - offset)) for offset in range(0, tasks, max_array)]
    for k, (offset, count) in enumerate(scripts):
        path = to / f"array-{k}.sh"
        path.write_text(template("slurm_array.sh.in").substitute(_values(options, offset)))
        console.print(f"sbatch --array=0-{count - 1} {shlex.quote(str(path))}", soft_wrap=True)
    ray_path = to / "ray-nodes.sh"
    ray_path.write_text(template("ray_nodes.sh.in").substitute(_values(options, 0)))
    quoted = shlex.quote(str(ray_path))
    console.print(f"or, on several nodes (4, say) at once under Ray: sbatch --nodes=4 {quoted}", soft_wrap=True)
    filled = _values(options, 0)
    named = f"datagen build --shapes {filled['shapes']} --recipe {filled['recipe']} --out {filled['out']}"
    again = " ".join([named, *(options.extra or ()), f"--shard 0/{tasks} --missing"])
    console.print(f"what is left later: {again}", soft_wrap=True)


def _values(options: SlurmOptions, offset: int) -> dict[str, str]:
    def line(name: str, value: str) -> str:
        return f"#SBATCH --{name}={value}" if value else f"##SBATCH --{name}=...   (if your cluster wants it)"

    return {
        "account_line": line("account", options.account),
        "partition_line": line("partition", options.partition),
        "time": options.time,
        "cpus": str(options.cpus),
        "mem": options.mem,
        "tasks": str(options.tasks),
        "offset": str(offset),
        "shapes": shlex.quote(options.shapes),
        "recipe": shlex.quote(options.recipe),
        "out": shlex.quote(str(options.out.absolute())),
        "scratch": options.scratch,
        "extra": " ".join(options.extra or ()),
    }


def run_merge(sources: list[Path], out: Path, as_json: bool) -> None:
    """Merge and print the figures."""
    figures = merge(sources, out)
    if as_json:
        print_json(figures)
    else:
        open_console().print(
            f"{figures['copied']} jobs copied, {figures['known']} were there already, {figures['jobs']} in all",
        )


def run_unpack(root: Path, out: Path) -> None:
    """Unpack and say how many files came out."""
    check_output_path(out)
    count = unpack(root, out)
    for path in tidy(root.iterdir()):
        if path.is_file():
            shutil.copyfile(path, out / path.name)
    open_console().print(f"{count} files in {out}")
