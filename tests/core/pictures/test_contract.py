"""Numbers and shapes: what a picture is between reading and writing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.pictures import contract
from danqing.core.pictures.contract import from_uint8, to_uint8
from danqing.core.pictures.sheet import contact_sheet

pytestmark = pytest.mark.filterwarnings("error")


def test_bytes_go_to_floats_and_back_unchanged() -> None:
    everything = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert np.array_equal(to_uint8(from_uint8(everything)), everything)
    assert float(from_uint8(everything).max()) == 1.0


def test_bytes_round_to_nearest() -> None:
    x = torch.tensor([0.49, 0.51, 254.49, 254.51]).div(255).reshape(1, 1, 2, 2)
    assert to_uint8(x).ravel().tolist() == [0, 1, 254, 255]


def test_from_uint8_does_not_share_memory_with_a_read_only_array() -> None:
    a = np.zeros((1, 2, 2, 3), np.uint8)
    a.flags.writeable = False
    from_uint8(a).add_(1)
    assert a.max() == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.01, 1.01])
def test_values_outside_the_contract_are_refused(bad: float) -> None:
    x = torch.zeros(1, 3, 4, 4)
    x[0, 1, 2, 3] = bad
    with pytest.raises(ParameterError, match="finite"):
        contract.check_images(x)


@pytest.mark.parametrize(
    "x", [torch.zeros(3, 4, 4), torch.zeros(1, 2, 4, 4), torch.zeros(0, 3, 4, 4), torch.zeros(1, 3, 4, 4).double()]
)
def test_shapes_and_types_outside_the_contract_are_refused(x: Tensor) -> None:
    with pytest.raises(ParameterError):
        contract.check_images(x)


def test_contact_sheet_keeps_every_picture_in_its_place() -> None:
    x = torch.rand(5, 3, 4, 6)
    sheet = contact_sheet(x, columns=3, gap=2)
    assert sheet.shape == (1, 3, 10, 22)
    assert torch.equal(sheet[0, :, 6:10, 8:14], x[4])
    assert float(sheet[0, :, 6:, 16:].min()) == 1.0  # the empty place is white
    assert contact_sheet(x[:1], columns=9, gap=5).shape == (1, 3, 4, 6)
