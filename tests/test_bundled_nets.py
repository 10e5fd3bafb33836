"""Every bundled net makes the same picture on every processor: in bf16 as in fp32, with few instructions or all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundled_nets import made
from safetensors.torch import load_file
from torch.overrides import TorchFunctionMode

from danqing.core.learned.card import bundled, read_card
from danqing.core.learned.painting import FlowPainter
from danqing.core.learned.weights import load
from tests.marks import SLOW_IF_EMULATED
from tools.tiers import tiers

SCRIPT = Path(__file__).with_name("bundled_nets.py")
U = 2**-8  # what rounding to bf16 changes at most, as a share: it keeps 8 bits
STEP = 1 / 255


class Products(TorchFunctionMode):
    """Counts the layers that autocast turns to bf16, and keeps the size of what the last of them put out."""

    def __init__(self) -> None:
        super().__init__()
        self.count, self.last = 0, 0.0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in ("conv2d", "conv_transpose2d", "linear"):
            self.count, self.last = self.count + 1, float(result.abs().max())
        return result


def nets() -> list[Any]:
    """Those that are bundled; flows compute long."""
    flows = {net for net, file in bundled().items() if read_card(file)["family"] == "flow"}
    return [pytest.param(net, marks=SLOW_IF_EMULATED if net in flows else ()) for net in bundled()]


@pytest.mark.parametrize("net", nets())
def test_in_bf16_the_picture_is_that_of_fp32(net: str) -> None:
    """Layers round by U at most, and so many in a row by their number times that, of what the net adds to the picture.

    That holds where no layer passes errors on better than values. All over the picture they have no common sign, and
    stay far below a step of 255: below half of one where the net mends a picture, below one where it paints all of it,
    below two where it goes a long way to it, as a flow does.
    """
    exact = made(net, "fp32")
    with Products() as products:
        rounded = made(net, "bf16")
    assert exact
    for name, picture in exact.items():
        error = (rounded[name] - picture).abs()
        assert error.max() <= products.count * U * products.last, name
        goes = 4 if isinstance(load(net), FlowPainter) else 2 if name == "generate" else 1
        assert error.square().mean().sqrt() < goes * STEP / 2, name


def test_the_picture_is_the_same_on_every_processor(tmp_path: Path) -> None:
    """Nobody chooses a precision here: what has units for bf16 computes in it, and the others do not."""
    results = []
    for name, environment in tiers().items():
        file = tmp_path / f"{name}.safetensors"
        command = [sys.executable, str(SCRIPT), str(file)]
        subprocess.run(command, env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)}, check=True)
        results.append(load_file(file))
    for result in results:
        assert {key.split()[1] for key in result} == set(bundled())
        for key, picture in results[-1].items():
            assert (result[key] - picture).abs().max() <= STEP, key
