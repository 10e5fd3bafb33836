"""Real time: one picture of a generator, and many

The milliseconds that one 64×64 colour picture of `dcgan` (default widths, unconditional; what it has learned does not
matter for time) takes from its latent, and how many pictures a second batches of 64 give. Ways take turns; the median
of their times is quoted, and the least, which a busy machine moves less. *block* is what a recipe's picture costs: a
full block is painted; *live* is how a slider's is painted. Differences are from float32 in PyTorch, in steps of 1/255.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from danqing.core.learned.manner import convolving, live
from danqing.core.learned.weights import load, save
from danqing.core.operators.task import task_named
from danqing.models.dcgan import DCGAN

TURNS = {1: 40, 64: 8}


def run() -> dict[str, Any]:
    """Measure every way."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.safetensors")
        torch.manual_seed(0)
        save(DCGAN(64, 3, 0).eval(), file)
        model = load(file, kind=DCGAN).requires_grad_(False).to(memory_format=torch.channels_last)
        others = {name: exported(file, Path(folder), name)[0] for name in ("onnx", "openvino")}
        rows = [row for count in TURNS for row in _rows(model, others, count)]
    return {"rows": rows, "threads": torch.get_num_threads()}


def table(result: dict[str, Any]) -> str:
    """A row each."""
    lines = [
        "| way | pictures | median ms | least ms | pictures a second (least) | differs |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        rate = row["count"] / row["least"]
        lines.append(
            f"| {row['way']} | {row['count']} | {1000 * row['median']:.1f} | {1000 * row['least']:.1f} | {rate:,.0f} "
            f"| {255 * row['gap']:.2f} |"
        )
    return "\n".join([*lines, "", f"{result['threads']} threads."])


def _rows(model: DCGAN, others: dict[str, Callable[[Any], Any]], count: int) -> list[dict[str, Any]]:
    z = torch.randn(count, *model.latent, generator=torch.Generator().manual_seed(1))
    compiled = torch.compile(model.painter, dynamic=False)
    ways: dict[str, Callable[[], torch.Tensor]] = {
        "block, as a recipe's": lambda: model.paint(z),
        "live": lambda: _eager(model, z, False),
        "live, bf16": lambda: _eager(model, z, True),
        "compiled, float32": lambda: _compiled(compiled, z),
        "ONNX Runtime": lambda: torch.from_numpy(others["onnx"]({"z": z.numpy()})),
        "OpenVINO, float32": lambda: torch.from_numpy(others["openvino"]({"z": z.numpy()})),
    }
    return clocked(ways, _eager(model, z, False), count, TURNS[count])


def clocked(
    ways: dict[str, Callable[[], torch.Tensor]], truth: torch.Tensor, count: int, turns: int
) -> list[dict[str, Any]]:
    """Let ways of painting take turns: median and least seconds of each, and how far it is from what is true."""
    gaps = {}
    for name, way in list(ways.items()):
        try:
            gaps[name] = float((way() - truth).abs().max())
        except Exception as error:  # a way that this machine has not, such as one that needs a compiler
            print(f"{name}: {str(error).splitlines()[0][:120]}", flush=True)
            del ways[name]
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return [
        {"way": name, "count": count, "median": statistics.median(taken), "least": min(taken), "gap": gaps[name]}
        for name, taken in times.items()
    ]


@torch.inference_mode()
def _eager(model: DCGAN, z: torch.Tensor, bf16: bool) -> torch.Tensor:
    with live(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return model.paint(z)


def _compiled(painter: Any, z: torch.Tensor) -> torch.Tensor:
    with torch.no_grad(), convolving("own"):
        painted: torch.Tensor = painter(z, None)
    return painted.add(1).div(2).clamp(0, 1)


def exported(file: Path, folder: Path, name: str) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    """The model in another program, and what the task that wrote it says of the file."""
    suffix = {"onnx": ".onnx", "openvino": ".xml"}[name]
    target = folder / f"painter{suffix}"
    (told,) = task_named("export")(weights=file, format=name, out=target, force=True).numbers
    if name == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
        return lambda given: session.run(["pictures"], given)[0], told
    import openvino

    net = openvino.Core().compile_model(str(target), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda given: net(given)[0], told
