"""Where everything that can be made again is kept."""

import os
from pathlib import Path


def cache_root() -> Path:
    """`$DATAGEN_CACHE`, else the folder `datagen` of `$XDG_CACHE_HOME`, else ~/.cache/datagen; it need not exist."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("DATAGEN_CACHE") or home / "datagen")
