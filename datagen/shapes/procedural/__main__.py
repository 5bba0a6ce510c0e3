"""python -m datagen.shapes.procedural --out DIR --count N --seed S [--quirks] [--families NAME ...]"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from datagen.core.command import from_one, run_command
from datagen.shapes.procedural.families import FAMILIES
from datagen.shapes.procedural.write import generate


def main(argv: Sequence[str]) -> int:
    """Write chairs and name the folder on stderr."""
    parser = argparse.ArgumentParser(prog="python -m datagen.shapes.procedural", description="Write stand-in chairs.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=from_one, default=24, help="number of chairs")
    parser.add_argument("--seed", type=int, default=0, help="seed of all shapes")
    parser.add_argument("--quirks", action="store_true", help="with the oddities of PartNet's files")
    parser.add_argument(
        "--families",
        nargs="+",
        choices=list(FAMILIES),
        default=list(FAMILIES),
        metavar="NAME",
        help=f"of these chairs write those of some families alone: {', '.join(FAMILIES)}",
    )
    given = parser.parse_args(argv)
    ids = generate(given.out, given.count, given.seed, given.quirks, given.families)
    sys.stderr.write(f"{len(ids)} chairs in {given.out}\n")
    return 0


if __name__ == "__main__":
    run_command(main)
