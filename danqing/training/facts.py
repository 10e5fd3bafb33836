"""What is written down of a run beside its numbers: for cards, and for the run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from danqing.training import record
from danqing.training.config import TrainConfig
from danqing.training.kit import Kit
from danqing.training.machine import Choice
from danqing.training.setup import Supplies
from danqing.training.state import Position


def facts_of(
    config: TrainConfig, kit: Kit, position: Position, precision: Choice, scores: dict[str, float]
) -> dict[str, Any]:
    """What a card says beside family and config."""
    seconds = round(position.seconds, 2)
    training = {
        **config.to_json(),
        "steps": position.step,
        "pictures_seen": position.seen,
        "seconds": seconds,
        "steps_per_second": round(position.step / seconds, 3) if seconds else 0.0,
        "precision_measured": {name: round(value, 2) for name, value in precision.measured.items()},
        "processes": kit.fabric.world_size,
        "threads": torch.get_num_threads(),
        "augment": str(kit.augment),
        "torch": torch.__version__,
        "pictures_taken_back": position.lost,
        "alarms": position.doctor.raised,
        "findings": position.doctor.findings,
    }
    data = kit.supplies.train
    facts = {"training": training, "data": data.facts(), "scores": scores, "classes": list(data.classes)}
    descent = {"lineage": position.lineage} if position.lineage else {}
    return {**facts, **descent, "licence": config.options.licence or None}


def write_facts(folder: Path, config: TrainConfig, supplies: Supplies) -> None:
    """Write what a run is, and what was found in its pictures."""
    record.write_json(folder / record.CONFIG, config.to_json())
    if supplies.report:
        record.write_json(folder / "check.json", supplies.report)
    if skipped := getattr(supplies.train, "skipped", []):
        told = [{"file": file, "reason": reason} for file, reason in skipped]
        record.write_json(folder / "skipped.json", told)


__all__ = ["facts_of", "write_facts"]
