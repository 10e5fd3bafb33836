"""The folder tree is the menu: walking it costs no import, and an operator is a function with manners."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
import torch

import danqing
from danqing.core import menu as menu_of_folders
from danqing.core.artefacts.figures import Figures
from danqing.core.errors import DanqingError, OutputError, ParameterError, PictureError, UserError
from danqing.core.fields.form import checked
from danqing.core.fields.number import Range
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model
from danqing.core.menu import families, operators
from danqing.core.operators import tiles
from danqing.core.operators.operator import Operator, operator, operator_named
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress, finish


@operator(reach=lambda radius: 2 * radius, scale=3)
def sample(x: Images, radius: Annotated[int, Range(1, 9, "px")] = 1) -> Images:
    """Copy pictures.

    More words.
    """
    return x.clone()


@operator
def counting(to: int = 3) -> Job[Figures]:
    """Count, as long work does."""
    for number in range(to):
        yield Progress(number + 1, to)
    return Figures([{"to": to}])


def fresh(code: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return out.stdout.strip()


HEAVY = "{'torch', 'numpy', 'PIL', 'cv2', 'scipy', 'skimage', 'matplotlib'} & set(sys.modules)"


def test_listing_imports_nothing_heavy() -> None:
    code = "import sys, danqing.core.menu as r; dir(sys.modules['danqing']); r.operators(); r.families();"
    assert fresh(code + f"print({HEAVY})") == "set()"


def test_importing_danqing_imports_nothing_heavy() -> None:
    assert fresh(f"import sys, danqing, danqing.core.errors, danqing.core.progress; print({HEAVY})") == "set()"


def test_every_file_that_defines_an_operator_is_on_the_menu() -> None:
    menu = operators()
    assert menu
    for name, entry in menu.items():
        assert entry.summary.endswith("."), name
        assert (menu_of_folders.PACKAGE / entry.group / f"{name}.py").is_file()
    groups = [entry.group for entry in menu.values()]
    assert groups == sorted(groups)


def test_names_are_unique_across_groups() -> None:
    files = [
        path.stem
        for folder in menu_of_folders.PACKAGE.iterdir()
        if menu_of_folders._is_group(folder)
        for path in folder.glob("*.py")
        if f"def {path.stem}(" in path.read_text("utf-8") and path.stem in operators()
    ]
    assert sorted(files) == sorted(set(files))


def test_a_named_operator_is_imported() -> None:
    name, entry = next(iter(operators().items()))
    found = operator_named(name)
    assert (found.name, found.group, found.summary) == (name, entry.group, entry.summary)
    assert getattr(danqing, name) is found


def test_a_named_family_is_its_class() -> None:
    for name in families():
        cls = family_named(name)
        assert issubclass(cls, Model)
        assert cls.__name__.lower() == name


def test_unknown_names_list_those_known() -> None:
    for look_up, known in ((operator_named, operators()), (family_named, families())):
        with pytest.raises(ParameterError, match=next(iter(known))):
            look_up("no_such_thing")
    with pytest.raises(AttributeError):
        danqing.no_such_thing  # noqa: B018


def test_listing_walks_folders_and_ignores_what_is_no_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "edit/good.py": '@operator(reach=1)\ndef good(x):\n    """Do good.\n\n    More."""\n',
        "edit/bare.py": '@operator\ndef bare(x):\n    """Be bare."""\n',
        "edit/plain.py": 'def plain(x):\n    """Not marked."""\n',
        "edit/other.py": '@operator\ndef elsewhere(x):\n    """Of another name."""\n',
        "edit/_hidden/x.py": "",
        "core/inner.py": '@operator\ndef inner(x):\n    """In a floor, not in a group."""\n',
        "__pycache__/cached.py": '@operator\ndef cached(x):\n    """Not code."""\n',
        ".idea/config.py": '@operator\ndef config(x):\n    """Not ours."""\n',
        "models/tiny.py": 'class Base: ...\n\nclass Tiny(Base):\n    """Be tiny."""\n',
        "models/none.py": "class Other: ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(menu_of_folders, "roots", lambda: (menu_of_folders.Root(tmp_path, "danqing"),))
    assert list(operators.__wrapped__()) == ["bare", "good"]
    assert operators.__wrapped__()["good"].summary == "Do good."
    assert list(families.__wrapped__()) == ["tiny"]


# --- operators ---


def test_an_operator_looks_like_its_function() -> None:
    assert sample.__name__ == sample.name == "sample"
    assert sample.summary == "Copy pictures."
    assert (sample.__doc__ or "").startswith("Copy pictures.")
    assert [field.name for field in sample.form] == ["radius"]
    assert sample.takes_pictures
    assert not counting.takes_pictures
    assert sample.reach_for({"x": None, "radius": 4}) == 8
    assert sample.scale_for({}) == 3


def test_calling_checks_every_value() -> None:
    x = torch.rand(1, 3, 4, 4)
    assert torch.equal(sample(x, 2), x)
    assert torch.equal(sample(x=x, radius=2), x)
    for wrong in ({"radius": 10}, {"radius": "2"}, {"radios": 1}):
        with pytest.raises(ParameterError):
            sample(x, **wrong)
    with pytest.raises(ParameterError, match="required"):
        sample()
    with pytest.raises(TypeError):
        sample(x, 2, radius=2)


@operator(reach=lambda kind: 1 if kind == "near" else None, settle=lambda x, least: {"least": float(x.min())})
def lifted(x: Images, kind: Literal["near", "far"] = "near", least: float | None = None) -> Images:
    """Take the least of the whole picture away."""
    assert len(x) == 1
    return x - least


def test_what_the_whole_picture_says_is_settled_picture_by_picture() -> None:
    x = 0.2 + 0.5 * torch.rand(3, 3, 40, 50)
    expected = x - x.amin((1, 2, 3), keepdim=True)
    torch.testing.assert_close(lifted(x), expected)
    torch.testing.assert_close(tiles.tiled(lifted, x, {}, tile=16), expected)
    assert lifted.reach_for({"kind": "near"}) == 1
    assert lifted.reach_for({"kind": "far"}) is None
    torch.testing.assert_close(
        finish(tiles.run(lifted, checked(lifted.fields, {"x": x, "kind": "far"}), tile=16)), expected
    )


def test_long_work_reports_and_returns() -> None:
    seen: list[Progress] = []
    assert finish(counting.job(4), seen.append).numbers == [{"to": 4}]
    assert [each.done for each in seen] == [1, 2, 3, 4]
    assert counting().numbers == [{"to": 3}]


def test_operators_are_not_equal_by_content() -> None:
    assert sample == sample
    assert sample != Operator(sample.function, "sample", "core")
    assert len({sample, counting}) == 2


# --- progress ---


def saving(log: list[str]) -> Job[str]:
    try:
        for number in range(5):
            log.append(f"step {number}")
            yield Progress(number, 5)
        return "done"
    finally:
        log.append("saved")


def test_finish_returns_the_result_with_or_without_a_face() -> None:
    log: list[str] = []
    seen: list[Progress] = []
    assert finish(saving(log)) == finish(saving(log), seen.append) == "done"
    assert [each.done for each in seen] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_a_face_that_raises_cancels_the_job_at_its_step(kind: type[BaseException]) -> None:
    log: list[str] = []

    def impatient(progress: Progress) -> None:
        if progress.done == 2:
            raise kind

    with pytest.raises(kind):
        finish(saving(log), impatient)
    assert log == ["step 0", "step 1", "step 2", "saved"]


def test_an_error_in_the_job_goes_on_to_the_caller() -> None:
    def failing() -> Job[None]:
        yield Progress(0, 1)
        raise OutputError("is full", where="disk")

    with pytest.raises(OutputError, match="disk: is full"):
        finish(failing())


# --- errors ---


def test_errors_are_one_sentence_with_place_and_remedy() -> None:
    error = PictureError("is empty", where="a.png", remedy="Take another")
    assert str(error) == "a.png: is empty. Take another"
    assert str(DanqingError("went wrong")) == "went wrong"
    assert (DanqingError("x").exit_code, UserError("x").exit_code, error.exit_code) == (1, 2, 2)
    assert isinstance(ParameterError("x"), ValueError)


def test_errors_survive_the_way_back_from_a_worker() -> None:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1) as pool, pytest.raises(PictureError, match=r"x\.png: no such file") as caught:
        pool.submit(_failing_worker).result()
    assert (caught.value.what, caught.value.where, caught.value.remedy) == ("no such file", "x.png", "Look")


def _failing_worker() -> None:
    raise PictureError("no such file", where="x.png", remedy="Look")


def test_menu_entries_are_json() -> None:
    assert json.dumps([entry._asdict() for entry in operators().values()])
