"""What benchmarks of finders share: a training that is done once, with its cost, and its scores beside a peer's."""

from __future__ import annotations

import json
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import danqing
from danqing.core.learned.card import read_card
from danqing.core.learned.finder import Needs
from danqing.core.progress import finish
from danqing.data.annotations.scores import rows_of, scores_for
from danqing.maths.found_scores import Pair
from danqing.training.loop import resume

NEEDS: dict[str, Needs] = {"detector": "boxes", "segmenter": "masks", "keypoints": "points"}


def learned(family: str, data: Path, out: Path, pictures: int, size: int, **more: Any) -> Path:
    """The weights of a finished run of so many pictures; one that was stopped goes on, what is finished is kept."""
    if not (out / "model.safetensors").exists():
        before = seconds()
        if (out / "config.json").exists():
            finish(resume(out))
        else:
            options: dict[str, Any] = {"backbone": "mobilenet", "every": "50%", "precision": "fp32", **more}
            danqing.train(family, str(data), out=out, threads=1, size=size, budget=f"{pictures}pictures", **options)
        (out / "cost.json").write_text(json.dumps(seconds() - before))
    return out / "model.safetensors"


def beside(family: str, model: Path, data: Path, peer: Sequence[Pair], sheet: Path, pictures: int) -> dict[str, Any]:
    """What a family learned, scored as ``danqing assess`` does it, beside a peer; pictures are written as a sheet."""
    ours = danqing.assess(str(model), str(data))
    assert ours.picture is not None
    danqing.write(ours.picture, sheet, force=True)
    theirs = finish(rows_of(peer, scores_for(NEEDS[family]), 0))
    card, cost = read_card(model), json.loads((model.parent / "cost.json").read_text())
    how = {name: card["training"][name] for name in ("steps", "augment")}
    rows = ours.numbers if isinstance(ours.numbers, list) else [ours.numbers]
    return {"pictures": pictures, "processor_seconds": cost, **how, "ours": rows, "peer": theirs}


def seconds() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def table_of(families: dict[str, dict[str, Any]], peer: str) -> str:
    """A row a score."""
    lines = [f"| | score | learned | {peer} | pictures seen | processor seconds |", "|---|---|---|---|---|---|"]
    for family, each in families.items():
        for ours, theirs in zip(each["ours"], each["peer"], strict=True):
            cost = f"{each['pictures']:,} | {each['processor_seconds']:.0f}"
            lines.append(f"| `{family}` | {ours['score']} | {told(ours)} | {told(theirs)} | {cost} |")
    return "\n".join(lines)


def told(row: dict[str, float]) -> str:
    """A score with its interval."""
    return f"{row['value']:.2f} ({row['low']:.2f} … {row['high']:.2f})"


__all__ = ["NEEDS", "beside", "learned", "seconds", "table_of", "told"]
