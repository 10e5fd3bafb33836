"""Generators: pictures a second while they learn

Steps of the training loop (pictures, augmentation, every part's step, averaged weights; no looks) on emoji, one thread,
each family as it is by default; at 128 px in batches of 16, so that turns stay short. Turns of a full round of lazy
penalties alternate between bf16 and fp32 (forced). Pictures a second of processor time are those of the median turn.
The share is of the fastest 3×3 convolution, learning, of this processor in that precision: what a round must multiply
(counted where convolutions are computed plainly; in fp32 those with few products do with less of it) in its least turn,
against the least turn of that convolution; a busy machine makes turns longer, never shorter.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from danqing.core.learned.manner import computes_bf16
from danqing.core.progress import finish
from danqing.nets.adversary import plays
from danqing.training.build import new_model
from danqing.training.config import TrainConfig
from danqing.training.kit import Kit
from danqing.training.setup import gather_stages, launch
from danqing.training.state import Position

DATA = "runs/emoji"
FAMILIES = ("dcgan", "stylegan", "vae", "flow", "mlpgan")
SIZES = (32, 64, 128)
BATCHES = {128: 16}
TURNS = 4
SHAPES = ((64, 64), (128, 32), (256, 16))  # channels and side of the maps that the peak is looked for on
WORK = 32  # maps at a time
Precision = Literal["bf16", "fp32"]


def run() -> dict[str, Any]:
    """Every family at every size, and the peaks."""
    torch.set_num_threads(1)
    ways: tuple[Precision, ...] = ("bf16", "fp32") if computes_bf16("cpu") else ("fp32",)
    rows, peaks = [], {way: peak(way) for way in ways}
    for family, size in itertools.product(FAMILIES, SIZES):
        row = {"family": family, "size": size, **measured(family, size, ways)}
        print(row, flush=True)
        rows.append(row)
        peaks = {way: max(known, peak(way)) for way, known in peaks.items()}
    return {"rows": rows, "peaks": peaks}


def measured(family: str, size: int, ways: tuple[Precision, ...], turns: int = TURNS) -> dict[str, Any]:
    """The batch, what a round multiplies, and the seconds a picture of each precision: median and least."""
    kits = {way: kit_of(family, size, precision=way) for way in ways}
    rounds = {way: round_of(kit) for way, kit in kits.items()}
    with FlopCounterMode(display=False) as counter:  # in bf16, where there is any: no way with few products is taken
        rounds[ways[0]]()
    for way in ways[1:]:
        rounds[way]()
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _, way in itertools.product(range(turns), ways):
        times[way].append(seconds_of(rounds[way]))
    kit = kits[ways[0]]
    count = kit.together * lazy(kit)
    each = {way: {"median": statistics.median(times[way]) / count, "least": min(times[way]) / count} for way in ways}
    return {"batch": kit.together, "flops": counter.get_total_flops() / count, "seconds": each}


def kit_of(family: str, size: int, **options: Any) -> Kit:
    """What a new run would compute with."""
    batch = {"batch": BATCHES[size]} if size in BATCHES else {}
    config = TrainConfig.make(family, DATA, size=size, threads=1, budget="1h", **batch, **options)
    (supplies,) = finish(gather_stages(config))
    return Kit(config, new_model(config, supplies.train), supplies, launch("cpu", 1))


def round_of(kit: Kit) -> Callable[[], None]:
    """As many steps as there are from one lazy penalty to the next."""
    position = Position()
    batches = kit.batches(position)

    def steps() -> None:
        for _ in range(lazy(kit)):
            kit.stepper.step(next(batches), kit.rng)
            kit.advance(position)

    return steps


def lazy(kit: Kit) -> int:
    """Steps between two penalties."""
    return kit.model.rules.every if plays(kit.model) else 1


def seconds_of(work: Callable[[], Any]) -> float:
    """Of the processor."""
    began = time.process_time()
    work()
    return time.process_time() - began


def peak(way: Precision) -> float:
    """The most products and sums a second of a convolution, forward and backward."""
    kind = torch.bfloat16 if way == "bf16" else torch.float32
    best = 0.0
    for channels, side in SHAPES:
        x = torch.randn(WORK, channels, side, side).to(kind, memory_format=torch.channels_last).requires_grad_()
        kernel = torch.randn(channels, channels, 3, 3).to(kind, memory_format=torch.channels_last).requires_grad_()
        slope = torch.randn_like(x)

        def turn(x: torch.Tensor = x, kernel: torch.Tensor = kernel, slope: torch.Tensor = slope) -> None:
            torch.autograd.grad(functional.conv2d(x, kernel, padding=1), (x, kernel), slope)

        turn()
        least = min(seconds_of(turn) for _ in range(5))
        best = max(best, 3 * 2 * 9 * channels**2 * side**2 * WORK / least)
    return best


def table(result: dict[str, Any]) -> str:
    """A row a family and size."""
    peaks = result["peaks"]
    told = ", ".join(f"{way} {value / 1e12:.2f}" for way, value in peaks.items())
    lines = [f"Fastest convolution, TFLOP a second: {told}.", ""]
    heads = [f"{way} {what}" for way in peaks for what in ("pictures/s", "share of peak")]
    lines += [f"| family | side | GFLOP a picture | {' | '.join(heads)} | times |", "|---" * (len(heads) + 4) + "|"]
    for row in result["rows"]:
        cells = [row["family"], f"{row['size']}", f"{row['flops'] / 1e9:.2f}"]
        for way, top in peaks.items():
            seconds = row["seconds"][way]
            cells += [f"{1 / seconds['median']:,.0f}", f"{row['flops'] / seconds['least'] / top:.0%}"]
        lines.append(f"| {' | '.join(cells)} | {_gain(row['seconds'])} |")
    return "\n".join(lines)


def _gain(seconds: Mapping[str, Mapping[str, float]]) -> str:
    """How many times as fast bf16 is."""
    if len(seconds) < 2:
        return "–"
    return f"{seconds['fp32']['median'] / seconds['bf16']['median']:.1f}"
