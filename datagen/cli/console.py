"""The one way to print: paths and names of the user stand as they are, never read as markup."""

from typing import Any

from rich.console import Console
from rich.text import Text


def console(stderr: bool = True, **options: Any) -> Console:
    """A console that takes `[v1]` in a path for itself; progress and logs go to stderr, answers to stdout."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, **options)


def say(out: Console, kind: str, text: str, style: str = "yellow") -> None:
    """One line that begins with its kind: `note: ...`."""
    out.print(Text.assemble((f"{kind}: ", style), text), soft_wrap=True)
