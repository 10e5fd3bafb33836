"""A flow for other programs: its net stands in the file once, in a loop that goes the way step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.core.learned.painting import FlowPainter
from danqing.maths.flows import Solver, travelled

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto


class Velocity(nn.Module):
    """Where it is, the time () and labels in, the guided velocity out."""

    def __init__(self, model: FlowPainter) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        return self.model.velocity(x, t, label, float(self.model.config["guidance"]))  # type: ignore[arg-type]


class Decoder(nn.Module):
    """The end of the way in, pictures out."""

    def __init__(self, model: FlowPainter) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor) -> Tensor:
        return self.model.decode(z)


class Tableau(NamedTuple):
    """A solver's way: each place that asks for a velocity is the beginning and shares of those met before.

    Attributes:
        times: when each of N velocities is asked for (N,).
        shares: of the velocities, in each place that asks (N, N): nothing of those that come later.
        end: of the velocities, at the end of the way (1, N).
    """

    times: Tensor
    shares: Tensor
    end: Tensor


def tableau(steps: int, solver: Solver) -> Tableau:
    """How a solver goes, told by letting it go: velocities are unit vectors, so that places spell their shares.

    Source: Butcher 1964, Journal of the Australian Mathematical Society 4; danqing.
    """
    most = 2 * steps
    times: list[float] = []
    places: list[Tensor] = []

    def velocity(x: Tensor, t: float) -> Tensor:
        times.append(t)
        places.append(x)
        return F.one_hot(torch.tensor([len(times) - 1]), most).double()

    end = travelled(velocity, torch.zeros(1, most, dtype=torch.float64), steps, solver)
    met = len(times)
    return Tableau(torch.tensor(times), torch.cat(places)[:, :met].float(), end[:, :met].float())


def looped(velocity: ModelProto, decoder: ModelProto, way: Tableau) -> ModelProto:
    """A graph from ``z`` and, if the velocity takes one, ``label`` to ``pictures``.

    Args:
        velocity: takes x, t and perhaps label, and gives v.
        decoder: takes z and gives pictures.
        way: how the velocities become a way.
    """
    from onnx import TensorProto, compose, helper, numpy_helper

    step, last = (compose.add_prefix(each, name) for each, name in ((velocity, "step/"), (decoder, "last/")))
    count = len(way.times)
    tables = {"times": way.times, "shares": way.shares, "own": torch.eye(count)[..., None], "end": way.end}
    consts = [numpy_helper.from_array(each.numpy(), f"way/{name}") for name, each in tables.items()]
    consts += [
        numpy_helper.from_array(torch.tensor(each).numpy(), f"way/{name}")
        for name, each in {"count": count, "always": True, "row": [1, -1], "rows": [count, 1]}.items()
    ]
    node = helper.make_node
    labelled = any(each.name == "step/label" for each in step.graph.input)
    before = [
        node("Gather", ["way/times", "way/at"], ["step/t"]),
        node("Gather", ["way/shares", "way/at"], ["way/share"]),
        node("MatMul", ["way/share", "way/met"], ["way/moved"]),
        node("Reshape", ["way/moved", "way/shape"], ["way/gone"]),
        node("Add", ["z", "way/gone"], ["step/x"]),
        *([node("Identity", ["label"], ["step/label"])] if labelled else []),
    ]
    after = [
        node("Reshape", ["step/v", "way/row"], ["way/line"]),
        node("Gather", ["way/own", "way/at"], ["way/place"]),
        node("MatMul", ["way/place", "way/line"], ["way/added"]),
        node("Add", ["way/met", "way/added"], ["way/more"]),
        node("Identity", ["way/on"], ["way/further"]),
    ]
    known = helper.make_tensor_value_info
    body = helper.make_graph(
        [*before, *step.graph.node, *after],
        "step",
        [
            known("way/at", TensorProto.INT64, []),
            known("way/on", TensorProto.BOOL, []),
            known("way/met", TensorProto.FLOAT, [count, None]),
        ],
        [known("way/further", TensorProto.BOOL, []), known("way/more", TensorProto.FLOAT, [count, None])],
    )
    whole = [
        node("Shape", ["z"], ["way/shape"]),
        node("Reshape", ["z", "way/row"], ["way/flat"]),
        node("Sub", ["way/flat", "way/flat"], ["way/none"]),
        node("Expand", ["way/none", "way/rows"], ["way/nothing"]),
        node("Loop", ["way/count", "way/always", "way/nothing"], ["way/all"], body=body),
        node("MatMul", ["way/end", "way/all"], ["way/way"]),
        node("Reshape", ["way/way", "way/shape"], ["way/all-gone"]),
        node("Add", ["z", "way/all-gone"], ["last/z"]),
        *last.graph.node,
        node("Identity", ["last/pictures"], ["pictures"]),
    ]
    given = _renamed(step.graph.input, {"step/x": "z", "step/label": "label"})
    made = _renamed(last.graph.output, {"last/pictures": "pictures"})
    graph = helper.make_graph(whole, "flow", given, made, [*consts, *step.graph.initializer, *last.graph.initializer])
    return helper.make_model(graph, opset_imports=list(velocity.opset_import), ir_version=velocity.ir_version)


def _renamed(infos: Iterable[ValueInfoProto], names: Mapping[str, str]) -> list[ValueInfoProto]:
    """Those that have a name here, under that name."""
    made = []
    for each in infos:
        if each.name in names:
            made.append(type(each).FromString(each.SerializeToString()))
            made[-1].name = names[each.name]
    return made


__all__ = ["Decoder", "Tableau", "Velocity", "looped", "tableau"]
