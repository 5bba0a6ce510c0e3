"""The figures of `paired_study` as Markdown."""

import re
from collections.abc import Sequence
from typing import Any


def table(found: dict[str, Any]) -> str:
    """The study as Markdown, a part a dataset."""
    lines = []
    for name, part in found.items():
        shapes = f"{part['train_shapes']} training shapes, {part['test_shapes']} test shapes"
        lines += [f"**{name}**: {shapes} with {part['test_images']} images.", ""]
        for rows in (_networks(part["arms"]), _ways(part["arms"]), _angles(part["arms"]), _by_group(part["arms"])):
            lines += [*rows, ""] if rows else []
    return "\n".join(lines)


def _networks(told: dict[str, Any]) -> list[str]:
    titles = ("natural AUC", "minus query only", "others' references", "pairs", "clean relation", "group score")
    rows = []
    for arm, of_arm in told.items():
        pairs, apart = of_arm["pairs"].get("pairs", {}), of_arm.get("minus_baseline", {}).get("natural")
        cells = [_cell(of_arm["auc"]["natural"]), _difference(apart), _plain(of_arm["auc"].get("shuffled"))]
        cells += [_cell(pairs.get(key)) for key in ("auc", "auc_clean", "group_score")]
        rows.append([f"{_short(arm)} ({of_arm['seeds']})", *cells])
    return _rows("network (seeds)", titles, rows)


def _ways(told: dict[str, Any]) -> list[str]:
    titles = ("view", "points", "mesh", "own camera", "pose error (deg)", "within 2 deg")
    rows = []
    for arm, of_arm in told.items():
        keys = ("natural", "natural, points", "natural, mesh", "natural, own_camera")
        if any(key in of_arm["auc"] for key in keys[1:]):
            poses = of_arm.get("poses", {}).get("natural, mesh", {})
            errors = [_plain(poses.get(key)) for key in ("pose_error_deg", "pose_within_2_deg")]
            rows.append([_short(arm), *(_cell(of_arm["auc"].get(key)) for key in keys), *errors])
    return _rows("natural AUC, compared with", titles, rows)


def _angles(told: dict[str, Any]) -> list[str]:
    titles = sorted({s for of_arm in told.values() for s in of_arm["angles"]["natural"]}, key=_first_number)
    rows = []
    for arm, of_arm in told.items():
        for way, values in of_arm["angles"].items():
            rows.append([_short(arm) + way.removeprefix("natural"), *(_number(values.get(step)) for step in titles)])
    return _rows("degrees to the nearest view", titles, rows)


def _by_group(told: dict[str, Any]) -> list[str]:
    titles = list(dict.fromkeys(group for of_arm in told.values() for group in of_arm["groups"]))
    rows = [[_short(arm), *(_number(of_arm["groups"].get(group)) for group in titles)] for arm, of_arm in told.items()]
    return _rows("natural AUC", titles, rows)


def _short(arm: str) -> str:
    """A network's name, a long list of values in it by its length alone."""
    return re.sub(r"\[[^\]]{40,}\]", lambda found: f"[{found[0].count(',') + 1} values]", arm)


def _rows(corner: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    return [
        f"| {corner} | {' | '.join(titles)} |",
        "|---" * (1 + len(titles)) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _first_number(text: str) -> int:
    return int(text.split()[0])


def _cell(figure: dict[str, Any] | None) -> str:
    if figure is None or figure["value"] is None:
        return "-"
    low, high = figure["interval"]
    return f"{figure['value']:.3f} ({low:.3f} to {high:.3f})" if low is not None else f"{figure['value']:.3f}"


def _plain(figure: dict[str, Any] | None) -> str:
    return "-" if figure is None or figure["value"] is None else f"{figure['value']:.3f}"


def _difference(figure: dict[str, Any] | None) -> str:
    if figure is None or figure["value"] is None:
        return "-"
    low, high = figure["interval"]
    return f"{figure['value']:+.3f}" + (f" ({low:+.3f} to {high:+.3f})" if low is not None else "")
