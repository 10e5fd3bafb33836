"""JSON holds any name, also one with bytes that are no UTF-8; and nothing else writes letters as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import danqing
from danqing.core.json_text import json_text

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


@given(st.dictionaries(TEXT, st.lists(TEXT, max_size=3), max_size=3))
def test_any_text_comes_back_and_fits_into_a_file(value: dict[str, list[str]]) -> None:
    written = json_text(value).encode()
    joined = json.loads(json.dumps(value))  # two halves of a pair that meet are one sign to JSON
    assert json.loads(written) == joined


def test_letters_stay_legible_and_stray_bytes_are_escaped() -> None:
    assert json_text({"丹青": "caf\udce9"}, indent=1) == '{\n "丹青": "caf\\udce9"\n}'


def test_whoever_writes_letters_as_they_are_does_so_here() -> None:
    found = re.compile(r"ensure_ascii=False")
    places = {
        file.relative_to(Path(danqing.__file__).parent).as_posix()
        for file in Path(danqing.__file__).parent.rglob("*.py")
        if found.search(file.read_text("utf-8"))
    }
    seen_not_kept = {"faces/screen.py", "faces/service/problems.py"}  # what is sent or printed has escapes of its own
    assert places - seen_not_kept <= {"core/json_text.py", "zoo/packages.py"}
