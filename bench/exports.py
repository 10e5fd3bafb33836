"""Exported generators: every family in other programs

What `danqing export` makes of an unconditional 64×64 colour painter of each family (default widths; `flow` in four
steps of Euler; what it has learned does not matter for time): the size of the file, and how far its pictures are from
PyTorch's in steps of 1/255, for one and for 64 at a time. Then milliseconds for one picture and for 64, in turns, the
median: PyTorch as sliders are painted (float32, and in bf16), ONNX Runtime, and OpenVINO in float32, which is slower or
off in bf16. `dcgan` has more ways, and a table of its own: "Real time".
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import torch

from bench.realtime import clocked, exported
from danqing.core.learned.families import family_named
from danqing.core.learned.manner import computes_bf16, live
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load, save

FAMILIES: dict[str, dict[str, Any]] = {
    "dcgan": {},
    "stylegan": {},
    "vae": {},
    "mlpgan": {},
    "flow": {"steps": 4, "solver": "euler"},
}
FORMATS = ("onnx", "openvino")
TURNS = {1: 20, 64: 4}
ELSEWHERE = "dcgan"  # whose times are in another table
WAYS = {"live": "PyTorch", "bf16": "PyTorch, bf16", "onnx": "ONNX Runtime", "openvino": "OpenVINO"}


def run() -> dict[str, Any]:
    """Every family."""
    return {"rows": [_measured(family) for family in FAMILIES], "threads": torch.get_num_threads()}


def _measured(family: str) -> dict[str, Any]:
    """The files of one family, and the times."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.safetensors")
        torch.manual_seed(0)
        save(family_named(family)(size=64, channels=3, classes=0, **FAMILIES[family]).eval(), file)
        model = load(file, kind=Painter).requires_grad_(False).to(memory_format=torch.channels_last)
        runs, files = {}, {}
        for name in FORMATS:
            runs[name], told = exported(file, Path(folder), name)
            files[name] = {"bytes": told["bytes"], "gaps": told["gaps"]}
        times = [] if family == ELSEWHERE else [row for count in TURNS for row in _times(model, runs, count)]
    print(family, files, times, flush=True)
    return {"family": family, "files": files, "times": times}


def _times(model: Painter, runs: dict[str, Any], count: int) -> list[dict[str, Any]]:
    z = torch.randn(count, *model.latent, generator=torch.Generator().manual_seed(1))
    ways = {"live": lambda: _painted(model, z, False)}
    if computes_bf16("cpu"):
        ways["bf16"] = lambda: _painted(model, z, True)
    for name, way in runs.items():
        ways[name] = lambda way=way: torch.from_numpy(way({"z": z.numpy()}))
    return clocked(ways, _painted(model, z, False), count, TURNS[count])


@torch.inference_mode()
def _painted(model: Painter, z: torch.Tensor, bf16: bool) -> torch.Tensor:
    with live(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return model.paint(z)


def table(result: dict[str, Any]) -> str:
    """Files, then times."""
    heads = [f"{WAYS[name]} {what}" for name in FORMATS for what in ("MB", "differs, 1", "differs, 64")]
    lines = [f"| family | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for row in result["rows"]:
        cells = []
        for name in FORMATS:
            told = row["files"][name]
            cells += [
                f"{told['bytes'] / 1e6:.1f}",
                *(f"{255 * told['gaps'][count]['pictures']:.4f}" for count in ("1", "64")),
            ]
        lines.append(f"| {row['family']} | {' | '.join(cells)} |")
    pairs = list(itertools.product(TURNS, WAYS))
    heads = [f"{count}: {WAYS[way]} ms" for count, way in pairs]
    lines += ["", f"| family | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for row in result["rows"]:
        known = {(each["count"], each["way"]): 1000 * each["median"] for each in row["times"]}
        if known:
            cells = [f"{known[pair]:.1f}" if pair in known else "–" for pair in pairs]
            lines.append(f"| {row['family']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{result['threads']} threads."])
