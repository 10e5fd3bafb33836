"""Whatever the page says of its own is said in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch

import danqing
from danqing.core.menu import families
from danqing.core.operators.operator import operator_named
from danqing.core.progress import finish
from danqing.faces.service import catalogue

SOURCE = Path(__file__).resolve().parents[2] / "studio" / "src"
SAID = re.compile(r"""\bt\(\s*'((?:[^'\\]|\\.)*)'""")
TABLES = re.compile(r"""\b(?:title|words): '((?:[^'\\]|\\.)*)'""")


def test_every_phrase_of_the_page_has_its_chinese() -> None:
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    sources = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*") if file.suffix in (".svelte", ".ts"))
    phrases = {*SAID.findall(sources), *TABLES.findall(sources)} - {""}
    assert len(phrases) > 150
    assert sorted(phrase for phrase in phrases if phrase not in book) == []


def test_nearly_every_tool_and_its_settings_have_their_chinese() -> None:
    """Titles, menu texts, names of fields; of what is new a few may be late, and are listed here then."""
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    said: dict[str, str] = {}
    for name in catalogue.offered():
        told = catalogue.told(name)
        fields = [each["name"].rstrip("_").replace("_", " ") for each in told["fields"]]
        said |= dict.fromkeys([told["title"], told["summary"], told["group"], *fields], name)
    lacking = {text: name for text, name in said.items() if text not in book}
    assert len(said) > 400
    assert len(lacking) <= len(said) // 50, lacking


def test_every_tool_and_every_kind_of_model_is_told_in_chinese() -> None:
    """What a page lists first: no sentence or name of a kind in English stands among the others."""
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    spelt = set(re.findall(r"^  (\w+): '", (SOURCE / "lib" / "i18n.svelte.ts").read_text("utf-8"), re.MULTILINE))
    assert {"dcgan", "vae"} <= spelt
    assert [each for each in families() if each not in book and each not in spelt] == []
    assert [each for name in catalogue.offered() if (each := catalogue.told(name)["summary"]) not in book] == []


MEASURES = ("colours", "edges", "jpeg_quality", "noise_level", "palette", "repair", "scratches", "sharpness", "texture")
CURVES = ("critic_accuracy", "logit_gap", "critic_overfitting", "augment_chance", "psnr_before", "rate")


def names_in(numbers: Any) -> set[str]:
    if isinstance(numbers, list):
        return set().union(*map(names_in, numbers))
    return set(numbers).union(*map(names_in, numbers.values())) if isinstance(numbers, dict) else set()


def test_what_is_measured_is_named_in_chinese() -> None:
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    x = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    told = {each for name in MEASURES for each in names_in(finish(operator_named(name).job(x)).numbers)}
    told |= names_in(danqing.compare(x, x).numbers) | {*CURVES}
    assert len(told) > 50
    names = {each.replace("_", " ") for each in told if not each.isdigit()}
    assert sorted(each for each in names if each not in book) == []


AS_SPELT = {  # names of formats, of devices and of people
    "4:2:0", "4:2:2", "4:4:4", "avif", "bf16", "canny", "clahe", "cnn", "coco", "cpu", "cuda", "danqing", "fp32",
    "imagenet", "jpg", "labelme", "lanczos", "lite0", "mobilenet", "onnx", "openvino", "png", "r1", "r1+r2", "reinhard",
    "resnet", "sefa", "sobel", "telea", "voc", "webp", "yolo",
}  # fmt: skip


def test_choices_have_their_chinese_by_the_field_that_they_are_of() -> None:
    """A ground to stand on is no ground to compare with: the same word need not be the same choice."""
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    choices = {
        f"{field['name']}={choice}"
        for name in catalogue.offered()
        for field in catalogue.told(name)["fields"]
        for choice in [*field.get("choices", []), *field.get("says", [])]
        if choice not in AS_SPELT
    }
    assert len(choices) > 130
    assert "codec=new" in choices
    assert len(choices - book.keys()) <= len(choices) // 25, choices - book.keys()  # of what is new a few may be late
    assert book["where=ground"] == "地面上" != book["ground"]
    assert {each for each in book if re.fullmatch(r"\w+=\S+", each)} <= choices


def test_what_is_filled_in_is_filled_in_in_both() -> None:
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    holes = re.compile(r"\{\d\}")
    assert [
        each for each, chinese in book.items() if sorted(holes.findall(each)) != sorted(holes.findall(chinese))
    ] == []
