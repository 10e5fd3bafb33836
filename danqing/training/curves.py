"""Loss and score curves of a run, drawn from its log."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from danqing.core.disk import replacing
from danqing.core.learned.score_words import as_read
from danqing.training.record import read_log

TALL = 2.8  # inches a panel


def draw_curves(log: Path, file: Path) -> Path:
    """Draw losses, readings and scores over pictures seen into a PNG; what was not logged has no panel.

    A line stands where the doctor found something; a curve is broken where the run went back.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    entries = list(read_log(log))
    scores = _series(
        [{**entry, "scores": as_read(entry["scores"])} for entry in entries if "scores" in entry], "scores"
    )
    first = next((next(iter(entry["scores"]), "") for entry in entries if "scores" in entry), "")
    better = "more" if first.startswith("-") else "less"
    panels = {
        "losses": _series(entries, "losses"),
        "readings": _series(entries, "readings"),
        f"scores on held-out pictures (of {next(iter(scores), None)} {better} is better)": scores,
    }
    panels = {title: series for title, series in panels.items() if series}
    count = max(1, len(panels))
    figure = Figure(figsize=(8, TALL * count))
    FigureCanvasAgg(figure)
    below, above = 0.6 / TALL, 0.35 / TALL  # shares of a panel for the words beside it: twice as quick as to try them
    edges = {"left": 0.09, "right": 0.98, "bottom": below / count, "top": 1 - above / count}
    between = {"hspace": (below + above) / (1 - below - above)}
    rows = figure.subplots(count, squeeze=False, gridspec_kw={**edges, **between})[:, 0]
    events = [entry["seen"] / 1000 for entry in entries if "event" in entry]
    for axes, (title, series) in zip(rows, panels.items(), strict=False):
        _draw_panel(axes, title, series, events)
    with replacing(file) as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
    return file


def _draw_panel(axes: Any, title: str, series: dict[str, list[tuple[float, float]]], events: list[float]) -> None:
    """Draw series of (thousand pictures, value), and a line at every event."""
    from matplotlib.ticker import LogLocator, NullFormatter

    for name, points in series.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="o" if len(points) < 40 else "", markersize=3)
    for at in events:
        axes.axvline(at, color="tab:red", alpha=0.4, linewidth=1)
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel("thousand pictures seen")
    if _far_apart(series):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _far_apart(series: dict[str, list[tuple[float, float]]]) -> bool:
    """Whether values are so far apart that a straight scale would show their beginning alone."""
    values = [value for points in series.values() for _, value in points if math.isfinite(value)]
    return bool(values) and min(values) > 0 and max(values) > 10 * min(values)


def _series(entries: list[dict[str, Any]], key: str) -> dict[str, list[tuple[float, float]]]:
    out: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        for name, value in entry.get(key, {}).items():
            points = out.setdefault(name, [])
            if points and entry["seen"] / 1000 < points[-1][0]:
                points.append((points[-1][0], math.nan))
            points.append((entry["seen"] / 1000, value))
    return out
