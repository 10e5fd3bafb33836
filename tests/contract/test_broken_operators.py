"""The contract tests can fail: every promise is broken here on purpose, and noticed."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal

import promises
import pytest
import torch

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.operators.operator import Operator, operator
from danqing.core.pictures.contract import Images


@operator(reach=lambda radius: radius)
def sound(
    x: Images, radius: Annotated[int, Range(1, 5, "px")] = 1, way: Literal["down", "up"] = "down", seed: int = 0
) -> Images:
    """Move pictures towards grey.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        radius: how far it looks.
        way: which way it goes.
        seed: where chance starts.

    Returns:
        Pictures of the same size.

    Source: danqing.

    Examples:
        danqing sound photo.png --radius 2 --way up --out grey.png
    """
    return x * 0.5 + 0.25


DOC = """Move pictures.

Args:
    x: pictures (B, C, H, W) in [0, 1].

Returns:
    Pictures.

Source: danqing.

Examples:
    danqing {name} photo.png --out moved.png
"""
RADIUS = DOC.replace("1].\n", "1].\n    radius: how far it looks.\n", 1)


def of(function: Callable[..., Any], doc: str = DOC, **marks: Any) -> Operator:
    """An operator of its own from a function, with these words."""
    f = function
    copy = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    copy.__annotations__ = {"return": Images, **f.__annotations__, "x": Images}
    copy.__doc__ = doc.replace("{name}", f.__name__.strip("<>"))
    return operator(**marks)(copy)


def small(x, radius: Annotated[int, Range(1, 9)] = 1):
    return x[:, :, :5, :5].clone()


def many(x, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0, g: int = 0):
    return x.clone()


def synonym(x, iterations: int = 3):
    return x.clone()


def unit(x, width_px: int = 3):
    return x.clone()


def badly_set(x, radius: Annotated[int, Range(1, 9)] = 30):
    return x.clone()


def hopeless(x):
    raise ParameterError("no")


def too_narrow(x):
    return torch.nn.functional.pad(x, (2, 2, 2, 2), mode="reflect")[:, :, 2:-2, 2:-2].clone()


def too_bright(x, count: Annotated[int, Range(1, 9)] = 1):
    return x * count


def turning_colours(x):
    return x.clone() if x.shape[1] == 1 else x.flip(3)


CALLS = itertools.count()


def remembering(x):
    return x * (0.5 if next(CALLS) % 2 else 0.4)


def counting(value: Any) -> Callable[..., Any]:
    return lambda x: Figures([{"value": value}] * len(x))


BROKEN: list[tuple[Callable[[Operator], None], Operator, str]] = [
    (promises.its_file_has_its_name, of(small), "lives in"),
    (promises.its_words_are_complete, of(hopeless, ""), "one short sentence"),
    (promises.its_words_are_complete, of(hopeless, DOC.replace("Source: danqing.\n", "")), "no Source"),
    (promises.its_words_are_complete, of(hopeless, DOC.replace("    Pictures.\n", "")), "no Returns"),
    (promises.its_words_are_complete, of(hopeless, DOC.replace("Move pictures.", "move it.")), "one short sentence"),
    (promises.its_words_are_complete, of(hopeless, DOC.replace("pictures.", "pictures", 1)), "one short sentence"),
    (promises.its_words_are_complete, of(hopeless, DOC.replace("pictures.", "them. Or not.", 1)), "more than one"),
    (promises.its_words_are_complete, of(hopeless, DOC.replace("    x: p", "    y: p")), "Args and signature differ"),
    (promises.its_words_are_complete, of(small), "Args and signature differ"),
    (promises.its_words_are_complete, of(hopeless, DOC.partition("    danqing")[0]), "no Examples"),
    (promises.its_form_is_short_and_uses_the_shared_words, of(many), "7 parameters"),
    (promises.its_form_is_short_and_uses_the_shared_words, of(synonym), "say steps"),
    (promises.its_form_is_short_and_uses_the_shared_words, of(unit), "belongs in Range"),
    (promises.its_form_is_json_schema, of(badly_set, RADIUS), "outside its own range"),
    (promises.its_form_is_json_schema, of(small), "not described"),
    (promises.its_examples_fit_the_schema, of(small, RADIUS.replace("--out", "--radius 40 --out")), "out of range"),
    (promises.its_examples_fit_the_schema, of(small, RADIUS.replace("--out", "--breadth 4 --out")), "no such option"),
    (promises.its_examples_fit_the_schema, of(small, RADIUS.replace("photo.png", "")), "0 places"),
    (promises.its_examples_fit_the_schema, of(small, RADIUS.replace("danqing {name}", "danqing x")), "something else"),
    (promises.its_examples_work, of(hopeless), "no"),
    (promises.it_keeps_the_image_contract, of(hopeless), "refuses everything"),
    (promises.it_keeps_the_image_contract, of(lambda x: x * 1.5), "finite and in"),
    (promises.it_keeps_the_image_contract, of(too_bright), "finite and in"),
    (promises.it_keeps_the_image_contract, of(lambda x: x.double()), "float32"),
    (promises.it_keeps_the_image_contract, of(lambda x: x[0]), "must have shape"),
    (promises.it_keeps_the_image_contract, of(lambda x: x / 0 * 0), "finite and in"),
    (promises.it_keeps_the_image_contract, of(lambda x: x[:1]), "other number of pictures"),
    (promises.it_keeps_the_image_contract, of(lambda x: x.numpy()), "returns ndarray"),
    (promises.it_keeps_the_image_contract, of(small, reach=3), "size is not that of its scale"),
    (promises.it_keeps_the_image_contract, of(counting(float("nan"))), "not JSON compliant"),
    (promises.it_keeps_the_image_contract, of(counting(torch.zeros(1))), "not JSON serializable"),
    (promises.it_keeps_the_image_contract, of(lambda x: Figures([])), "other number of pictures"),
    (promises.it_takes_odd_and_tiny_pictures, of(too_narrow), "[Pp]adding size"),
    (promises.it_takes_odd_and_tiny_pictures, of(lambda x: x[:, :, 1:]), "must have shape"),
    (promises.it_takes_plain_and_extreme_pictures, of(lambda x: (x - x.mean()) / x.std() * 0), "finite and in"),
    (promises.it_is_deterministic, of(lambda x: torch.rand_like(x)), "global random generators"),
    (promises.it_is_deterministic, of(remembering), "not close|not equal"),
    (promises.it_leaves_its_input_alone, of(lambda x: x.mul_(0.5)), "input was changed"),
    (promises.it_leaves_its_input_alone, of(lambda x: x), "shares memory"),
    (promises.it_leaves_its_input_alone, of(lambda x: x[:, :, 1:]), "shares memory"),
    (promises.it_keeps_batch_items_apart, of(lambda x: x * 0 + x.mean()), "not close"),
    (promises.it_keeps_batch_items_apart, of(lambda x: x.flip(0)), "not close"),
    (promises.it_keeps_batch_items_apart, of(lambda x: Figures([{"a": float(x.mean())}] * len(x))), "numbers differ"),
    (promises.it_does_not_see_memory_layout, of(lambda x: x * 0 + (x.stride(1) == 1) * 0.5), "not close"),
    (promises.it_gives_the_same_in_tiles, of(lambda x: x * 0 + x.mean((2, 3), keepdim=True), reach=1), "seams"),
    (promises.it_gives_the_same_in_tiles, of(lambda x: x.roll(9, 3), reach=3), "seams"),
    (promises.its_opacity_lies_where_its_colours_do, of(lambda x: x.flip(3)), "says no geometry"),
    (promises.its_opacity_lies_where_its_colours_do, of(turning_colours, geometry=True), "another way than colours"),
]


@pytest.mark.parametrize("promise", [*promises.WORDS, *promises.DEEDS], ids=lambda p: p.__name__)
def test_a_sound_operator_passes(promise: Callable[[Operator], None]) -> None:
    if promise is not promises.its_file_has_its_name:
        promise(sound)


@pytest.mark.parametrize(("promise", "broken", "words"), BROKEN, ids=lambda each: getattr(each, "__name__", None))
def test_a_broken_operator_is_noticed(promise: Callable[[Operator], None], broken: Operator, words: str) -> None:
    with pytest.raises((Exception, pytest.fail.Exception), match=words):
        promise(broken)


def test_an_operator_that_takes_what_does_not_fit_is_noticed() -> None:
    class Careless(Operator):
        def job(self, *args: Any, **values: Any) -> Any:
            yield from ()

    op = Careless(sound.function, "sound", "nowhere")
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        promises.it_refuses_what_does_not_fit(op)


def test_every_promise_is_broken_by_somebody() -> None:
    broken = {promise for promise, _, _ in BROKEN} | {promises.it_refuses_what_does_not_fit}
    assert broken == {*promises.WORDS, *promises.DEEDS}
