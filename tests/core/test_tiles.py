"""Tile by tile is the same as at once: no seams, true edges, less memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import DanqingError, ParameterError
from danqing.core.fields.form import checked
from danqing.core.fields.number import Range
from danqing.core.operators.operator import Operator, operator
from danqing.core.operators.tiles import SMALLEST, run, tiled, tiling
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress, finish


@operator(reach=lambda radius: radius)
def mean(x: Images, radius: Annotated[int, Range(0, 30, "px")] = 2) -> Images:
    """Average each pixel's neighbourhood, mirrored at the border."""
    size = 2 * radius + 1
    room = min(radius, x.shape[2] - 1, x.shape[3] - 1)
    padded = F.pad(x, (room,) * 4, mode="reflect")
    padded = F.pad(padded, (radius - room,) * 4, mode="replicate")
    return F.avg_pool2d(padded, size, 1)


@operator(reach=1, scale=lambda factor: factor)
def enlarge(x: Images, factor: Annotated[int, Range(1, 4)] = 2) -> Images:
    """Enlarge smoothly."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False).clamp(0, 1)


@operator(reach=0)
def blend(x: Images, other: Images, mask: Mask, strength: float = 1.0) -> Images:
    """Paint another picture where the mask says."""
    return x + strength * mask * (other - x)


@operator(reach=16)
def hourglass(x: Images) -> Images:
    """Halve three times and enlarge again, as networks do."""
    sides = tuple(-side % 8 for side in x.shape[-2:])
    small = F.avg_pool2d(F.pad(x, (0, sides[1], 0, sides[0]), mode="replicate"), 8)
    return F.interpolate(small, scale_factor=8.0)[..., : x.shape[2], : x.shape[3]]


@operator(reach=1)
def grey(x: Images) -> Job[Images]:
    """Lose all colour, as long work."""
    yield Progress(1, 1)
    return x.mean(1, keepdim=True)


@operator
def invert(x: Images) -> Images:
    """Turn values round, without saying how far it looks."""
    return 1 - x


def ready(op: Operator, x: Tensor, **params: object) -> dict[str, object]:
    """Checked values."""
    return checked(op.fields, {op.subject: x, **params})


def hungry(most: int, message: Callable[[], Exception]) -> Operator:
    """An operator that fails on more than ``most`` pixels, and remembers the sizes it saw."""

    def greedy(x: Images) -> Images:
        """Copy."""
        seen.append(x.shape[2] * x.shape[3])
        if seen[-1] > most:
            raise message()
        return x.clone()

    seen: list[int] = []
    made = Operator(greedy, "greedy", "edit", reach=2)
    made.function.seen = seen  # type: ignore[attr-defined]
    return made


def picture(height: int, width: int, batch: int = 1, channels: int = 3, seed: int = 0) -> Tensor:
    return torch.rand(batch, channels, height, width, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=40)
@given(st.integers(1, 120), st.integers(1, 120), st.integers(0, 20), st.integers(24, 64), st.integers(1, 2))
def test_a_local_operator_tile_by_tile_is_the_same(h: int, w: int, radius: int, tile: int, batch: int) -> None:
    x = picture(h, w, batch)
    assert torch.allclose(tiled(mean, x, {"radius": radius}, tile), mean(x, radius=radius), atol=1e-6, rtol=0)


@settings(max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 4), st.integers(8, 64))
def test_an_enlarging_operator_tile_by_tile_is_the_same(h: int, w: int, factor: int, tile: int) -> None:
    x = picture(h, w)
    whole = enlarge(x, factor=factor)
    assert torch.allclose(tiled(enlarge, x, {"factor": factor}, tile), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tile", [32, 40, 64, 100])
def test_a_network_that_halves_the_picture_sees_the_same_grid(tile: int) -> None:
    x = picture(200, 173)
    assert torch.equal(tiled(hourglass, x, {}, tile), hourglass(x))


@pytest.mark.parametrize("shared", [False, True])
def test_masks_and_pictures_of_the_same_size_are_cut_along(shared: bool) -> None:
    x, other, mask = picture(70, 90, 2), picture(70, 90, 2, seed=1), picture(70, 90, 1 if shared else 2, 1, seed=2)
    params = {"other": other, "mask": mask, "strength": 0.5}
    assert torch.equal(tiled(blend, x, params, 32), blend(x, **params))


def test_channels_may_change_and_long_work_is_tiled_too() -> None:
    x = picture(70, 90)
    assert torch.equal(tiled(grey, x, {}, 32), x.mean(1, keepdim=True))


def test_progress_grows_to_the_whole() -> None:
    x, seen = picture(100, 130), []
    finish(tiling(mean, ready(mean, x), 64), seen.append)
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert len(seen) == 1 + 6
    assert seen[-1].done == seen[-1].total == 100 * 130


def test_a_cancelled_job_stops_between_tiles() -> None:
    job = tiling(mean, ready(mean, picture(100, 100)), 32)
    next(job)
    job.close()
    assert list(job) == []


def test_run_tiles_only_what_is_local_and_large() -> None:
    x, seen = picture(60, 40), []
    assert torch.equal(finish(run(invert, ready(invert, x), 32), seen.append), 1 - x)
    assert torch.equal(finish(run(mean, ready(mean, x, radius=3), 64), seen.append), mean(x, radius=3))
    assert seen == []
    finish(run(mean, ready(mean, x), 32), seen.append)
    assert len(seen) == 1 + 4


@pytest.mark.parametrize(
    "message",
    [MemoryError, lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
     lambda: torch.OutOfMemoryError("CUDA out of memory")],
)  # fmt: skip
def test_tiles_are_halved_until_they_fit(message: Callable[[], Exception]) -> None:
    x = picture(300, 300)
    greedy, done = hungry(120 * 120, message), []
    assert torch.equal(finish(tiling(greedy, ready(greedy, x), 256), done.append), x)
    assert done[-1].done == done[-1].total
    assert max(greedy.function.seen[2:]) <= 120 * 120  # it learns: only the first two tries failed


def test_too_little_memory_for_anything_is_said() -> None:
    with pytest.raises(DanqingError, match=f"not enough memory, even for tiles of {SMALLEST} px"):
        tiled(hungry(10, MemoryError), picture(300, 300), {}, 256)


def test_other_errors_go_through() -> None:
    with pytest.raises(RuntimeError, match="a mistake"):
        tiled(hungry(10, lambda: RuntimeError("a mistake")), picture(300, 300), {}, 256)
    with pytest.raises(ParameterError, match="radius"):
        tiled(mean, picture(30, 30), {"radius": 99}, 16)
    with pytest.raises(TypeError, match="whole picture"):
        tiled(invert, picture(30, 30), {}, 16)


@operator(reach=1)
def shrinking(x: Images) -> Images:
    """Return less than was promised."""
    return F.avg_pool2d(x, 2)


@operator(reach=1)
def finding(x: Images) -> Figures:
    """Return numbers, which cannot be put together from tiles."""
    return Figures([{"mean": float(x.mean())}])


@pytest.mark.parametrize("broken", [shrinking, finding])
def test_an_operator_that_breaks_its_word_is_found_out(broken: Operator) -> None:
    with pytest.raises(TypeError, match=f"{broken.name} has a reach"):
        tiled(broken, picture(64, 64), {}, 32)


def test_memory_is_bounded_by_the_tile() -> None:
    """Three megapixels through an operator with scratch for 60 channels: 720 MB at once, 25 MB by tiles."""
    code = """
import resource, torch
from danqing.core.pictures.contract import Images
from danqing.core.operators.operator import Operator
from danqing.core.operators.tiles import tiled
def greedy(x: Images) -> Images:
    \"\"\"Use twenty times the memory.\"\"\"
    return x.repeat(1, 20, 1, 1)[:, :3].clone()
x = torch.zeros(1, 3, 1500, 2000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tiled(Operator(greedy, "greedy", "edit", reach=8), x, {}, 256)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert int(out.stdout) < 36 + 150  # MB: the result, and what a few tiles may take
