"""What every operator promises, one function a promise: each takes an operator and fails if it is broken.

Nothing here knows an operator by name. Values are drawn from the schema, so that a new operator is tested unasked.
"""

from __future__ import annotations

import functools
import inspect
import io
import json
import random
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from samples import Params, accepts, given, misfits, pictures, run, runs, settings
from torch import Tensor, nn

from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.file import File
from danqing.core.artefacts.film import Film
from danqing.core.artefacts.pictures import Pictures
from danqing.core.errors import ParameterError, UserError
from danqing.core.fields.form import checked
from danqing.core.fields.pictures import FILE
from danqing.core.fields.places import PlacesKind
from danqing.core.menu import roots
from danqing.core.operators.operator import Operator
from danqing.core.operators.tiles import tiled
from danqing.core.pictures.contract import Picture, check_images
from danqing.core.pictures.writing import format_of
from danqing.core.pictures.writing import settings as embedding
from danqing.core.progress import finish
from danqing.core.recipe import Step
from danqing.core.runs.compute import Loaded, compute
from danqing.core.runs.order import Call

SIZES = ((1, 1), (1, 7), (9, 1), (2, 2), (13, 17), (3, 1000))
# added to every command, and whether each takes a value
FACE_OPTIONS = {"out": True, "out-dir": True, "grid": False, "force": False, "json": False}
SHARED_WORDS = {  # the shared vocabulary → words that people use instead of it
    "radius": {"ksize", "kernel_size", "window"},
    "strength": {"amount", "intensity"},
    "scale": {"factor", "zoom"},
    "seed": {"random_state", "rng"},
    "weights": {"model", "checkpoint"},
    "steps": {"iterations", "n_iter"},
    "label": {"category", "class_label"},
    "count": {"num", "number", "n"},
}

U = 2.0**-24  # float32 rounds a value by this share of it at most
# The worst conditioned step of a formula: from OKLab back to light, a sum of terms of 8 in all, then encoded as sRGB,
# which is 12.92 times as steep at black. Two ways to the same value, such as the vector and the scalar tail of a power,
# round apart by twice that: 1.2e-5, less than a step of a 16-bit file.
ROUNDING = 2 * 8 * 12.92 * U
# A net may compute in bf16, whose rounding tests/test_bundled_nets.py bounds: nobody sees it.
ROUNDING_OF_NETS = 1 / 255
# How much more changes where something was moved than elsewhere, at the least: a blur over the whole picture has 1.6.
IN_PLACE = 1.25
# How far opacity may be, root mean square, from what colours say: what is cut off at black and white in linear light,
# or a net sees once in colour and once as opacity, is off by 0.008 at the most; what lies elsewhere by 0.1 and more.
ASTRAY = 0.02


# ---------------------------------------------------------------- the promises in words


def its_file_has_its_name(op: Operator) -> None:
    homes = {f"{root.package}.{op.group}.{op.name}" for root in roots()}
    assert op.function.__name__ == op.name
    assert op.function.__module__ in homes, f"lives in {op.function.__module__}"


def its_words_are_complete(op: Operator) -> None:
    doc = inspect.cleandoc(op.function.__doc__ or "")
    assert re.fullmatch(r"[A-Z].{5,110}[^.]\.", op.summary), f"the summary is not one short sentence: {op.summary!r}"
    assert ". " not in op.summary, "the summary is more than one sentence"
    assert set(op.words.arguments) == {field.name for field in op.fields}, "Args and signature differ"
    for field in op.fields:
        assert len(field.words) > 5, f"{field.name} is not explained"
    for section in ("Returns:", "Source:"):
        assert re.search(rf"^{section}\n? +\S", doc, re.M), f"no {section}"
    assert list(examples(op)), "no Examples:"


def its_form_is_short_and_uses_the_shared_words(op: Operator) -> None:
    names = [each.name for each in op.fields if not each.kind.is_picture]
    assert len(names) <= 6, f"{len(names)} parameters"
    for name in names:
        for word, others in SHARED_WORDS.items():
            assert name not in others, f"say {word} instead of {name}"
        assert not re.search(r"_(px|pixels|deg|degrees|seconds|percent)$", name), f"{name}: the unit belongs in Range"


def its_form_is_json_schema(op: Operator) -> None:
    for field in op.form:
        drawn = json.loads(json.dumps(field.json_schema(), allow_nan=False))
        assert drawn["description"], f"{field.name} is not described"
        assert drawn.get("type", "string") in ("integer", "number", "boolean", "string", "array", "object")
        if field.required or field.default is None:
            assert field.required or field.optional, f"{field.name} may not be None, but that is its default"
        elif field.kind.name != "weights":
            assert accepts(field, field.default), f"the default of {field.name} is outside its own range"
            assert not field.kind.choices() or drawn["default"] in drawn["enum"]


def its_examples_fit_the_schema(op: Operator) -> None:
    for line in examples(op):
        values, places = _read(op, line)
        missing = [field.name for field in op.fields if field.required and field.name not in values]
        assert len(missing) == places, f"{line}: {places} places for {missing}"


# ---------------------------------------------------------------- the promises in deeds


def it_refuses_what_does_not_fit(op: Operator) -> None:
    for field in op.fields:
        for value in misfits(field):
            with pytest.raises(UserError):
                field.check(value)
            if runs(op):
                first = settings(op)[0]
                with pytest.raises(UserError if field.kind.name == "weights" else ParameterError):
                    op.job(**{op.fields[0].name: pictures(), **first, field.name: value})


def its_examples_work(op: Operator) -> None:
    from skimage import data

    full = torch.from_numpy(data.astronaut().astype(np.float32) / 255).permute(2, 0, 1)[None]
    for line in examples(op):
        values, _ = _read(op, line)
        has_places = any(isinstance(field.kind, PlacesKind) and field.name in values for field in op.fields)
        height, width = (160, 200) if inspect.isgeneratorfunction(op.function) else (320, 400)  # what works long
        photo = full if has_places else full[..., :height, :width]  # places are those of the full one
        _keeps_the_contract(op, photo, run(op, photo, values), values)


def it_keeps_the_image_contract(op: Operator) -> None:
    for params in settings(op):
        for channels in (1, 3):
            x = pictures(2, channels, 24, 31)
            _keeps_the_contract(op, x, run(op, x, params), params)


def it_takes_odd_and_tiny_pictures(op: Operator) -> None:
    for params in settings(op):
        for channels, size in ((channels, size) for channels in (1, 3) for size in SIZES):
            x = pictures(1, channels, *size)
            try:
                result = run(op, x, params)
            except ParameterError:
                continue  # a picture may be too small for what is asked, if it is said so
            _keeps_the_contract(op, x, result, params)


def it_takes_plain_and_extreme_pictures(op: Operator) -> None:
    for params in settings(op):
        for level in (0.0, 0.5, 1.0):
            x = torch.full((1, 3, 24, 31), level)
            _keeps_the_contract(op, x, run(op, x, params), params)


def it_is_deterministic(op: Operator) -> None:
    for params in settings(op):
        results = []
        for seed in (1, 2):
            torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)  # whoever uses them is caught
            before = _chance()
            results.append(run(op, pictures(), params))
            assert _chance() == before, "the global random generators were used"
        _assert_same(*results, tolerance=0)


def it_leaves_its_input_alone(op: Operator) -> None:
    for params in settings(op):
        x = pictures()
        result = run(op, x, params)
        assert torch.equal(x, pictures()), "the input was changed"
        if isinstance(result, Tensor):
            result.fill_(0.25)
            assert torch.equal(x, pictures()), "the result shares memory with the input"


def it_keeps_batch_items_apart(op: Operator) -> None:
    a, b, c = pictures(3).split(1)
    for params in settings(op):
        with_b, with_c = (run(op, torch.cat((a, other)), params) for other in (b, c))
        _assert_same(_item(with_b, 0), _item(with_c, 0), tolerance=_rounding(op))
        if not any(field.name == "seed" for field in op.fields):  # else another place means other random numbers
            _assert_same(_item(with_b, 1), _item(run(op, b, params), 0), tolerance=_rounding(op))


def it_does_not_see_memory_layout(op: Operator) -> None:
    for params in settings(op):
        turned = pictures().contiguous(memory_format=torch.channels_last)
        _assert_same(run(op, pictures(), params), run(op, turned, params), tolerance=_rounding(op))
        grey = pictures(1, 1)
        _assert_same(
            run(op, grey.repeat(1, 3, 1, 1), params), run(op, grey.expand(1, 3, -1, -1), params), _rounding(op)
        )


def it_gives_the_same_in_tiles(op: Operator) -> None:
    if op.reach is None:
        return
    x = pictures(1, 3, 90, 115)
    for params in settings(op):
        if op.reach_for(checked(op.form, given(op, x, params))) is None:
            continue
        whole = run(op, x, params)
        parts = tiled(op, x, checked(op.form, given(op, x, params)), tile=32)
        assert parts.shape == whole.shape, "tiles make another size"
        assert float((parts - whole).abs().max()) <= 1 / 255, f"seams with {params}"


def its_opacity_lies_where_its_colours_do(op: Operator) -> None:
    if not issubclass(op.makes, Pictures):
        return  # no picture that could have an opacity
    for params in settings(op):
        if op.geometry:
            _moves_opacity_alike(op, params)
        else:
            _leaves_things_in_place(op, params)


WORDS: tuple[Callable[[Operator], None], ...] = (
    its_file_has_its_name,
    its_words_are_complete,
    its_form_is_short_and_uses_the_shared_words,
    its_form_is_json_schema,
    its_examples_fit_the_schema,
    it_refuses_what_does_not_fit,
)
DEEDS: tuple[Callable[[Operator], None], ...] = (
    its_examples_work,
    it_keeps_the_image_contract,
    it_takes_odd_and_tiny_pictures,
    it_takes_plain_and_extreme_pictures,
    it_is_deterministic,
    it_leaves_its_input_alone,
    it_keeps_batch_items_apart,
    it_does_not_see_memory_layout,
    it_gives_the_same_in_tiles,
    its_opacity_lies_where_its_colours_do,
)


# ---------------------------------------------------------------- where opacity lies


def _leaves_things_in_place(op: Operator, params: Params) -> None:
    """One thing is seen in one corner or in the other: there the result differs, if it lies on the picture.

    What keeps the opacity of a picture as it is has to leave everything in its place.
    """
    rng = torch.Generator().manual_seed(3)
    ground, thing = 0.35 + 0.2 * torch.rand(1, 3, 48, 48, generator=rng), torch.rand(1, 3, 12, 12, generator=rng)
    here, near = [ground.clone(), ground.clone()], torch.zeros(48, 48, dtype=torch.bool)
    for x, corner in zip(here, (slice(6, 18), slice(30, 42)), strict=True):
        x[..., corner, corner] = 0.2 * thing + torch.tensor([0.64, 0.4, 0.24]).view(3, 1, 1)
        near[corner, corner] = True
    values = given(op, here[0], params)
    one, other = (op(x, **values) for x in here)
    if one.shape[-2:] != near.shape:
        return  # another size has no opacity, and that is said
    change = (one - other).abs().mean((0, 1))
    assert change[near].mean() >= IN_PLACE * change[~near].mean(), f"moves pixels, but says no geometry, with {params}"


def _moves_opacity_alike(op: Operator, params: Params) -> None:
    """All that is opaque is red, all that is half seen blue, and green is hidden: colours say what the opacity is.

    However these are mixed, opacity is one sum of red, green and blue as they weigh in the result.
    """
    down, across = torch.arange(40)[:, None], torch.arange(52)[None]
    opaque, half = (down + across // 2) % 26 < 11, torch.hypot(down - 12.0, across - 34.0) < 11
    alpha = torch.where(half, 0.5, opaque.float())[None, None]
    red, blue, green = (torch.tensor(each).view(1, 3, 1, 1) for each in ([0.9, 0.5, 0.3], [0.1, 0.2, 0.8], [0.0, 1, 0]))
    x = torch.where(alpha == 1, red, torch.where(alpha == 0.5, blue, green))
    values = checked(op.form, given(op, x, params))
    made, lent = finish(compute(Call(op, values, {}), Loaded(Picture(x, alpha), values)))
    assert lent.alpha.shape[-2:] == made.x.shape[-2:], "the opacity has another size"
    weighed, moved = (made.x * lent.alpha)[0].flatten(1).T.double(), lent.alpha.flatten().double()
    off = moved - weighed @ torch.linalg.lstsq(weighed, moved[:, None]).solution[:, 0]
    assert off.square().mean().sqrt() <= ASTRAY, f"opacity goes another way than colours with {params}"


# ---------------------------------------------------------------- reading docstrings, comparing results


def examples(op: Operator) -> Iterator[str]:
    """The command lines in the Examples section."""
    found = re.search(r"^Examples:\n((?:(?: .*)?\n?)*)", inspect.cleandoc(op.function.__doc__ or ""), re.M)
    for line in (found.group(1) if found else "").replace("\\\n", " ").splitlines():
        if line.strip():
            yield line.strip()


def _read(op: Operator, line: str) -> tuple[Params, int]:
    """The values a command line gives, and how many places (files, weights) it fills."""
    program, name, *words = shlex.split(line, comments=True)
    assert (program, name) == ("danqing", op.name), f"{line}: is about something else"
    fields = {field.name.replace("_", "-"): field for field in op.fields}
    values: Params = {}
    places = 0
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            places += 1
            continue
        flag = word[2:]
        field = fields.get(flag.removeprefix("no-")) or fields.get(flag)
        if field and field.kind.name == "boolean":
            values[field.name] = not flag.startswith("no-")
        elif field and field.kind.draw(random.Random(0)) == FILE:  # tests put their own there
            words.pop(0)
            values[field.name] = FILE
        elif field:
            values[field.name] = field.parse(words.pop(0))
            assert field.kind.reads or accepts(field, values[field.name]), f"{line}: {field.name} out of range"
        else:
            assert flag in FACE_OPTIONS, f"{line}: no such option --{flag}"
            del words[: FACE_OPTIONS[flag]]
    return values, places


def _keeps_the_contract(op: Operator, x: Tensor, result: Any, params: Params) -> None:
    if isinstance(result, Tensor):
        check_images(result, op.name)
        assert len(result) == len(x), "other number of pictures"
        if op.reach is not None:
            scale = op.scale_for(checked(op.form, given(op, x, params)))
            assert result.shape[-2:] == (x.shape[2] * scale, x.shape[3] * scale), "size is not that of its scale"
    elif isinstance(result, Film):
        check_images(result.pictures, op.name)
        assert result.rate > 0
    elif isinstance(result, list):
        assert len(result) == len(x), "other number of pictures"
        for each in result:
            _is_the_file_it_says(op, each)
    else:
        assert isinstance(result, Figures), f"returns {type(result).__name__}"
        assert len(result.numbers) == len(x), "other number of pictures"
        json.dumps(result.numbers, allow_nan=False)
        if result.picture is not None:
            check_images(result.picture, op.name)


def _is_the_file_it_says(op: Operator, result: File) -> None:
    field = next((field for field in op.form if field.name == "format"), None)
    assert result.format in (field.kind.choices() if field else ()), "its form has no choice of this format"
    with Image.open(io.BytesIO(result.data)) as file:
        file.load()
        assert file.format == format_of(f"file.{result.format}"), f"is a {file.format}"
        with_recipe = result.embedded(embedding(file.format, [Step(op.name)]))
    assert result.numbers["bytes"] == len(result.data)
    assert with_recipe.numbers["bytes"] == len(with_recipe.data) >= len(result.data)
    json.dumps(result.numbers, allow_nan=False)


@functools.cache
def _rounding(op: Operator) -> float:
    """How far results may lie apart that are equal but for rounding; an operator that asks a net is a net's."""
    asked: list[nn.Module] = []
    hook = nn.modules.module.register_module_forward_hook(lambda module, *_: asked.append(module))
    try:
        for params in settings(op):
            run(op, pictures(1), params)
    finally:
        hook.remove()
    return ROUNDING_OF_NETS if asked else ROUNDING


def _item(result: Any, at: int) -> Any:
    if isinstance(result, Figures):
        return Figures(result.numbers[at : at + 1], None if result.picture is None else result.picture[at : at + 1])
    return result[at : at + 1] if isinstance(result, Tensor | list) else result


def _assert_same(one: Any, other: Any, tolerance: float) -> None:
    if isinstance(one, Figures):
        assert _alike(one.numbers, other.numbers), f"numbers differ: {one.numbers} and {other.numbers}"
        one, other = one.picture, other.picture
    elif isinstance(one, Film):
        one, other = one.pictures, other.pictures
    elif isinstance(one, list):
        assert [each.data for each in one] == [each.data for each in other], "files differ"
        return
    if one is not None:
        torch.testing.assert_close(one, other, rtol=0, atol=tolerance)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return one == (pytest.approx(other, rel=1e-4, abs=ROUNDING) if isinstance(one, float) else other)


def _chance() -> tuple[Any, ...]:
    """The state of the global random generators."""
    return torch.get_rng_state().numpy().tobytes(), np.random.get_state()[1].tobytes(), random.getstate()
