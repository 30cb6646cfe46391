"""Small pieces of HTML for notebooks: a table of a name and what it says, a curve as a line of text is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from tsphys.ground.lines import printable

_CELL = "text-align:left;vertical-align:middle;padding:1px 10px 1px 0"


def table(title: str, rows: Mapping[str, str]) -> str:
    """A table with a title; its cells are HTML."""
    lines = "".join(
        f'<tr><td style="{_CELL};opacity:.65">{text(k)}</td><td style="{_CELL}">{v}</td></tr>' for k, v in rows.items()
    )
    return f"<div><b>{text(title)}</b><table style='margin:2px 0;border:none'>{lines}</table></div>"


def text(value: object) -> str:
    """A text as it stands."""
    return escape(printable(value))


def sparkline(values: Sequence[float], *, width: int = 120, height: int = 22) -> str:
    """A curve without axes, of the finite among the values; nothing if there are fewer than two."""
    kept = [(i, v) for i, v in enumerate(values) if abs(v) < 1e300]
    if len(kept) < 2:
        return ""
    low, high = min(v for _, v in kept), max(v for _, v in kept)
    span, last = (high - low) or 1.0, max(len(values) - 1, 1)
    points = " ".join(f"{i / last * (width - 4) + 2:.1f},{(high - v) / span * (height - 4) + 2:.1f}" for i, v in kept)
    return (
        f'<svg width="{width}" height="{height}" style="vertical-align:middle" role="img">'
        f'<polyline points="{points}" fill="none" stroke="#0072B2" stroke-width="1.4"/></svg>'
    )
