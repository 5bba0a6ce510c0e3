"""Inline SVG plots: strings that take their colours from the page's style, so that dark mode is free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 38, 8, 10, 34


@dataclass(frozen=True)
class Series:
    """Values of one group; `style` is a class of the page's style sheet (normal, anomaly, or a kind)."""

    name: str
    style: str
    values: Sequence[float]


def _ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers within [low, high]."""
    if high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** np.floor(np.log10(raw))
    step = min((m * power for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - raw))
    first = np.ceil(low / step - 1e-9) * step
    return [float(v) + 0.0 for v in np.arange(first, high + step * 1e-6, step)]


def _decades(low: float, high: float) -> list[float]:
    """Logarithms of 1, 3, 10, 30, ... within [low, high]."""
    marks = [float(np.log10(m)) + e for e in range(int(low) - 1, int(high) + 2) for m in (1, 3)]
    return [mark for mark in marks if low <= mark <= high]


def _text(x: float, y: float, text: str, anchor: str = "middle", style: str = "tick") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(text)}</text>'


def _svg(label: str, body: Sequence[str], width: float = WIDTH, height: float = HEIGHT) -> str:
    inside = "".join(body)
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}" class="plot">'
        f"<title>{escape(label)}</title>{inside}</svg>"
    )


def _axes(
    x: tuple[float, float], top: float, x_label: str, unit: str, logarithmic: bool = False
) -> tuple[list[str], "Scale"]:
    scale = Scale(x, top)
    base = HEIGHT - BOTTOM
    parts = [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" class="axis"/>']
    for value in _decades(*x) if logarithmic else _ticks(*x):
        px = scale.x(value)
        parts.append(f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{base}" y2="{base + 4}" class="axis"/>')
        parts.append(_text(px, base + 15, f"{10**value:,.0f}".replace(",", " ") if logarithmic else f"{value:.3g}"))
    for value in _ticks(0, top, 3):
        py = scale.y(value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{py:.1f}" y2="{py:.1f}" class="grid"/>')
        parts.append(_text(LEFT - 5, py + 3.5, f"{value:.3g}", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 3, x_label + (f" [{unit}]" if unit else ""), style="label"))
    return parts, scale


@dataclass(frozen=True)
class Scale:
    """Data to the plot's pixels."""

    span: tuple[float, float]
    top: float

    def x(self, value: float) -> float:
        """Horizontal position."""
        low, high = self.span
        return LEFT + (value - low) / max(high - low, 1e-12) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Vertical position."""
        return HEIGHT - BOTTOM - value / max(self.top, 1e-12) * (HEIGHT - TOP - BOTTOM)


def histogram(
    series: Sequence[Series],
    label: str,
    unit: str = "",
    bins: int = 24,
    span: tuple[float, float] | None = None,
    logarithmic: bool = False,
) -> str:
    """Outlined histograms of several groups, each in per cent of its own group; '' without a value."""
    drawn = [(s, np.asarray(s.values, dtype=float)) for s in series if len(s.values)]
    if logarithmic:
        drawn = [(s, np.log10(np.maximum(v, 1e-9))) for s, v in drawn]
    if not drawn:
        return ""
    joined = np.concatenate([v for _, v in drawn])
    low, high = span or (float(joined.min()), float(joined.max()))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    shares = [(s, 100 * np.histogram(v, edges)[0] / len(v)) for s, v in drawn]
    top = 1.08 * max(float(share.max()) for _, share in shares)
    parts, scale = _axes((low, high), top, label, unit, logarithmic)
    for s, share in shares:
        points = [f"{scale.x(edges[0]):.1f},{scale.y(0):.1f}"]
        for k, value in enumerate(share):
            y = scale.y(float(value))
            points += [f"{scale.x(edges[k]):.1f},{y:.1f}", f"{scale.x(edges[k + 1]):.1f},{y:.1f}"]
        points.append(f"{scale.x(edges[-1]):.1f},{scale.y(0):.1f}")
        parts.append(f'<polygon points="{" ".join(points)}" class="area {s.style}"/>')
    names = ", ".join(f"{s.name} ({len(v)})" for s, v in drawn)
    return _svg(f"{label}: {names}, per cent of each", parts)


def bars(groups: Mapping[str, Mapping[str, float]], styles: Mapping[str, str], label: str) -> str:
    """Grouped horizontal bars: name -> group -> share in 0..1."""
    if not groups:
        return ""
    row, bar = 26, 9
    height = row * len(groups) + 24
    top = max((v for shares in groups.values() for v in shares.values()), default=1.0) or 1.0
    left, parts = 92, []
    for k, (name, shares) in enumerate(groups.items()):
        y = 6 + k * row
        parts.append(_text(left - 7, y + bar + 3, name, "end"))
        for j, (group, share) in enumerate(shares.items()):
            width = share / top * (WIDTH - left - 44)
            parts.append(
                f'<rect x="{left}" y="{y + j * bar:.1f}" width="{width:.1f}" height="{bar - 1}" '
                f'class="{styles[group]}"/>'
            )
            parts.append(_text(left + width + 4, y + j * bar + 7.5, f"{100 * share:.1f} %", "start", "small"))
    parts.append(_text((left + WIDTH) / 2, height - 4, label, style="label"))
    return _svg(label, parts, WIDTH, height)


def intervals(rows: Sequence[tuple[str, float, float, float, str]], marks: Sequence[tuple[float, str]]) -> str:
    """Points with intervals on a scale from 0.3 to 1: (name, value, low, high, style); vertical marks with words."""
    if not rows:
        return ""
    row, left, width = 24, 150, 560
    height = row * len(rows) + 44

    def at(value: float) -> float:
        return left + (min(max(value, 0.3), 1.0) - 0.3) / 0.7 * (width - left - 20)

    parts = []
    for value, word in marks:
        parts.append(f'<line x1="{at(value):.1f}" x2="{at(value):.1f}" y1="16" y2="{height - 26}" class="mark"/>')
        parts.append(_text(at(value), 11, word, style="small"))
    for k, (name, value, low, high, style) in enumerate(rows):
        y = 30 + k * row
        parts.append(_text(left - 10, y + 4, name, "end"))
        parts.append(f'<line x1="{at(low):.1f}" x2="{at(high):.1f}" y1="{y}" y2="{y}" class="whisker {style}"/>')
        parts.append(f'<circle cx="{at(value):.1f}" cy="{y}" r="4" class="dot {style}"/>')
    for value in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        parts.append(_text(at(value), height - 12, f"{value:g}"))
    parts.append(_text((left + width) / 2, height, "area under the ROC curve", style="label"))
    return _svg("AUC of the probes with bootstrap intervals", parts, width, height + 4)


def funnel(stages: Sequence[tuple[str, int]], style: str, label: str) -> str:
    """Bars of shrinking length, one a stage."""
    most = max((count for _, count in stages), default=0)
    if most == 0:
        return ""
    row, left = 20, 92
    height = row * len(stages) + 6
    parts = []
    for k, (name, count) in enumerate(stages):
        y, width = 3 + k * row, count / most * (WIDTH - left - 50)
        parts.append(_text(left - 7, y + 12, name, "end"))
        parts.append(f'<rect x="{left}" y="{y}" width="{width:.1f}" height="15" class="{style} s{k}"/>')
        parts.append(_text(left + width + 5, y + 12, f"{count}", "start", "small"))
    return _svg(label, parts, WIDTH, height)
