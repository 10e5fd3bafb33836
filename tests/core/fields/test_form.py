"""A signature becomes a schema, and a schema refuses what does not fit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danqing.core.errors import ParameterError
from danqing.core.fields.boolean import BooleanKind
from danqing.core.fields.colour import Colour
from danqing.core.fields.form import checked, schema
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.fields.source import Source
from danqing.core.fields.weights import ForTask, WeightsKind
from danqing.core.learned.model import Model, Recogniser, Restorer
from danqing.core.pictures.contract import Images, Mask
from danqing.core.words import words_in


def everything(
    x: Images,
    radius: Annotated[int, Range(1, 15, "px")] = 1,
    strength: Annotated[float, Range(0)] = 0.5,
    mode: Literal["soft", "hard"] = "soft",
    order: Literal[1, 2] = 1,
    fast: bool = False,
    title: str = "",
    fill: Colour = (1.0, 0.5, 0.0),
    seed: Seed = 0,
    mask: Mask | None = None,
    other: Images | None = None,
    curve: Path | None = None,
    pictures: Source = "digits",
    names: Recogniser | None = None,
    cleaner: Annotated[Restorer, ForTask("denoise")] | None = None,
    limit: Annotated[int | None, Range(0, 9)] = None,
) -> Images:
    """Show every field type.

    Args:
        x: the pictures.
        radius: how far it looks, in a text
            of two lines: with a colon.
        strength: how much.

    Returns:
        The pictures: all of them.
    """
    return x


FIELDS = {field.name: field for field in schema(everything)}
PIXELS = torch.rand(1, 3, 2, 2)


def refused(name: str, value: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        FIELDS[name].check(value)
    assert caught.value.where == name
    return caught.value.what


def test_every_kind_is_recognised() -> None:
    assert {name: field.kind.name for name, field in FIELDS.items()} == {
        "x": "pictures", "radius": "number", "strength": "number", "mode": "choice", "order": "choice",
        "fast": "boolean", "title": "text", "fill": "colour", "seed": "seed", "mask": "mask", "other": "pictures",
        "curve": "path", "pictures": "source", "names": "weights", "cleaner": "weights", "limit": "number",
    }  # fmt: skip
    assert [name for name, field in FIELDS.items() if field.optional] == [
        "mask", "other", "curve", "names", "cleaner", "limit",
    ]  # fmt: skip
    assert [name for name, field in FIELDS.items() if field.required] == ["x"]


def test_the_annotation_says_which_and_what_is_said_last_holds() -> None:
    assert FIELDS["names"].kind == WeightsKind(Recogniser)
    assert FIELDS["cleaner"].kind == WeightsKind(Restorer, "denoise")
    assert getattr(FIELDS["limit"].kind, "range", None) == Range(0, 9)

    def twice(n: Annotated[Annotated[int, Range(0, 99)], Range(0, 9)]) -> None: ...

    assert getattr(schema(twice)[0].kind, "range", None) == Range(0, 9)


def test_words_come_from_the_docstring() -> None:
    assert FIELDS["radius"].words == "how far it looks, in a text of two lines: with a colon."
    assert FIELDS["strength"].words == "how much."
    assert FIELDS["mode"].words == ""
    assert words_in("No section.").arguments == {}


@pytest.mark.parametrize("hint", [list[int], complex, int | str, None, "dict", bytes])
def test_an_unknown_annotation_is_the_authors_mistake(hint: Any) -> None:
    def broken(x: int) -> None: ...

    broken.__annotations__ = {} if hint is None else {"x": hint}
    with pytest.raises(TypeError, match="x"):
        schema(broken)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("radius", "7", 7),
        ("strength", "0.25", 0.25),
        ("strength", "1e-3", 0.001),
        ("mode", "hard", "hard"),
        ("order", "2", 2),
        ("fast", "Yes", True),
        ("fast", "off", False),
        ("title", "熊猫", "熊猫"),
        ("fill", "#ff8000", (1.0, 128 / 255, 0.0)),
        ("fill", "000000", (0.0, 0.0, 0.0)),
        ("curve", "a b.txt", Path("a b.txt")),
    ],
)
def test_typed_text_is_parsed_and_fits(name: str, text: str, value: Any) -> None:
    parsed = FIELDS[name].parse(text)
    assert parsed == value
    assert type(parsed) is type(value)
    assert FIELDS[name].check(parsed) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("radius", "2.5"), ("radius", ""), ("strength", "much"), ("fast", "maybe"), ("fill", "red"), ("fill", "#12345")],
)
def test_text_that_does_not_parse_is_refused(name: str, text: str) -> None:
    with pytest.raises(ParameterError, match="is not") as caught:
        FIELDS[name].parse(text)
    assert caught.value.where == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("radius", 0), ("radius", 16), ("radius", 1.0), ("radius", True), ("radius", "1"), ("radius", None),
        ("strength", -1e-9), ("strength", math.nan), ("strength", math.inf), ("strength", 10**400), ("strength", True),
        ("strength", "0.5"), ("strength", 1j), ("mode", "medium"), ("mode", None), ("order", 3), ("order", "1"),
        ("fast", 1), ("fast", "yes"), ("title", 3), ("fill", (0, 0)), ("fill", (0, 0, 1.5)), ("fill", "#12"),
        ("fill", ("a", "b", "c")), ("fill", (math.nan, 0, 0)), ("fill", 7), ("seed", -1), ("seed", 2**63),
        ("mask", PIXELS), ("mask", PIXELS[:, :1].double()), ("x", PIXELS * 2), ("x", None), ("x", PIXELS.numpy()),
        ("curve", 3), ("names", 3), ("names", ["digits"]), ("pictures", Path("x")), ("limit", 10), ("mode", ["soft"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_its_name(name: str, value: Any) -> None:
    assert refused(name, value)


def test_refusals_say_what_would_fit() -> None:
    assert refused("radius", 99) == "99 is not a whole number in 1…15 px"
    assert refused("strength", -1.0) == "-1.0 is not a number in 0…"
    assert refused("mode", "medium") == "'medium' is not one of soft, hard"
    assert refused("fill", "red") == "'red' is not a colour such as #ff8800"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("radius", np.int64(3), int), ("strength", np.float32(0.5), float), ("strength", 1, float), ("limit", None, None)],
)
def test_numbers_of_numpy_become_pythons(name: str, value: Any, kind: type | None) -> None:
    out = FIELDS[name].check(value)
    assert out == value
    assert out is None if kind is None else type(out) is kind


@given(st.integers() | st.floats() | st.text() | st.booleans() | st.none() | st.lists(st.floats(), max_size=4))
def test_check_never_fails_in_another_way(value: Any) -> None:
    for field in FIELDS.values():
        if field.kind.name == "weights":  # would look for a file of that name
            continue
        try:
            field.check(value)
        except ParameterError as error:
            assert field.name in str(error)  # noqa: PT017


def test_checked_fills_in_defaults_and_names_what_is_wrong() -> None:
    ready = checked(schema(everything), {"x": PIXELS, "radius": 3})
    assert list(ready) == list(FIELDS)
    assert ready["radius"] == 3
    assert ready["mode"] == "soft"
    with pytest.raises(ParameterError, match="x: is required"):
        checked(schema(everything), {})
    with pytest.raises(ParameterError, match=r"radios: no such parameter\. Known: x, radius"):
        checked(schema(everything), {"x": PIXELS, "radios": 3})


def test_weights_are_loaded_or_passed_through() -> None:
    from danqing.models.classifier import Classifier

    model = Classifier(16, 1, 2)
    assert FIELDS["names"].check(model) is model
    with pytest.raises(ParameterError):
        checked((FIELDS["radius"],), {"radius": model})


def test_json_schema_is_json_and_says_it_all() -> None:
    schemas = json.loads(json.dumps({name: field.json_schema() for name, field in FIELDS.items()}))
    assert schemas["radius"] == {
        "description": FIELDS["radius"].words, "type": "integer", "minimum": 1, "maximum": 15, "x-unit": "px",
        "default": 1, "x-kind": "number", "x-widget": "slider",
    }  # fmt: skip
    assert "maximum" not in schemas["strength"]
    assert schemas["mode"]["enum"] == ["soft", "hard"]
    assert schemas["fill"]["default"] == "#ff8000"
    assert "default" not in schemas["limit"]
    assert "default" not in schemas["x"]


def test_family_signatures_are_forms_too() -> None:
    class Family:
        def __init__(self, size: Annotated[int, Range(16, 128)], widths: int = 3) -> None: ...

    assert [(field.name, field.required) for field in schema(Family.__init__)] == [("size", True), ("widths", False)]


def test_a_bare_model_takes_any_weights() -> None:
    def use(weights: Model) -> None: ...

    assert schema(use)[0].kind == WeightsKind(Model)


class AngleKind(BooleanKind):
    noun = "an angle"


def test_a_kind_needs_no_list() -> None:
    def turn(by: Annotated[bool, AngleKind()] = False) -> None: ...

    assert isinstance(schema(turn)[0].kind, AngleKind)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Range(1, 15, "px"), "1…15 px"),
        (Range(0), "0…"),
        (Range(0, 0.5), "0…0.5"),
        (Range(-1, 1e6), "-1…1e+06"),
        (Range(1, 1e9), "1…"),
    ],
)
def test_ranges_in_words(limits: Range, words: str) -> None:
    assert str(limits) == words


def test_a_function_without_pictures_has_a_schema() -> None:
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    assert schema(nothing) == ()
