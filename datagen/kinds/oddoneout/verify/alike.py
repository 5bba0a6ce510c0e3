"""Whether two tables say the same: numbers within a tolerance, canonical JSON by what it holds."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

CLOSE = 1e-6
"""Share by which two numbers may differ that were written from one."""


def alike(a: Any, b: Any, close: float = CLOSE) -> bool:
    """Whether two plain values say the same: numbers within a share of the larger (or of 1), text and keys exactly."""
    if isinstance(a, bool) or isinstance(b, bool):
        return bool(a == b)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= close * max(abs(a), abs(b), 1.0)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(alike(a[key], b[key], close) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(alike(x, y, close) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def differing(
    told: Mapping[str, Any], wanted: Mapping[str, Any], close: float = CLOSE
) -> Iterator[tuple[str, str, str]]:
    """(key, what is told, what is wanted) of the wanted keys that are told otherwise, each cut to be read."""
    for key, value in wanted.items():
        if not alike(_parsed(told.get(key)), _parsed(value), close):
            yield key, _short(told.get(key)), _short(value)


def _parsed(value: Any) -> Any:
    """JSON objects in text as what they hold."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
