"""What a user may say about a format: `--set key=value`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.core.errors import UsageError

MOST, MOST_DIGITS = 10_000_000, 9
"""The largest number that a setting may be: more points than that fit into no memory."""


@dataclass(frozen=True)
class Setting:
    """One key: its default, whose type is that of all values, what it means, and for words which there are."""

    default: bool | int | str
    about: str
    words: tuple[str, ...] = ()

    def parse(self, key: str, text: str) -> bool | int | str:
        """A value from the command line. Raises UsageError."""
        if isinstance(self.default, bool):
            if text in ("true", "false"):
                return text == "true"
            raise UsageError(f"--set {key}={text}: write true or false")
        if isinstance(self.default, int):
            if text.isdecimal() and len(text) <= MOST_DIGITS and 0 < int(text) <= MOST:
                return int(text)
            raise UsageError(f"--set {key}={text}: write a whole number from 1 to {MOST:,}")
        if self.words and text not in self.words:
            raise UsageError(f"--set {key}={text}: write one of {', '.join(self.words)}")
        return text


def parse_settings(to: str, known: Mapping[str, Setting], given: Sequence[str]) -> dict[str, Any]:
    """The value of every key of a format; `given` are texts `key=value`. Raises UsageError."""
    found: dict[str, Any] = {key: setting.default for key, setting in known.items()}
    for text in given:
        key, is_one, value = text.partition("=")
        if not is_one or key not in known:
            told = "; ".join(f"{name}={setting.default} ({setting.about})" for name, setting in known.items())
            raise UsageError(f"--set {text}: exporter {to} " + (f"has the keys {told}" if told else "has no keys"))
        found[key] = known[key].parse(key, value)
    return found
