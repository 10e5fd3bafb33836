"""The command line: what it lists, takes, says and leaves behind, and with which exit code."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

import danqing
from danqing.core.disk import hash_of
from danqing.core.fields.form import REQUIRED
from danqing.core.learned.card import bundled
from danqing.core.learned.families import family_named
from danqing.core.learned.weights import save
from danqing.core.menu import families, operators, tasks
from danqing.core.notes import PictureWarning
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.faces.cli import cli, verbs
from danqing.faces.forms import dashed
from danqing.faces.tables import legible


def run(*args: Any) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def shell(*args: Any, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "danqing", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = torch.Generator().manual_seed(0)
    return write(torch.rand(1, 3, 20, 30, generator=rng), tmp_path / "in" / "photo.png")


# help


def test_the_menu_loads_neither_torch_nor_any_operator() -> None:
    code = (
        "import sys; from danqing.faces.cli import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit as end: code = end.code\n"
        "heavy = {'torch', 'numpy', 'PIL', 'cv2', 'scipy', 'matplotlib', 'av'} & sys.modules.keys()\n"
        "print('LOADED', code, heavy, [m for m in sys.modules if m.startswith('danqing.edit')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED 0 set() []" in done.stdout


def test_the_menu_lists_every_operator_and_verb() -> None:
    page = " ".join(run("--help").stdout.split())
    for name, entry in operators().items():
        assert f"{name} {entry.summary[:20]}" in page
    for name, words in verbs().items():
        assert words
        assert f"{name} {words[:20]}" in page


@pytest.mark.parametrize("name", sorted(operators()))
def test_the_page_of_an_operator_tells_all_of_it(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    page = " ".join(result.stdout.split())
    operator = operator_named(name)
    assert operator.summary in page
    for field in operator.form:
        typed = f"--{field.name.replace('_', '-')}"
        positional = field.name.upper() in page or "MODEL" in page or "PICTURES" in page
        assert typed in page or typed.replace("--", "--[no-]") in page or (field.required and positional)
        assert not field.kind.choices() or all(str(choice) in page for choice in field.kind.choices())
        if field.kind.name == "number" and field.default not in (None, REQUIRED):
            assert f"[{field.default}]" in page
    assert "Examples danqing " in page
    assert all(len(line) <= 100 for line in result.stdout.splitlines())


@pytest.mark.parametrize("name", sorted(families()))
def test_the_page_of_a_family_lists_its_form_and_the_loops_options(name: str) -> None:
    from danqing.training.config import family_fields
    from danqing.training.options import GOING_ON, option_fields

    page = run("train", name, "--help").stdout
    own = {dashed(field.name) for field in family_fields(name)}  # a stylist's paintings are its own, and may have moved
    for field in (*family_fields(name), *option_fields()):
        absent = field.name in GOING_ON and dashed(field.name) not in own
        assert (f"--{dashed(field.name)} " in page or f"]{dashed(field.name)} " in page) != absent
    for name in GOING_ON:
        assert f"--{dashed(name)} " in run("train", "--help").stdout


def test_training_without_a_family_lists_the_families() -> None:
    page = run("train", "--help").stdout
    assert all(name in page for name in families())
    refused = run("train")
    assert refused.exit_code == 2
    assert "no model family" in refused.stderr


@pytest.mark.parametrize("name", [*verbs(), "data check", "data pack"])
def test_every_verb_has_a_page(name: str) -> None:
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert f"danqing {name}" in result.stdout


def test_alone_it_shows_the_menu() -> None:
    assert run().exit_code == 0
    assert run().stdout == run("--help").stdout


def test_the_version() -> None:
    assert danqing.__version__ in run("--version").stdout


# the same as from Python


def test_command_and_function_agree(photo: Path) -> None:
    assert run("median", photo, "--radius", 3, "--out", "a.png").exit_code == 0
    assert torch.equal(read("a.png").pixels, _rounded(operator_named("median")(read(photo).pixels, radius=3)))
    assert run("resize", photo, "--width", 11, "--filter", "box", "--linear", "-o", "b.png").exit_code == 0
    small = operator_named("resize")(read(photo).pixels, width=11, filter="box", linear=True)
    assert torch.equal(read("b.png").pixels, _rounded(small))
    assert run("rotate", photo, "--angle", "-30", "--no-expand", "--fill", "#ff8000", "-o", "c.png").exit_code == 0
    turned = operator_named("rotate")(read(photo).pixels, angle=-30.0, expand=False, fill=(1.0, 128 / 255, 0.0))
    assert torch.equal(read("c.png").pixels, _rounded(turned))


def _rounded(x: torch.Tensor) -> torch.Tensor:
    return x.mul(255).add(0.5).floor().div(255)


def test_numbers_are_json_on_standard_output(photo: Path) -> None:
    result = run("palette", photo, "--count", 3)
    assert json.loads(result.stdout) == operator_named("palette")(read(photo).pixels, count=3).numbers[0]
    with_picture = run("edges", photo, "--out", "edges.png")
    assert json.loads(with_picture.stdout)["density"] > 0
    assert Path("edges.png").exists()
    pair = run("compare", photo, photo)
    assert json.loads(pair.stdout)["mse"] == 0


def test_both_refuse_in_the_same_words(photo: Path) -> None:
    with pytest.raises(danqing.core.errors.ParameterError) as refusal:
        operator_named("median")(read(photo).pixels, radius=99)
    result = run("median", photo, "--radius", 99)
    assert result.exit_code == 2
    assert refusal.value.what in result.stderr
    assert "--radius" in result.stderr


# folders, reports, programs


def test_a_folder_with_a_bad_file(photo: Path) -> None:
    (photo.parent / "bad.png").write_text("no picture")
    result = run("flip", photo.parent, "--out-dir", "out")
    assert result.exit_code == 1
    assert "1 done" in result.stderr
    assert "1 failed" in result.stderr
    assert "bad.png" in result.stderr
    assert "is not a picture" in result.stderr
    assert result.stdout == ""
    again = run("flip", photo.parent, "--out-dir", "out", "--json")
    told = json.loads(again.stdout)
    assert [len(told[state]) for state in ("done", "skipped", "failed")] == [0, 1, 1]
    assert told["failed"][0]["kind"] == "PictureError"


def test_what_ails_a_file_that_all_pictures_share_is_told_of_that_file(photo: Path) -> None:
    write(torch.rand(1, 3, 20, 30), photo.with_name("other.png"))
    gone = run("blur", photo.parent, "--mask", "nowhere.png", "--out-dir", "out")
    assert (gone.exit_code, gone.stdout) == (2, "")
    assert re.search(r"no such file\s+nowhere.png", gone.stderr)
    Path("mask.png").write_text("no picture")
    bad = run("blur", photo.parent, "--mask", "mask.png", "--out-dir", "out")
    assert bad.exit_code == 1
    assert bad.stderr.count("mask.png: is not a picture") == 2


def test_what_is_noted_of_some_pictures_names_them(photo: Path) -> None:
    write(torch.full((1, 3, 20, 30), 0.5), photo.with_name("plain.png"))
    write(torch.full((1, 3, 20, 30), 0.1), photo.with_name("dark.png"))
    some = run("enhance", photo.parent, "--out-dir", "out")
    assert some.exit_code == 0, some.stderr
    assert re.search(r"is not dark.*\(in/photo.png, in/plain.png\)", some.stderr.replace("\n", " "))
    one = run("enhance", photo.with_name("plain.png"), "--out", "one.png")
    assert "(in/plain.png)" not in one.stderr


def test_what_is_wrong_with_a_picture_is_told_of_its_file(photo: Path) -> None:
    clear = write(replace(read(photo), alpha=torch.zeros(1, 1, 20, 30)), photo.with_name("clear.png"))
    told = run("noise_level", clear)
    assert told.exit_code == 2
    assert re.search(r"wholly transparent[^\n]*\n\s+\S*clear.png", told.stderr)


def test_quiet_still_tells_failures(photo: Path) -> None:
    assert run("flip", photo, "--out", "a.png", "--quiet").stderr == ""
    (photo.parent / "bad.png").write_text("no picture")
    assert "bad.png" in run("flip", photo.parent, "--out-dir", "out", "--quiet").stderr


def test_force_is_needed_to_replace(photo: Path) -> None:
    assert run("flip", photo, "--out", "a.png").exit_code == 0
    refused = run("median", photo, "--out", "a.png")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert run("median", photo, "--out", "a.png", "--force").exit_code == 0


@pytest.mark.parametrize("name", ["with space.png", "两只熊猫🐼.png", "new\nline.png", "[bold]x[red].png", "-dash.png"])
def test_odd_names_are_fine(photo: Path, name: str) -> None:
    place = photo.with_name(name)
    photo.rename(place)
    result = run("flip", place, "--out-dir", "out")
    assert result.exit_code == 0
    assert Path("out", name).exists()
    assert legible(name) in result.stderr
    assert run("show", Path("out", name)).exit_code == 0


def test_names_that_are_no_utf8(photo: Path) -> None:
    odd = os.fsdecode(os.fsencode(photo.parent) + b"/caf\xe9 \xff.png")
    photo.rename(odd)
    done = shell("flip", odd, "--out-dir", "out", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "caf\\\\xe9" in done.stderr or "caf\\xe9" in done.stderr
    told = run("flip", odd, "--out-dir", "out", "--json")
    assert os.fsencode(json.loads(told.stdout)["skipped"][0]["picture"]) == os.fsencode(odd)


# models


@pytest.fixture
def painter(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = family_named("vae")(size=16, channels=1, classes=0, dim=3, width=4)  # type: ignore[call-arg]
    return save(model, tmp_path / "painter.safetensors", licence="CC0")


def test_painting_from_the_command_line(painter: Path) -> None:
    assert run("generate", painter, "--count", 3, "--seed", 7, "--truncation", 0.8).exit_code == 0
    assert sorted(file.name for file in Path("generate").iterdir()) == [f"generate-{at:04}.png" for at in range(3)]
    assert run("generate", painter, "--count", 5, "--grid", "--columns", 2).exit_code == 0
    assert read("generate-grid.png").pixels.shape[-2:] == (3 * 18 - 2, 2 * 18 - 2)
    shown = json.loads(run("show", "generate-grid.png", "--json").stdout)
    assert shown[0]["take"] == "grid"
    assert shown[0]["weights"]["weights"]["sha256"] == hash_of(painter)
    result = run("replay", "generate-grid.png")
    assert result.exit_code == 0
    assert "bit for bit" in result.stdout
    assert json.loads(run("replay", "generate-grid.png", "--force", "--json").stdout)["identical"] is True


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (3, 1, 3), (4, 2, 2), (6, 2, 3), (9, 3, 3), (64, 8, 8)]
)
def test_a_sheet_is_nearly_square_and_is_made_again_bit_for_bit(
    painter: Path, count: int, rows: int, columns: int
) -> None:
    assert run("generate", painter, "--count", count, "--grid").exit_code == 0
    assert read("generate-grid.png").pixels.shape[-2:] == (rows * 18 - 2, columns * 18 - 2)
    assert json.loads(run("show", "generate-grid.png", "--json").stdout)[0]["take"] == "grid"
    first = Path("generate-grid.png").read_bytes()
    assert json.loads(run("replay", "generate-grid.png", "--force", "--json").stdout)["identical"] is True
    assert Path("generate-grid.png").read_bytes() == first
    assert "there already" in run("generate", painter, "--count", count, "--grid").stderr


def test_a_label_that_is_not_there(painter: Path) -> None:
    result = run("generate", painter, "--label", 3)
    assert result.exit_code == 2
    assert "--label" in result.stderr


def test_cards(painter: Path) -> None:
    card = json.loads(run("card", painter, "--json").stdout)
    assert (card["family"], card["licence"], card["config"]["dim"]) == ("vae", "CC0", 3)
    assert card["sha256"] == hash_of(painter)
    assert {row["name"] for row in json.loads(run("models", "--json").stdout)} == set(bundled())


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "damaged"), (b"text", "damaged"), (b"PK\x03\x04zip", "pickle"), (b"\x80\x02x", "pickle")],
)
def test_files_that_are_no_weights(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "bad.safetensors").write_bytes(content)
    for command in (["generate", "bad.safetensors"], ["card", "bad.safetensors"]):
        result = run(*command)
        assert result.exit_code == 2
        assert words in result.stderr
    assert run("generate", "none.safetensors").exit_code == 2


# exit codes


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["medain", "a.png"], "Did you mean median"),
        (["median"], "Missing argument"),
        (["median", "none.png"], "no such file"),
        (["median", "in/photo.png", "--radios", "2"], "No such option"),
        (["median", "in/photo.png", "--radius", "two"], "'two' is not a whole number in 1…15 px"),
        (["resize", "in/photo.png", "--filter", "best"], "one of nearest, box"),
        (["crop", "in/photo.png", "--left", "99"], "lies outside"),
        (["rotate", "in/photo.png"], "--angle"),
        (["median", "in/photo.png", "--quality", "0"], "--quality"),
        (["median", "in"], "--out-dir"),
        (["median", "in", "--out-dir", "in/photo.png/x"], "cannot be written"),
        (["median", "in/photo.png", "--out", "/proc/none/a.png"], "cannot be written"),
        (["median", "empty", "--out-dir", "out"], "holds no pictures"),
        (["compare", "in/photo.png"], "Missing argument"),
        (["show", "in/photo.png"], "holds no recipe"),
        (["replay", "none.png"], "no such file"),
        (["card", "none"], "no such weights file"),
        (["data", "check", "none"], "none"),
        (["data", "chek", "none"], "Did you mean check"),
        (["train", "dcgam", "digits"], "no such model family"),
        (["train", "vae"], "no pictures"),
        (["train", "vae", "digits", "--budget", "0"], "--budget"),
        (["train", "vae", "digits", "--beta", "-1"], "--beta"),
        (["generate", ""], "✗ is empty\n  MODEL\n"),
        (["train", "vae", "digits", "--critic-augment", "diff"], "--critic-augment"),
        (["train", "vae", "digits", "--size", "3"], "--size"),
        (["train", "--resume", "none"], "no run"),
        (["train", "--config", "none.json"], "cannot be read"),
        (["train", "vae", "empty", "--out", "run"], "empty"),
    ],
)
def test_requests_that_cannot_be_met(photo: Path, args: list[str], words: str) -> None:
    Path("empty").mkdir()
    before = sorted(Path().rglob("*.png"))
    result = run(*args)
    assert result.exit_code == 2, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert sorted(Path().rglob("*.png")) == before


@pytest.mark.parametrize(
    "args",
    [
        "median LONG", "compare LONG in/photo.png", "compare in/photo.png LONG", "data check LONG", "train mlpgan LONG",
        "train mlpgan digits --out LONG/run", "train mlpgan digits --from LONG", "train --resume LONG", "card LONG",
        "generate LONG", "evaluate handwritten-digits --data LONG", "export LONG --out a.onnx",
        "median in --out-dir LONG", "steer handwritten-digits --directions LONG", "inpaint in/photo.png --mask LONG",
        "show LONG", "replay LONG", "data pack digits --size 8 --labels LONG", "train --config LONG",
    ],
)  # fmt: skip
def test_a_name_longer_than_disks_hold_is_refused_wherever_it_is_given(photo: Path, args: str) -> None:
    before = sorted(Path().rglob("*"))
    result = run(*args.replace("LONG", "x" * 300 + ".png").split())
    assert result.exit_code == 2, result.stderr
    assert "onger than disks hold" in result.stderr or "name too long" in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(Path().rglob("*")) == before


def test_remedies_name_commands_that_there_are() -> None:
    known = {*operators(), *tasks(), *(name.partition(" ")[0] for name in tasks())}
    said = [
        (file, found)
        for file in Path(danqing.__file__).parent.rglob("*.py")
        for each in ast.walk(ast.parse(file.read_text()))
        if isinstance(each, ast.keyword) and each.arg == "remedy"
        for part in ast.walk(each.value)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
        for found in re.findall(r"danqing ([a-z]+)", part.value)
        if found not in ("that", "wrote")
    ]
    assert len(said) > 3
    assert not [(file, found) for file, found in said if found not in known]


@pytest.mark.parametrize(
    "args",
    [
        "median none.png --out new/a.png", "compare in/photo.png none.png --out new/a.json",
        "median none --out-dir new", "steer handwritten-digits --directions none --out-dir new",
        "inpaint in/photo.png --mask none.png --out new/a.png",
        "colour_transfer in none.png --out-dir new/er", "neural_style in/photo.png --style none.png --out new/a.png",
    ],
)  # fmt: skip
def test_what_is_refused_leaves_no_empty_folder_behind(photo: Path, args: str) -> None:
    before = sorted(Path().rglob("*"))
    result = run(*args.split())
    assert result.exit_code in (1, 2), result.stderr  # 1: of a folder's pictures, some failed
    assert sorted(Path().rglob("*")) == before


def test_errors_for_programs(photo: Path) -> None:
    result = run("median", "none.png", "--json")
    assert json.loads(result.stderr) == {
        "error": {"kind": "PictureError", "what": "no such file", "where": "none.png", "remedy": ""}
    }


def test_exit_codes_of_the_process(photo: Path) -> None:
    refused = shell("flip", "none.png")
    assert refused.returncode == 2
    assert "no such file" in refused.stderr


def test_mistakes_of_ours_are_told_without_a_traceback(photo: Path) -> None:
    code = "\n".join(
        [
            "import sys",
            "from danqing.faces import cli as face",
            "face.Studio.get_command = lambda *_: face.click.Command('x', callback=lambda **_: 1 / 0, params=["
            "face.click.Option(['--debug'], is_flag=True)])",
            "face.main()",
        ]
    )
    plain = subprocess.run([sys.executable, "-c", code, "card"], capture_output=True, text=True, check=False)
    assert plain.returncode == 1
    assert "ZeroDivisionError: division by zero" in plain.stderr
    assert "--debug" in plain.stderr
    assert "Traceback" not in plain.stderr
    full = subprocess.run([sys.executable, "-c", code, "card", "--debug"], capture_output=True, text=True, check=False)
    assert full.returncode == 1
    assert "Traceback" in full.stderr


def test_a_reader_that_has_seen_enough(photo: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m danqing --help | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


# stopping

STUBBORN = """
import pathlib, time
from danqing.core.progress import Progress
from danqing.faces import cli as face
from danqing.faces.screen import Screen
from danqing.faces.work import run

def job():
    try:
        for step in range(1000):
            pathlib.Path("ready").touch()
            yield Progress(step, 1000)
            until = time.monotonic() + PAUSE
            while time.monotonic() < until:
                time.sleep(0.01)
    except GeneratorExit:
        pathlib.Path("saved").touch()
        raise

face.Studio.get_command = lambda *_: face.click.Command("x", callback=lambda: run(job(), Screen()))
face.main()
"""


def _stubborn(tmp_path: Path, pause: str) -> subprocess.Popen[str]:
    script = STUBBORN.replace("PAUSE", pause)
    process = subprocess.Popen([sys.executable, "-c", script, "card"], stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "ready").exists():
        assert process.poll() is None
        time.sleep(0.02)
    return process


def _stopped(tmp_path: Path, pause: str, signals: list[signal.Signals]) -> tuple[int, bool, str]:
    process = _stubborn(tmp_path, pause)
    told = ""
    for number in signals:
        process.send_signal(number)
        while "stops at once" not in told:  # two signals that come at once count as one
            told += process.stderr.readline()
    told += process.communicate()[1]
    return process.returncode, (tmp_path / "saved").exists(), told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_lets_the_job_save_itself(tmp_path: Path, number: signal.Signals) -> None:
    code, saved, told = _stopped(tmp_path, "0.05", [number])
    assert (code, saved) == (130, True)
    assert "Traceback" not in told


def test_who_is_to_outlive_the_terminal_does(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does, and as a child inherits it
    try:
        process = _stubborn(tmp_path, "0.05")
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert "Stopping" in process.communicate()[1]
    assert (tmp_path / "saved").exists()


@pytest.mark.parametrize(
    "typed",
    [
        ["compare", "in/photo.png", ""],
        ["inpaint", "in/photo.png", "--mask", ""],
        ["classify", ""],
        ["flip", "in/photo.png", ""],
        ["flip", "in/photo.png", "--out", ""],
        ["flip", "in/photo.png", "--out-dir", ""],
        ["flip", "in/photo.png", "--on", ""],
        ["denoise", "in/photo.png", "--weights", ""],
        ["generate", ""],
        ["train", "dcgan", ""],
        ["train", "dcgan", "in", "--from", ""],
        ["data", "check", ""],
        ["data", "check", "in", "--labels", ""],
        ["replay", ""],
    ],
)
def test_an_empty_name_is_not_the_folder_at_hand(photo: Path, typed: list[str]) -> None:
    result = run(*typed)
    assert result.exit_code == 2, result.output
    assert "is empty" in result.stderr or "is no place" in result.stderr
    assert [file.name for file in photo.parent.parent.iterdir()] == ["in"]


def test_a_folder_is_not_replayed(photo: Path) -> None:
    result = run("replay", ".")
    assert (result.exit_code, "is a folder" in result.stderr) == (2, True)


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    code, saved, told = _stopped(tmp_path, "1000", [signal.SIGINT, signal.SIGINT])
    assert (code, saved) == (130, False)
    assert "again stops at once" in told


# data


def test_looking_through_pictures(photo: Path) -> None:
    (photo.parent / "bad.png").write_text("no picture")
    result = run("data", "check", "in", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["usable"] == 1
    assert report["unusable"][0]["name"] == "bad.png"
    assert "bad.png" in run("data", "check", "in").stdout


def test_packing_pictures(photo: Path) -> None:
    for at in range(3):
        write(torch.full((1, 1, 9, 9), at / 3), photo.with_name(f"{at}.png"))
    facts = json.loads(run("data", "pack", "in", "--size", 16, "--split", "all", "--json").stdout)
    assert (facts[0]["count"], facts[0]["size"], facts[0]["channels"]) == (4, 16, 3)


# training


def test_a_run_from_the_command_line(tmp_path: Path) -> None:
    small = ["--dim", 3, "--width", 4, "--net", "dense", "--precision", "fp32", "--threads", 1]
    result = run("train", "vae", "digits", *small, "--budget", "256pictures", "--batch", 64, "--out", "run", "--json")
    assert result.exit_code == 0, result.stderr
    done = json.loads(result.stdout)
    assert read_card(done["model"])["config"]["dim"] == 3
    again = run("train", "vae", "digits", "--out", "run")
    assert again.exit_code == 2
    assert run("train", "--resume", "run", "--budget", "320pictures", "--quiet").exit_code == 0
    assert read_card("run/model.safetensors")["training"]["steps"] == 5
    copied = run("train", "--config", "run/config.json", "--out", "copy", "--budget", "64pictures", "--json")
    assert copied.exit_code == 0, copied.stderr
    assert read_card("copy/model.safetensors")["training"]["steps"] == 1


def read_card(file: str) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(run("card", file, "--json").stdout)
    return card


def test_a_plan_writes_no_run(tmp_path: Path) -> None:
    small = ["--dim", 3, "--width", 4, "--net", "dense", "--precision", "fp32", "--threads", 1, "--batch", 64]
    result = run("train", "vae", "digits", *small, "--out", "run", "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    assert plan["config"]["params"]["dim"] == 3
    assert sum(plan["parameters"].values()) > 0
    assert not Path("run").exists()


def test_what_packages_tell_programmers_is_not_told_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    from danqing.faces.cli import _warned

    for kind in (FutureWarning, UserWarning, RuntimeWarning):
        _warned(kind("# The axis name: batch will not be used"), kind, "torch.py", 1)
    assert capsys.readouterr().err == ""
    _warned(PictureWarning("the picture lost something"), PictureWarning, "danqing.py", 1)
    assert "! the picture lost something" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "command", "kept"),
    [
        ({}, "colours", {"GOMP_SPINCOUNT": "1000"}),
        ({}, "serve", {"OMP_WAIT_POLICY": "PASSIVE"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "colours", {"OMP_WAIT_POLICY": "ACTIVE"}),
        ({"GOMP_SPINCOUNT": "7"}, "serve", {"GOMP_SPINCOUNT": "7"}),
    ],
)
def test_threads_wait_asleep_unless_a_person_says_otherwise(
    given: dict[str, str], command: str, kept: dict[str, str]
) -> None:
    rules = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    inside = "import os, sys; from danqing.faces import cli; cli.cli.main = lambda: print(dict(os.environ)); cli.main()"
    env = {name: value for name, value in os.environ.items() if name not in rules} | given
    told = subprocess.run([sys.executable, "-c", inside, command], env=env, capture_output=True, text=True, check=True)
    found = ast.literal_eval(told.stdout)
    assert {name: found[name] for name in rules & found.keys()} == kept
