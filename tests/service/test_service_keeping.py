"""What a service keeps in files and its index: what is damaged is set aside and said, what is healthy is left alone."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from serving import Running, running, wait_for

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import OutputError
from danqing.core.pictures.exif import Exif, Value
from danqing.core.pictures.writing import write
from danqing.faces.service.cards import Cards
from danqing.faces.service.decoded import Decoded
from danqing.faces.service.gallery import Gallery
from danqing.faces.service.index import Index
from danqing.faces.service.job_folder import JobFolder
from danqing.faces.service.routes_jobs import submitted
from danqing.faces.service.shelf import Shelf

NAMES = ["folder-my_photos", "folder-my photos v1.2", "熊猫", "0" * 64]


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_read_and_dropped_by_the_name_it_was_written_under(tmp_path: Path, name: str) -> None:
    cards = Cards(tmp_path, _never)
    cards.write(name, {"a": 1})
    assert cards.names() == [name]
    assert cards.read(name) == {"a": 1}
    assert cards.drop(name)
    assert not cards.drop(name)
    assert cards.read(name) is None


@pytest.mark.parametrize("name", ["", ".hidden", "../above", "a/b", "a\\b", "a\0b", "x" * 300, "\ud800"])
def test_a_name_that_leads_elsewhere_is_no_card(tmp_path: Path, name: str) -> None:
    cards = Cards(tmp_path / "cards", _never)
    assert cards.read(name) is None
    assert not cards.drop(name)
    with pytest.raises(OutputError):
        cards.write(name, {})


def test_the_look_through_a_folder_of_any_name_is_told(tmp_path: Path) -> None:
    for number in range(3):
        write(torch.full((1, 3, 16, 16), number / 4), tmp_path / "pictures" / "my_photos 2" / f"{number}.png")
    with running(tmp_path / "service", pictures=(tmp_path / "pictures",)) as server:
        name = "folder-my_photos 2"
        server.service.sets.note(name, check="000001-00000000")
        server.service.sets.note(name, report=[{"pictures": 3}])
        told = server.client.get(f"/v1/datasets/{name}").json()
    assert (told["check"], told["report"]) == ("000001-00000000", [{"pictures": 3}])


def test_a_damaged_card_is_set_aside_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    cards = Cards(tmp_path, lambda name, why: said.append(name))
    (tmp_path / "a.json").write_text('{"a": ')
    assert cards.read("a") is None
    assert [each.name for each in tmp_path.iterdir()] == said
    assert cards.names() == []


def test_a_card_that_the_disk_does_not_give_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(IsADirectoryError):
        Cards(tmp_path, _never).read("a")


def test_a_job_whose_state_is_damaged_does_not_begin_again(tmp_path: Path) -> None:
    for number, end in enumerate(({}, {"result": {"files": []}}, {"error": {"kind": "data", "detail": "is empty"}})):
        job = JobFolder(tmp_path / f"{number:06}-00000000")
        job.folder.mkdir()
        job.ask({"number": number})
        job.set_state(state="done", attempts=1)
        (job.folder / "state.json").write_bytes(b"\0" * 30)
        if end:
            job.set_end(**end)
        assert job.state()["state"] == ("done" if "result" in end else "failed")
    (job.folder / "job.json").write_text("{")
    assert job.asked()["number"] == 2


def test_a_damaged_format_is_said_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "service.json").write_text('{"form')
    with pytest.raises(OutputError, match="is damaged"), running(tmp_path):
        pass
    assert (tmp_path / "service.json").read_text() == '{"form'


def test_jobs_go_on_when_the_disk_takes_them_again(tmp_path: Path) -> None:
    """Where the state of a job should be written lies a folder; the queue waits, says so once, and goes on."""
    with running(tmp_path, cancel_grace=0.1) as server:
        queue, facts = server.service.jobs, {"task": "data-check", "values": {"pictures": "digits"}, "saving": None}
        with queue._lock:
            job = submitted(server.service, facts, "", "somebody")
            state = job.folder / "state.json"
            kept = state.read_bytes()
            state.unlink()
            state.mkdir()
        wait_for(lambda: queue._trouble != "")
        with queue._lock:
            assert [row[0] for row in queue._jobs.waiting.rows] == [job.id]
            state.rmdir()
            state.write_bytes(kept)
        assert server.until(job.id, "running", "failed")["state"] == "running"
        wait_for(lambda: queue._trouble == "")
        server.client.post(f"/v1/jobs/{job.id}/cancel")
        server.until(job.id, "cancelled")


def test_an_index_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite", {"gallery": lambda: [("a", 1, "flip", "kept", "")]}, _never)
    index.close()
    (tmp_path / "index.sqlite").rename(tmp_path / "aside")
    (tmp_path / "index.sqlite").mkdir()
    with pytest.raises(OSError, match="unable to open"):
        index.rows("gallery")
    (tmp_path / "index.sqlite").rmdir()
    (tmp_path / "aside").rename(tmp_path / "index.sqlite")
    assert [row[0] for row in index.rows("gallery")] == ["a"]
    assert not list(tmp_path.glob("*damaged*"))


def test_a_new_index_reads_each_folder_once(tmp_path: Path) -> None:
    asked: list[str] = []
    Index(tmp_path / "index.sqlite", {"gallery": lambda: asked.append("") or []}, _never)
    assert len(asked) == 1


def test_items_that_are_kept_at_once_have_numbers_of_their_own(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "store")
    gallery = Gallery(Cards(tmp_path / "gallery", _never), shelf)
    gallery.index = Index(tmp_path / "index.sqlite", {"gallery": gallery.rows}, _never)
    together = threading.Barrier(8)

    def add(number: int) -> int:
        together.wait()
        return int(gallery.add({"task": "flip", "files": []})["number"])

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(add, range(8)))
    assert sorted(numbers) == list(range(1, 9))
    items, _ = gallery.list("", "", 10)
    assert [each["number"] for each in items] == list(range(8, 0, -1))


def test_what_could_not_be_made_is_forgotten_and_figures_weigh_something() -> None:
    kept = Decoded()
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0, lambda made: 1)
    assert kept._busy == {}
    picture = torch.zeros(1, 3, 8, 8)
    assert Figures([], picture, {"plot": picture}).nbytes() == 2 * picture.nbytes
    assert kept.get("a", lambda: 5, lambda made: 1) == 5


def test_facts_of_a_photograph_tell_the_camera(server: Running, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Seagull", "DF-1"
    Image.new("RGB", (20, 10), "red").save(tmp_path / "photo.jpg", exif=exif.tobytes())
    told = server.client.get(f"/v1/pictures/{server.send(tmp_path / 'photo.jpg')}/facts").json()
    assert told["exif"] == {"make": "Seagull", "model": "DF-1"}


def test_a_text_in_utf_8_is_one() -> None:
    exif = Exif()
    exif.tags["main"] = {0x013B: Value(2, "李雷\0".encode()), 0x010F: Value(3, b"\0\1")}
    assert (exif.text(0x013B), exif.text(0x010F), exif.text(0x0110)) == ("李雷", "", "")


def test_what_shrinks_no_further_is_sent_as_it_is(server: Running, tmp_path: Path) -> None:
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    for name in ("noise.tif", "noise.png"):
        sent = server.send(write(noise, tmp_path / name))
        answer = server.client.get(f"/v1/pictures/{sent}")
        assert len(answer.content) > 4096
        assert "content-encoding" not in answer.headers
    weights = server.client.get("/v1/models/inpaint-small/file")
    assert "content-encoding" not in weights.headers
    assert json.loads(server.client.get("/v1/tasks").content)


def _never(name: str, why: str) -> None:
    raise AssertionError(f"{name} was set aside: {why}")


def test_a_large_jpeg_is_looked_at_once_and_to_its_end(server: Running, tmp_path: Path) -> None:
    """It is shrunk while it is decoded, which says the same to the eye; what is cut off is refused all the same."""
    y, x = np.mgrid[0:1:880j, 0:1:4400j]
    whole = Image.fromarray((np.stack([x, y, 1 - x], 2) * 255).astype(np.uint8))
    file = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # the first row is the right side
    whole.save(file, quality=95, exif=exif)
    id = server.send(file)
    assert (id, 2048) in server.service.display._shown._kept
    shown = Image.open(io.BytesIO(server.client.get(f"/v1/pictures/{id}/preview?size=500&format=png").content))
    assert shown.size == (100, 500)
    own = np.asarray(whole.transpose(Image.Transpose.ROTATE_270).resize((100, 500), Image.Resampling.BOX), np.float32)
    assert np.abs(np.asarray(shown, np.float32) - own).mean() < 2  # of 255: rounding, and a JPEG's own
    assert server.client.get(f"/v1/pictures/{id}").content == file.read_bytes()
    cut = server.client.post("/v1/pictures", content=file.read_bytes()[:-2000])
    assert (cut.status_code, "truncated" in cut.json()["detail"]) == (422, True)
