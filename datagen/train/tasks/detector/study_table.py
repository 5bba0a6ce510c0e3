"""The figures of `study` as Markdown."""

from collections.abc import Mapping
from typing import Any


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """A part a split: every arm with true boxes, with found ones, by kind, by number of objects and of views."""
    lines: list[str] = []
    for split, arms in found.items():
        some = next(iter(arms.values()))
        lines += [f"**{split}**: {some['scenes']} scenes, {some['objects']} objects.", ""]
        lines += _rows(
            ("", "AUC", "by scene", "accuracy", "last minus it", "recall", "swap score", "by place"),
            [
                (
                    name,
                    *(_cell(arm.get(key)) for key in ("auc", "auc_by_scene", "accuracy")),
                    _apart(arm.get("last_minus")),
                    _plain(arm.get("correspondence_recall")),
                    _cell(arm.get("swap_score")),
                    _plain(arm.get("swap_chance")),
                )
                for name, arm in arms.items()
            ],
        )
        lines += _rows(
            ("found boxes", "AUC", "accuracy, IoU > 0.5", "accuracy", "box recall", "count"),
            [
                (
                    f"{name}, {way}",
                    *(
                        _plain(told.get(key))
                        for key in ("auc", "accuracy_iou", "accuracy", "box_recall", "count_accuracy")
                    ),
                )
                for name, arm in arms.items()
                for way, told in arm.get("found_boxes", {}).items()
            ],
        )
        for title, key in (("AUC by kind", "per_kind"), ("AUC by objects", "per_count")):
            names = sorted({name for arm in arms.values() for name in arm.get(key, {})})
            lines += _rows(
                (title, *names), [(name, *(_number(arm[key].get(n)) for n in names)) for name, arm in arms.items()]
            )
        if any("per_views" in arm for arm in arms.values()):
            names = list(next(arm["per_views"] for arm in arms.values() if "per_views" in arm))
            lines += _rows(
                ("AUC by views", *names),
                [(name, *(_plain(arm["per_views"].get(n)) for n in names)) for name, arm in arms.items()],
            )
    return "\n".join(lines)


def _rows(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    cells = [head, ("---",) * len(head), *rows]
    return [*(f"| {' | '.join(row)} |" for row in cells), ""]


def _cell(figure: Mapping[str, Any] | None) -> str:
    if not figure or figure["value"] is None:
        return ""
    low, high = figure["interval"]
    return f"{figure['value']:.3f} ({_number(low)} to {_number(high)})"


def _plain(figure: Mapping[str, Any] | None) -> str:
    return _number(figure["value"]) if figure else ""


def _apart(figure: Mapping[str, Any] | None) -> str:
    if not figure or figure["value"] is None:
        return ""
    low, high = figure["interval"]
    return f"{figure['value']:+.3f} ({low:+.3f} to {high:+.3f})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
