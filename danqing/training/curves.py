"""Loss and score curves of a run, drawn from its log."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from danqing.core.disk import replacing
from danqing.training.record import read_log


def draw_curves(log: Path, file: Path) -> Path:
    """Draw losses, readings and scores over pictures seen into a PNG; what was not logged has no panel.

    A line stands where the doctor found something; a curve is broken where the run went back.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    entries = list(read_log(log))
    panels = {
        "losses": _series(entries, "losses"),
        "readings": _series(entries, "readings"),
        "scores on held-out pictures (less is better)": _series(entries, "scores"),
    }
    panels = {title: series for title, series in panels.items() if series}
    figure = Figure(figsize=(8, 2.8 * max(1, len(panels))), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, series) in zip(
        figure.subplots(max(1, len(panels)), squeeze=False)[:, 0], panels.items(), strict=False
    ):
        for name, points in series.items():
            axes.plot(*zip(*points, strict=True), label=name, marker="o" if len(points) < 40 else "", markersize=3)
        for at in (entry["seen"] / 1000 for entry in entries if "event" in entry):
            axes.axvline(at, color="tab:red", alpha=0.4, linewidth=1)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("thousand pictures seen")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    with replacing(file) as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
    return file


def _series(entries: list[dict[str, Any]], key: str) -> dict[str, list[tuple[float, float]]]:
    out: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        for name, value in entry.get(key, {}).items():
            points = out.setdefault(name, [])
            if points and entry["seen"] / 1000 < points[-1][0]:
                points.append((points[-1][0], math.nan))
            points.append((entry["seen"] / 1000, value))
    return out
