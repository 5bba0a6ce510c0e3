"""In what two recipes or notes differ, in words."""

import json
from collections.abc import Mapping
from typing import Any

from datagen.core.listed import listed

SHOWN = 4
"""Differing values that are told one by one."""


def differing(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """The values in which two nested records differ, by dotted name."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in sorted({*a, *b}):
        ours, theirs = a.get(key), b.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            found |= differing(ours, theirs, f"{prefix}{key}.")
        elif ours != theirs:
            found[f"{prefix}{key}"] = (ours, theirs)
    return found


def differences_in_words(pairs: Mapping[str, tuple[Any, Any]]) -> str:
    """What was asked for and what is there, value by value; empty where nothing differs."""
    said = [f"{key} (asked for {_brief(ours)}, there {_brief(theirs)})" for key, (ours, theirs) in pairs.items()]
    return listed(said, SHOWN)


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
