"""Files are written whole or not at all, under any name, and nothing that other threads share is touched."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import threading
from pathlib import Path

import pytest

from danqing.core.disk import hash_of, replacing
from danqing.core.errors import OutputError, of_disk


class Interrupted(Exception):
    """Something goes wrong while a file is being written."""


@pytest.mark.parametrize("kind", [Interrupted, KeyboardInterrupt])
def test_the_old_file_survives_whatever_goes_wrong(tmp_path: Path, kind: type[BaseException]) -> None:
    file = tmp_path / "x.txt"
    file.write_text("old")

    def write_half() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half")
            raise kind

    with pytest.raises(kind):
        write_half()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_appears_whole_in_a_new_folder_with_usual_rights(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "熊猫 \n.txt"
    with replacing(file) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
        assert not file.exists()
    plain = tmp_path / "plain"
    plain.touch()
    assert file.read_text() == "new"
    assert file.stat().st_mode == plain.stat().st_mode


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("old")
    with pytest.raises(OutputError, match="exists already"), replacing(file, force=False):
        pytest.fail("must not get here")
    with replacing(file, force=True) as temporary:
        temporary.write_text("new")
    assert file.read_text() == "new"


@pytest.mark.parametrize("links", [True, False])
def test_of_two_at_once_the_second_finds_the_name_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "a disk without links")

    if not links:
        monkeypatch.setattr(os, "link", refuse)

    def write_twice(name: Path) -> None:
        with replacing(name, force=False) as first:
            first.write_text("first")
            with replacing(name, force=False) as second:
                second.write_text("second")

    with pytest.raises(OutputError, match="exists already"):
        write_twice(tmp_path / "x.txt")
    assert (tmp_path / "x.txt").read_text() == "second"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]
    with replacing(tmp_path / "y.txt", force=False) as temporary:
        temporary.write_text("alone")
    assert (tmp_path / "y.txt").stat().st_nlink == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("place", [None, "film.gif"])
def test_a_full_disk_is_something_a_person_can_mend(number: int, place: str | None) -> None:
    told = of_disk(OSError(number, os.strerror(number), place))
    assert told is not None
    assert (told.exit_code, told.where) == (2, place or "")
    assert "TMPDIR" in told.remedy


def test_no_folder_for_passing_files_is_something_a_person_can_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    with pytest.raises(FileNotFoundError) as caught:
        tempfile.gettempdir()
    told = of_disk(caught.value)
    assert told is not None
    assert "TMPDIR" in told.remedy


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for place in (
        tmp_path / "file" / "x.png",
        tmp_path,
        tmp_path / "pipe",
        tmp_path / ("x" * 300),
        Path("/proc/x.png"),
    ):
        with pytest.raises(OutputError), replacing(place) as temporary:
            temporary.write_text("x")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "pipe"}


def umask_of_this_process() -> str:
    found = re.search(r"^Umask:\s*(\d+)", Path("/proc/self/status").read_text(), re.M)
    assert found
    return found[1]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_the_umask_of_the_process_is_never_touched(tmp_path: Path) -> None:
    before, seen, done = umask_of_this_process(), set(), threading.Event()

    def write_often(name: str) -> None:
        for _ in range(100):
            with replacing(tmp_path / name) as temporary:
                temporary.write_text("x")

    def look() -> None:
        while not done.is_set():
            seen.add(umask_of_this_process())

    writers = [threading.Thread(target=write_often, args=(f"{at}.txt",)) for at in range(4)]
    watcher = threading.Thread(target=look)
    for thread in (watcher, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watcher.join()
    assert seen == {before}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o444])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "x.txt"
    file.write_text("old")
    file.chmod(mode)
    with replacing(file) as temporary:
        temporary.unlink()  # some writers put a file of their own in its place
        temporary.write_text("new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", ["x" * 251 + ".png", "x." + "y" * 253, "熊" * 83 + ".png", "." * 254 + "x"])
def test_names_as_long_as_names_can_be(tmp_path: Path, name: str) -> None:
    with replacing(tmp_path / name) as temporary:
        temporary.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for place in (tmp_path / "a", tmp_path / "a" / "x.png"):
        with pytest.raises(OutputError), replacing(place):
            pytest.fail("must not get here")
    assert (tmp_path / "a").is_symlink()


def test_a_zero_byte_is_no_name() -> None:
    with pytest.raises(OutputError), replacing("a\0b.png"):
        pytest.fail("must not get here")


def test_the_hash_is_that_of_the_file_even_where_size_and_time_stay(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("one")
    first, facts = hash_of(file), file.stat()
    file.write_text("two")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert hash_of(file) != first
