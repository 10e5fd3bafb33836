"""What is asked of a model's layers is heard by the asker alone, and leaves the model as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from danqing.core.learned.model import Recogniser
from danqing.core.learned.weights import load
from danqing.nets.layers import changed, heard, layers_of, randomised


def elsewhere(work: Callable[[], Any]) -> Any:
    """What another thread makes of some work."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_another_thread_hears_nothing_of_a_changed_layer() -> None:
    layer, x = nn.Identity(), torch.ones(1, 2, 3, 3)
    with changed(layer, torch.zeros_like):
        assert not layer(x).any()
        assert torch.equal(elsewhere(lambda: layer(x)), x)
    assert torch.equal(layer(x), x)


def test_what_another_thread_asks_is_not_taken_for_ones_own() -> None:
    layer, x = nn.Identity(), torch.ones(1, 2, 3, 3)
    with heard(layer) as maps:
        layer(x)
        elsewhere(lambda: layer(0 * x))
    assert len(maps) == 1
    assert torch.equal(maps[0], x)
    assert not layer._forward_hooks


def test_maps_are_those_that_a_layer_gave_before_what_follows_changed_them() -> None:
    net, x = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True)), -torch.ones(1, 1, 2, 2)
    with heard(net[0]) as maps:
        net(x)
    assert torch.equal(maps[0], -torch.ones(1, 1, 2, 2))
    assert torch.equal(x, maps[0])


def test_layers_are_named_in_the_order_of_their_ends_with_what_they_give() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.Conv2d(2, 5, 3, 2)), nn.AdaptiveAvgPool2d(1))
    found = layers_of(net, lambda: net(torch.ones(1, 1, 9, 9)))
    assert list(found.items()) == [("0", (1, 2, 7, 7)), ("1.0", (1, 5, 3, 3)), ("1", (1, 5, 3, 3))]


def test_random_weights_are_numbers_and_as_widely_spread() -> None:
    net = load("digits", kind=Recogniser)
    twin = randomised(net)
    pairs: list[tuple[Tensor, Tensor]] = list(zip(net.parameters(), twin.parameters(), strict=True))
    for own, other in pairs:
        assert (own.ndim > 1) != torch.equal(own, other)
        if own.numel() > 1000:
            torch.testing.assert_close(own.std(), other.std(), rtol=0.2, atol=0)
    single = nn.Linear(1, 1)
    assert torch.isfinite(randomised(single).weight).all()  # type: ignore[arg-type]
