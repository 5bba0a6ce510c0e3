"""`datagen doctor` and `datagen bench`: what this machine has, and what things cost on it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys

from rich.table import Table

from datagen.bench.run import Measurement, run
from datagen.bench.table import print_tables
from datagen.cli.build import print_json
from datagen.cli.console import console as open_console
from datagen.cli.options import BenchOptions
from datagen.core.errors import DatagenError
from datagen.kinds.registry import kinds
from datagen.shapes.built_in import STAND_INS

NEEDED = {
    "bpy": "pip install 'bpy==4.5.*' (Python 3.11 only)",
    "trimesh": "pip install 'trimesh==5.2.*'",
    "manifold3d": "pip install 'manifold3d==3.5.*'",
    "pymeshlab": "pip install pymeshlab",
    "embreex": "pip install embreex",
    "pyarrow": "pip install pyarrow",
}
OPTIONAL = {
    "pyrender": "option reference.renderer: pyrender; pip install pyrender, and libEGL",
    "ray": "parallel builds; pip install 'ray==2.60.*'",
    "cascadio": "STEP files; pip install 'datagen[step]'",
    "torch": "training; pip install 'datagen[train]'",
    "pytorch3d": "camera adapter; build it from source, see README",
}


def run_doctor() -> int:
    """Print a table; 5 if something needed is missing, else 0."""
    console = open_console(stderr=False)
    table = Table(title="datagen doctor", title_justify="left")
    for name in ("what", "state", "what to do"):
        table.add_column(name)
    missing = False
    right = platform.python_version_tuple()[:2] == ("3", "11")
    table.add_row("Python", platform.python_version(), "" if right else "use Python 3.11: bpy has wheels for no other")
    for name, advice in NEEDED.items():
        found = importlib.util.find_spec(name) is not None
        missing |= not found
        table.add_row(name, importlib.metadata.version(name) if found else "MISSING", "" if found else advice)
    for name, advice in OPTIONAL.items():
        found = importlib.util.find_spec(name) is not None
        table.add_row(name, importlib.metadata.version(name) if found else "not installed", "" if found else advice)
    free = shutil.disk_usage(".").free / 2**30
    table.add_row("cores", str(len(os.sched_getaffinity(0))), "")
    table.add_row("disk here", f"{free:.0f} GiB free", "" if free > 5 else "a shape takes about 9 MiB; make room")
    table.add_row("collections", _collections(), "--data-root or $DATAGEN_DATA adds a folder, such as PartNet's")
    table.add_row("categories", _categories(), "a category file of yours: docs/extending/category.md")
    if not missing:
        table.add_row("Blender", *_blender())
    console.print(table)
    return 5 if missing else 0


def _blender() -> tuple[str, str]:
    from datagen.render.blender.client import BlenderProcess

    process = BlenderProcess()
    try:
        return f"{process.versions()['renderer']}; {', '.join(process.devices())}", ""
    except DatagenError as error:
        return "does not start", str(error)
    finally:
        process.close()


def _collections() -> str:
    from datagen.shapes.collections import open_collection

    try:
        source = open_collection(STAND_INS)
    except DatagenError as error:
        return str(error)
    kind = "stand-ins made by this project" if source.stand_in else "real"
    return f"{STAND_INS}: {len(source.entries())} shapes, {kind}"


def _categories() -> str:
    from datagen.recipe.categories import built_in_names
    from datagen.shapes.standins.collection import GENERATORS

    made = f"stand-ins for {', '.join(sorted(GENERATORS))} are made on demand"
    return f"{', '.join(built_in_names())}; {made}"


def run_bench(options: BenchOptions) -> None:
    """The parts named, in order. Raises UsageError for an unknown one."""
    shapes, only = tuple(options.shapes or ()), [part.strip() for part in options.only.split(",") if part.strip()]
    measurement = Measurement(options.quick, options.objects, options.pictures, shapes, options.figures)
    benches = {name: bench for _, kind in sorted(kinds().items()) for name, bench in kind.benches.items()}
    console = open_console()
    document = run(benches, only, measurement, console.status)
    if options.as_json:
        print_json(document)
    else:
        print_tables(document, open_console(stderr=False, file=sys.stdout, width=110))
