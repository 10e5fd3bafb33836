"""Every job that takes long says how far it is, and stops where it does; operators are found by walking."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from samples import given, pictures, runs, settings
from skimage import data

from danqing.core.fields.form import checked
from danqing.core.menu import operators
from danqing.core.operators import tiles
from danqing.core.operators.operator import operator, operator_named
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress

LONG = 0.5  # seconds of processor time that may pass without a word


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in operators() if runs(operator_named(name))])
def test_what_takes_long_at_a_megapixel_says_so_on_its_way(name: str) -> None:
    op = operator_named(name)
    x = torch.from_numpy(data.astronaut().astype(np.float32) / 255).permute(2, 0, 1)[None].repeat(1, 1, 2, 2)
    job = tiles.run(op, checked(op.fields, {op.subject: x, **given(op, x, settings(op)[0])}))
    said, begun = 0, time.process_time()
    for progress in job:
        assert 0 <= progress.done <= progress.total
        said += progress.done < progress.total
    spent = time.process_time() - begun
    assert said or spent < LONG, f"{spent:.2f} s without a word"


CALLS: list[int] = []


@operator(reach=2)
def patient(x: Images) -> Job[Images]:
    for number in range(4):
        CALLS.append(number)
        yield Progress(number, 4)
    return x.clone()


@pytest.mark.parametrize("until", [0, 1, 2, 3])
def test_closing_stops_inside_a_tile(until: int) -> None:
    CALLS.clear()
    job = tiles.run(patient, {"x": pictures(1, 1, 90, 100)}, tile=32)
    next(job)  # looking at the whole picture
    for _ in range(until + 1):
        next(job)
    job.close()
    assert list(range(until + 1)) == CALLS


def test_closing_between_tiles_begins_no_other() -> None:
    CALLS.clear()
    job = tiles.run(patient, {"x": pictures(1, 1, 90, 100)}, tile=32)
    while next(job).preview is None:  # a finished tile is shown
        pass
    job.close()
    assert CALLS == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_hundred_megapixels_stop_after_the_first_tile() -> None:
    calls = []
    op = operator_named("denoise")
    ready = checked(op.form, {"weights": "denoise-tiny", "sigma": 25})
    net = ready["weights"].net
    hook = net.register_forward_pre_hook(lambda *_: calls.append(1))
    try:
        job = tiles.run(op, {**ready, op.subject: torch.zeros(1, 1, 10_000, 10_000)})
        while next(job).done == 0:
            pass
        job.close()
    finally:
        hook.remove()
    assert len(calls) == 1
