"""Files that operating systems leave beside a user's own: never data."""

_NAMES = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"})


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name is hidden (`.DS_Store`, `._leg.obj`) or a system's own (`__MACOSX`)."""
    return name.startswith(".") or name.lower() in _NAMES
