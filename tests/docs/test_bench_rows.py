"""Rows of long benchmarks: what was measured once is not lost on another machine, and each names its processor."""

import json
from pathlib import Path

import pytest

from bench import rows

BY = ("set", "family")


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results that were committed, of an older processor; runs here are in the same folder."""
    old = [
        {"set": name, "family": "dcgan", "distance": 2.0, "processor": "an older one"}
        for name in ("emoji", "digits", "gone")
    ]
    (tmp_path / "generation.json").write_text(json.dumps({"rows": old, "machine": "older"}))
    monkeypatch.setattr(rows, "RESULTS", tmp_path)
    return tmp_path


def file_of(folder: Path, name: str, family: str) -> Path:
    return folder / f"{name}-{family}.measured.json"


def found(folder: Path) -> list[dict[str, object]]:
    wanted = [("digits", "dcgan"), ("digits", "flow"), ("emoji", "dcgan")]
    return rows.known("generation", BY, wanted, lambda *each: file_of(folder, *each))


def test_what_was_committed_stays_where_nothing_was_measured(before: Path) -> None:
    assert [(row["set"], row["distance"]) for row in found(before)] == [("digits", 2.0), ("emoji", 2.0)]


def test_what_was_measured_here_counts_before_it(before: Path) -> None:
    rows.record(file_of(before, "emoji", "dcgan"), {"set": "emoji", "family": "dcgan", "distance": 1.0})
    digits, emoji = found(before)
    assert (digits["processor"], digits["distance"]) == ("an older one", 2.0)
    assert (emoji["processor"], emoji["distance"]) == (rows.processor(), 1.0)


def test_rows_of_two_processors_are_told_apart(before: Path) -> None:
    assert rows.whence(found(before), BY) == []
    rows.record(file_of(before, "emoji", "dcgan"), {"set": "emoji", "family": "dcgan", "distance": 1.0})
    assert rows.whence(found(before), BY) == [
        "- measured on an older one: digits, dcgan",
        f"- measured on {rows.processor()}: emoji, dcgan",
    ]


def test_ratios_are_taken_on_one_processor() -> None:
    from bench.generation import IN_LATENTS, ratios

    def row(family: str, processor: str, value: float) -> dict[str, object]:
        scores = {key: {"value": value} for key in ("frechet_distance", "kernel_distance", "patches")}
        return {"set": "emoji", "family": family, "processor": processor, **scores}

    faster, slower = row(IN_LATENTS, "fast", 1.0), row(IN_LATENTS, "slow", 1.5)
    assert ratios([row("dcgan", "slow", 2.0), faster]) == []
    assert ratios([row("dcgan", "slow", 2.0), slower]) == [
        "emoji, flow in latents against dcgan: Fréchet 0.75, kernel 0.75, patches 0.75 times"
    ]
