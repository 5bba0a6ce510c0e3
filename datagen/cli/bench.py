"""`datagen bench`: measure, print tables, or JSON."""

import sys
from collections.abc import Sequence

from datagen.bench.run import Measurement, run
from datagen.bench.table import print_tables
from datagen.cli.build import print_json
from datagen.cli.console import console as open_console
from datagen.kinds.registry import kinds


def run_bench(measurement: Measurement, only: Sequence[str], as_json: bool) -> None:
    """The parts named, in order. Raises UsageError for an unknown one."""
    benches = {name: bench for _, kind in sorted(kinds().items()) for name, bench in kind.benches.items()}
    console = open_console()
    document = run(benches, only, measurement, console.status)
    if as_json:
        print_json(document)
    else:
        print_tables(document, open_console(stderr=False, file=sys.stdout, width=110))
