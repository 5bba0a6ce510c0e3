"""What commands of modules (`python -m datagen...`) share with `datagen`: errors a user can act on are one line."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from datagen.core.errors import DatagenError


def run_command(main: Callable[[Sequence[str]], Any], arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a module's `main` on the words of the command line and end the process, with the code of an error that a user
    can act on, whose message is one line on stderr. Another error keeps its trace."""
    try:
        code = main(sys.argv[1:] if arguments is None else arguments)
    except DatagenError as error:
        sys.stderr.write(one_line(str(error)) + "\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def one_line(text: str) -> str:
    """A message with what a terminal would act on (line ends and escapes in file names) written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def from_one(text: str) -> int:
    """A whole number from 1 on, for `argparse`. Raises ArgumentTypeError."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few; give 1 or more")
    return number
