"""Every kind of field, and every field of every form, keeps what all promise; they are found by walking folders."""

from __future__ import annotations

import inspect
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from samples import misfits

from danqing.core.errors import ParameterError, UserError
from danqing.core.fields.choice import ChoiceKind
from danqing.core.fields.form import REQUIRED, Field, kinds
from danqing.core.fields.kind import Kind
from danqing.core.fields.number import NumberKind
from danqing.core.fields.pictures import FILE
from danqing.core.menu import families, operators, tasks
from danqing.core.operators.task import task_named
from danqing.training.config import family_fields
from danqing.training.options import option_fields

DRAWS = 20
TYPES = {"string": str, "integer": int, "number": int | float, "boolean": bool, "array": list, "object": dict}
HUGE = 10**400  # JSON holds whole numbers that no float does
ODD = [
    *(HUGE, -HUGE, [HUGE], [HUGE] * 3, [[0, HUGE]] * 4, 2**63, -(2**63) - 1, 1e308, -1e308),
    *([], {}, [[]], [None], [{}], {"": ""}, True, False, ["a", 1], [[1, 2], 3]),
    *("", " ", "\0", "x" * 5000, "\ud800", "nan,nan", "1e999,1", ",", "0,", ":", "=", "::"),
]
BARE = {ChoiceKind: ChoiceKind(("soft", "hard"))}  # kinds that mean nothing without what an annotation says


def forms() -> Iterator[tuple[str, list[Field]]]:
    """Every form there is, and the fields of each."""
    for name in [*operators(), *tasks()]:
        yield name, list(task_named(name).fields if task_named(name).form else ())
    for name in families():
        yield f"{name} (family)", list(family_fields(name))
    yield "options of train", list(option_fields())


def alone() -> Iterator[Field]:
    """Every kind in a field of its own."""
    for kind in kinds():
        if not inspect.isabstract(kind):
            yield Field("value", BARE.get(kind) or kind(), REQUIRED, False, "words")


FORMS = {
    **{f"{field.kind.name} (kind)": [field] for field in alone()},
    **{name: fields for name, fields in forms() if fields},
}


def drawn(field: Field) -> list[Any]:
    """Values by chance, where chance can make any."""
    rng = random.Random(0)
    values = [field.kind.draw(rng) for _ in range(DRAWS)]
    return [value for value in values if value is not None and value != FILE]


def it_speaks(field: Field) -> None:
    for words in (field.kind.name, field.kind.metavar, field.kind.widget, field.kind.expected()):
        assert words
        assert isinstance(words, str)
    if field.kind.choices():
        assert all(str(each) in field.kind.expected() for each in field.kind.choices())


def what_reads_a_file_says_that_it_names_one(field: Field) -> None:
    kind = type(field.kind)
    assert kind.opens or not (kind.reads or kind.is_picture or kind.names_file is not Kind.names_file)


def what_is_drawn_fits_and_comes_back_as_it_is_typed(field: Field) -> None:
    for value in drawn(field):
        fitting = field.check(value)
        assert fitting == value
        again = field.check(field.parse(field.kind.spelt(fitting)))
        assert type(again) is type(fitting)
        if again != fitting:  # a colour is spelt in 256 steps
            torch.testing.assert_close(torch.tensor(again), torch.tensor(fitting), rtol=0, atol=0.5 / 255 + 1e-6)


def what_is_written_down_is_json_and_fits_again(field: Field) -> None:
    for value in drawn(field):
        plain = json.loads(json.dumps(field.kind.plain(field.check(value)), allow_nan=False))
        assert field.check(plain) == value


def misfits_are_refused_by_name(field: Field) -> None:
    found = list(misfits(field))
    assert len(found) > 1
    for value in found:
        with pytest.raises(UserError) as caught:
            field.check(value)
        if isinstance(caught.value, ParameterError):
            assert caught.value.where == field.name


def whatever_json_holds_is_taken_or_refused_by_name(field: Field) -> None:
    for value in ODD:
        refused: UserError | None = None
        try:
            field.check(value)
        except UserError as error:  # what a file holds, or that there is none, is said of the file
            refused = error
        assert not isinstance(refused, ParameterError) or refused.where == field.name
        assert refused is None or len(refused.what) < 1000


def its_json_schema_is_one_and_says_what_fits(field: Field) -> None:
    told = json.loads(json.dumps(field.json_schema(), allow_nan=False))
    assert not problem_of(told)
    assert (told["x-kind"], told["x-widget"]) == (field.kind.name, field.kind.widget)
    if "default" in told:
        assert fits(told, told["default"])
        field_default = told["default"]
        assert field_default == field.default or isinstance(field_default, str)
    for value in drawn(field):
        as_typed = field.kind.spelt(value)
        assert fits(told, field.kind.plain(value)) or fits(told, as_typed), (told, value)


PROMISES: tuple[Callable[[Field], None], ...] = (
    it_speaks,
    what_reads_a_file_says_that_it_names_one,
    what_is_drawn_fits_and_comes_back_as_it_is_typed,
    what_is_written_down_is_json_and_fits_again,
    misfits_are_refused_by_name,
    whatever_json_holds_is_taken_or_refused_by_name,
    its_json_schema_is_one_and_says_what_fits,
)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("form", FORMS)
def test_every_field_keeps_the_promise(form: str, promise: Callable[[Field], None]) -> None:
    for field in FORMS[form]:
        try:
            promise(field)
        except BaseException as problem:
            problem.add_note(f"the field {field.name} ({field.kind.name})")
            raise


def problem_of(told: dict[str, Any]) -> str:
    """What is wrong with a schema; empty if nothing is."""
    means = [word for word in ("type", "enum", "anyOf") if word in told]
    if not means:
        return "says nothing of what fits"
    if "type" in told and told["type"] not in TYPES:
        return f"{told['type']} is no type"
    if "enum" in told and not told["enum"]:
        return "nothing fits"
    if told.get("minimum", 0) > told.get("maximum", told.get("minimum", 0)):
        return "its ends are the wrong way round"
    re.compile(told.get("pattern", ""))
    return next(filter(None, map(problem_of, told.get("anyOf", []))), "")


def fits(told: dict[str, Any], value: Any) -> bool:
    """Whether a JSON value fits a schema, as far as forms use JSON Schema."""
    if "anyOf" in told:
        return any(fits(each, value) for each in told["anyOf"])
    if "enum" in told:
        return value in told["enum"]
    if not isinstance(value, TYPES[told["type"]]) or (isinstance(value, bool) and told["type"] != "boolean"):
        return False
    if isinstance(value, int | float):
        return told.get("minimum", value) <= value <= told.get("maximum", value)
    return not isinstance(value, str) or re.search(told.get("pattern", ""), value) is not None


@pytest.mark.parametrize(
    ("told", "words"),
    [({}, "nothing"), ({"type": "text"}, "no type"), ({"enum": []}, "nothing fits"),
     ({"type": "number", "minimum": 2, "maximum": 1}, "wrong way"), ({"anyOf": [{"type": "seed"}]}, "no type")],
)  # fmt: skip
def test_a_wrong_schema_is_noticed(told: dict[str, Any], words: str) -> None:
    assert words in problem_of(told)


def test_the_walk_finds_them() -> None:
    assert len(kinds()) >= 15
    used = {type(field.kind) for _, fields in forms() for field in fields}
    assert {NumberKind, ChoiceKind} < used
