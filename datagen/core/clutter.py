"""Files that operating systems leave beside a user's own: never data."""

import os
from collections.abc import Iterable
from pathlib import Path

from datagen.core.errors import UsageError

_NAMES = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"})


def real(path: Path) -> Path:
    """Where a path leads once its links are followed; a loop of links leads to itself."""
    return Path(os.path.realpath(path))


def check_name(path: Path) -> None:
    """Raise UsageError for a name that is no UTF-8: ids, tables and cards could not hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise UsageError(f"{shown}: the name is not UTF-8; rename it, with `convmv -f latin1 -t utf8` say") from error


def tidy(paths: Iterable[Path]) -> list[Path]:
    """Paths sorted, without those whose own name is clutter."""
    return sorted(path for path in paths if not is_clutter(path.name))


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is hidden (`.DS_Store`, `._leg.obj`) or a system's own (`__MACOSX`)."""
    return name.startswith(".") or name.lower() in _NAMES
