"""`datagen bench`: measure, print tables, or JSON."""

import sys

from datagen.bench.run import Measurement, run
from datagen.bench.table import print_tables
from datagen.cli.build import print_json
from datagen.cli.console import console as open_console
from datagen.cli.options import BenchOptions
from datagen.kinds.registry import kinds


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
