"""Shards are read through webdataset: from disk, by glob and range, from a web server; and always in the same order."""

import http.server
import io
import json
import tarfile
import threading
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from danqing.core.errors import DataError, ParameterError
from danqing.core.learned.model import Samples
from danqing.core.progress import finish
from danqing.data import stream as streams
from danqing.data.check import check
from danqing.data.shards import expand, is_shards
from danqing.data.store import pack
from danqing.data.stream import Stream

COUNT = 37


def add(archive: tarfile.TarFile, name: str, raw: bytes) -> None:
    item = tarfile.TarInfo(name)
    item.size = len(raw)
    archive.addfile(item, io.BytesIO(raw))


def grey_png(value: int, mode: str = "L") -> bytes:
    out = io.BytesIO()
    Image.new("L", (12, 10), value).convert(mode).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three shards of 37 flat grey pictures; picture n has brightness n, class n mod 3."""
    for shard in range(3):
        with tarfile.open(tmp_path / f"set-{shard:03d}.tar", "w") as archive:
            for at in range(shard, COUNT, 3):
                add(archive, f"{at:04d}.png", grey_png(at))
                add(archive, f"{at:04d}.cls", str(at % 3 + 8).encode())
                add(archive, f"{at:04d}.json", json.dumps({"at": at}).encode())
    return tmp_path


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    """One shard of 37 pictures with all classes in it."""
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        for at in range(COUNT):
            add(archive, f"{at:04d}.png", grey_png(at))
            add(archive, f"{at:04d}.json", json.dumps({"label": f"kind {at % 3}"}).encode())
    return str(tmp_path / "all.tar")


def levels(batch: Samples) -> list[int]:
    return [round(value) for value in (batch.x[:, 0, 0, 0] * 255).tolist()]


def drawn(stream: Stream, batches: int, **options: Any) -> list[int]:
    found = stream.batches(**{"batch": 5, "seed": 1, **options})
    return [level for batch in islice(found, batches) for level in levels(batch)]


@pytest.mark.parametrize("spec", ["set-{000..002}.tar", "set-*.tar", "set-000.tar::{folder}/set-00{1,2}.tar"])
def test_every_way_to_name_shards(folder: Path, spec: str) -> None:
    spec = f"{folder}/{spec.replace('{folder}', str(folder))}"
    assert is_shards(spec)
    assert expand(spec) == [str(folder / f"set-{at:03d}.tar") for at in range(3)]


def test_an_epoch_is_each_picture_once_in_another_order(folder: Path) -> None:
    stream = Stream(f"{folder}/set-*.tar", size=4, classes=["8", "9", "10"])
    assert (stream.size, stream.channels) == (4, 1)
    three = drawn(stream, 3 * COUNT, batch=1)
    epochs = [three[at : at + COUNT] for at in range(0, 3 * COUNT, COUNT)]
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert drawn(stream, 7) == drawn(stream, 7)
    assert drawn(stream, 7) != drawn(stream, 7, seed=2)


@pytest.mark.parametrize("start", [1, 7, 8, 30])
def test_starting_late_is_the_same_stream(mixed: str, start: int) -> None:
    stream = Stream(mixed, size=4)
    assert drawn(stream, 3, start=start) == drawn(stream, start + 3)[start * 5 :]


def test_processes_share_what_one_would_take(mixed: str) -> None:
    stream = Stream(mixed, size=4)
    one = np.array(drawn(stream, 9, batch=6)).reshape(9, 6)
    shares = [np.array(drawn(stream, 9, batch=3, rank=rank, world=2)).reshape(9, 3) for rank in range(2)]
    assert np.array_equal(one, np.concatenate(shares, 1))


def test_a_small_buffer_still_gives_every_picture(mixed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BUFFER", 4)
    first = drawn(Stream(mixed, size=4), COUNT, batch=1)
    assert sorted(first) == list(range(COUNT))
    assert first != list(range(COUNT))


def test_labels_and_facts(mixed: str) -> None:
    stream = Stream(mixed, size=8, channels="colour")
    assert stream.classes == ["kind 0", "kind 1", "kind 2"]
    batch = next(stream.batches(16, 0))
    assert batch.x.shape == (16, 3, 8, 8)
    assert batch.y is not None
    assert batch.y.dtype == torch.int64
    assert batch.y.tolist() == [level % 3 for level in levels(batch)]
    facts = json.loads(json.dumps(stream.facts()))
    assert (facts["shards"], facts["size"], facts["channels"]) == (1, 8, 3)


def test_shards_can_be_packed_and_checked(folder: Path) -> None:
    spec = f"{folder}/set-*.tar"
    stores = [finish(pack(spec, size=4, split=split)) for split in (None, "train", "test")]
    whole, train, test = ([int(level) for level in store.pictures[:, 0, 0, 0]] for store in stores)
    assert sorted(whole) == list(range(COUNT)) == sorted(train + test)
    assert stores[0].classes == ["8", "9", "10"] == stores[1].classes
    assert stores[0].labels is not None
    assert stores[0].labels.tolist() == [level % 3 for level in whole]
    report = finish(check(spec))
    assert report.usable == COUNT
    assert sum(report.classes.values()) == COUNT
    assert len(finish(pack(folder, size=4))) == COUNT  # a folder of shards
    for shard in folder.glob("*.tar"):
        shard.rename(shard.with_suffix(".TAR"))
    assert finish(check(f"{folder}/set-*.TAR")).usable == COUNT == finish(check(str(folder))).usable


def test_shards_from_a_web_server(folder: Path) -> None:
    with serving(folder) as address:
        stream = Stream(f"{address}/set-{{000..002}}.tar", size=4, classes=["8", "9", "10"])
        assert sorted(drawn(stream, COUNT, batch=1)) == list(range(COUNT))
        with pytest.raises(DataError, match=r"gone.tar: cannot be read \(File not found\)"):
            Stream(f"{address}/gone.tar", size=4)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("pipe:touch evil && cat x.tar", "only http and https"),
        ("s3://bucket/x.tar", "only http and https"),
        ("nowhere-{0..3}.tar", "no such shards"),
        ("nowhere-*.tar", "no such shards"),
        ("digits", "is not a set of .tar shards"),
    ],
)
def test_addresses_that_are_not_read(spec: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Stream(spec, size=4)


def test_impossible_wishes(mixed: str) -> None:
    with pytest.raises(ParameterError):
        Stream(mixed, size=4, fit="squash")  # type: ignore[arg-type]


def test_truncated_and_foreign_shards(folder: Path) -> None:
    whole = (folder / "set-000.tar").read_bytes()
    (folder / "set-000.tar").write_bytes(whole[: len(whole) // 2 + 100])
    with pytest.raises(DataError, match=r"set-000\.tar: is a damaged shard"):
        Stream(f"{folder}/set-000.tar", size=4)
    (folder / "set-000.tar").write_text("no tar")
    with pytest.raises(DataError, match=r"set-000\.tar: is a damaged shard"):
        finish(pack(f"{folder}/set-000.tar", size=4))


def test_bad_pictures_and_unknown_labels(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        for at in range(9):
            add(archive, f"{at}.png", b"no picture" if at == 4 else grey_png(at))
    with pytest.raises(DataError, match=r"4.png cannot be used: is not a picture"):
        drawn(Stream(tmp_path / "bad.tar", size=4), 2)
    stream = Stream(tmp_path / "bad.tar", size=4, skip_bad=True)
    levels = drawn(stream, 9, batch=3)
    assert set(levels) == set(range(9)) - {4}
    assert list(stream.skipped) == ["4.png"]
    assert drawn(stream, 3, batch=3, start=6) == levels[18:]
    with pytest.raises(DataError, match=r"the label None of .* is not among its 1 classes"):
        drawn(Stream(tmp_path / "bad.tar", size=4, classes=["cat"]), 1)


class serving:
    """Serve a folder over HTTP on this machine."""

    def __init__(self, folder: Path) -> None:
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments, directory=str(folder))

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
