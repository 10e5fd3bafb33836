"""Recipes survive JSON, and whatever is not one is refused in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danqing import __version__
from danqing.core.errors import ParameterError
from danqing.core.recipe import FORMAT, Step, from_json, to_json

SHA = "0" * 64
words = st.text(max_size=20)
paths = st.text(st.characters(exclude_characters="\0/\\:", exclude_categories=["Cs"]), min_size=1, max_size=20)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
steps = st.builds(
    Step,
    operator=words.filter(bool),
    params=st.dictionaries(words, values, max_size=4),
    inputs=st.lists(st.fixed_dictionaries({"as": words, "path": paths, "sha256": hashes}), max_size=3),
    weights=st.dictionaries(words, st.fixed_dictionaries({"name": paths, "sha256": hashes | st.just("")}), max_size=2),
    take=st.none() | st.sampled_from(["grid", "sheet", "heat-map"]) | st.integers(0, 10**6),
    saved=st.fixed_dictionaries(
        {}, optional={"depth": st.sampled_from([8, 16]), "quality": st.integers(1, 100), "columns": st.integers(1, 99)}
    ),
    version=st.integers(1, 99),
)


@settings(max_examples=40)
@given(st.lists(steps, max_size=4))
def test_any_recipe_comes_back(recipe: list[Step]) -> None:
    assert from_json(to_json(recipe)) == recipe


def test_text_is_one_line_of_plain_ascii_and_names_the_version() -> None:
    text = to_json([Step("median", {"path": Path("图/a\n.png")}, [{"as": "x", "path": "x\udc80", "sha256": SHA}])])
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text)["danqing"] == __version__
    assert from_json(text)[0].params == {"path": str(Path("图/a\n.png"))}


def test_equal_recipes_give_equal_text() -> None:
    assert to_json([Step("a", {"x": 1, "y": 2})]) == to_json([Step("a", {"y": 2, "x": 1})])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"bytes"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="cannot be written as JSON"):
        to_json([Step("a", {"x": value})])


NO_PATHS = (
    "http://host/a.png", "file:///etc/passwd", "s3://b/a", "//host/share/a.png", r"\\host\share\a.png", "a.tar::http://h/b",
    "a" * 5000, "a/" + "b" * 256, "\ud800", "a\0b", "",
)  # fmt: skip


def content(**changes: Any) -> str:
    step = {"operator": "median", "params": {}, "inputs": [], "weights": {}, "take": None, **changes}
    return json.dumps({"danqing": "0.1.0", "format": FORMAT, "steps": [step]})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "damaged recipe"),
        ("{", "damaged recipe"),
        ("[" * 100_000, "damaged recipe"),
        ("null", "no danqing recipe"),
        ("[]", "no danqing recipe"),
        ('{"prompt": "a cat"}', "no danqing recipe"),
        ('{"format": "1", "steps": []}', "no danqing recipe"),
        ('{"format": 1, "steps": {}}', "without steps"),
        ('{"format": 1, "steps": [3]}', "step 1 of its recipe names no operator"),
        (json.dumps({"format": FORMAT + 1, "danqing": "9.0", "steps": []}), "danqing 9.0, in format 2.*Update danqing"),
        (content(operator=None), "names no operator"),
        (content(params=[]), "malformed params"),
        (content(inputs=["a.png"]), "malformed inputs"),
        (content(weights={"weights": "digits"}), "malformed weights"),
        (content(take=-1), "malformed take"),
        (content(take=True), "malformed take"),
        (content(take="../sheet"), "malformed take"),
        (content(take="a" * 65), "malformed take"),
        (content(take="all", params=3), "malformed params"),
        ('{"format": true, "steps": []}', "no danqing recipe"),
        (content(params={"x": float("nan")}), "damaged recipe"),
        (content(operator=""), "names no operator"),
        (content(operator="x" * 300), "names no operator"),
        (content(operator=["median"]), "names no operator"),
        (content(version=0), "malformed version"),
        (content(version="1"), "malformed version"),
        (content(version=True), "malformed version"),
        (content(weights={"weights": {}}), "malformed weights"),
        (content(weights={"weights": {"name": "digits", "sha256": 3}}), "malformed weights"),
        (content(weights={"weights": {"name": "digits", "sha256": "12"}}), "64 hexadecimal"),
        (content(weights={"weights": {"name": "http://host/x", "sha256": SHA}}), "an address"),
        (content(inputs={}), "malformed inputs"),
        (content(inputs=[{"as": "x", "sha256": SHA}]), "malformed inputs"),
        (content(inputs=[{"as": "x", "path": ["a.png"], "sha256": SHA}]), "malformed inputs"),
        (content(inputs=[{"as": "x", "path": "a.png", "sha256": ""}]), "64 hexadecimal"),
        (content(inputs=[{"as": "x", "path": "a.png", "sha256": SHA, "run": "rm"}]), "malformed inputs"),
        *((content(inputs=[{"as": "x", "path": each, "sha256": SHA}]), "malformed inputs") for each in NO_PATHS),
        (content(saved=[]), "malformed saved"),
        (content(saved={"quality": "abc"}), "malformed saved: quality"),
        (content(saved={"quality": 0}), "malformed saved: quality"),
        (content(saved={"quality": 101}), "malformed saved: quality"),
        (content(saved={"quality": True}), "malformed saved: quality"),
        (content(saved={"depth": 12}), "malformed saved: depth"),
        (content(saved={"depth": 8.0}), "malformed saved: depth"),
        (content(saved={"columns": 0}), "malformed saved: columns"),
        (content(saved={"wings": 2}), "malformed saved: unknown: wings"),
        (content(seed=3), "unknown entries: seed"),
    ],
)
def test_malformed_recipes_are_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason) as caught:
        from_json(text, "cat.png")
    assert caught.value.where == "cat.png"


@pytest.mark.parametrize("path", ["a.png", "../b/熊猫.png", "/home/a b/c.png", "C:/x/y.png", "a:b.png", "x\udc80.png"])
def test_files_of_this_computer_are_paths(path: str) -> None:
    text = content(inputs=[{"as": "x", "path": path, "sha256": SHA}])
    assert from_json(text)[0].inputs[0]["path"] == path


def test_recipes_of_older_danqings_are_of_the_first_version_of_every_operator() -> None:
    assert from_json(content())[0].version == 1
    assert from_json(to_json([Step("median", version=3)]))[0].version == 3


def test_entries_may_be_left_out() -> None:
    assert from_json('{"format": 1, "steps": [{"operator": "flip"}]}') == [Step("flip")]


def test_recipes_need_neither_torch_nor_pillow() -> None:
    code = "import sys, danqing.core.recipe; print({'torch', 'PIL', 'numpy'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
