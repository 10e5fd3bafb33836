"""A set is packed once, whatever happens meanwhile, and gives the same batches for the same seed."""

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from danqing.core.errors import DataError, OutputError, ParameterError
from danqing.core.progress import finish
from danqing.data import journal
from danqing.data import store as store_file
from danqing.data.order import shares
from danqing.data.store import Store, pack

Paint = Callable[..., Path]
PROCESSES = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


def packed(spec: str | Path, **options: Any) -> Store:
    return finish(pack(spec, **{"size": 8, **options}))


def pack_a_part(folder: Path, cache: Path) -> None:
    journal.MOST, store_file.LOOK = 16, 0.0
    for _ in pack(folder, size=8):
        if len(noted(cache)) >= 3:
            signal.pause()


def noted(cache: Path) -> list[bytes]:
    """The lines of the journal that is being written, if there is one."""
    return [line for file in cache.rglob("journal.jsonl") for line in file.read_bytes().splitlines()]


def pack_and_tell(folder: Path, told: Path) -> None:
    told.write_text(packed(folder).facts()["sha256"])


def pack_on_a_full_disk(folder: Path) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    with pytest.raises(OutputError, match=r"the disk is full.*goes on where it stopped"):
        packed(folder)


@pytest.fixture
def many(tmp_path: Path, paint: Paint) -> Path:
    for at in range(400):
        paint(f"many/{at % 3}/{at}.png", at, size=(8 + at % 5, 9), compress_level=1)
    return tmp_path / "many"


def test_packs_pictures_labels_and_names(tmp_path: Path, paint: Paint) -> None:
    for at, name in enumerate(("set/b/2.png", "set/a/1.png", "set/b/10.png")):
        paint(name, at, size=(8, 8))
    store = packed(tmp_path / "set")
    assert store.pictures.shape == (3, 3, 8, 8)
    assert store.pictures.dtype == np.uint8
    assert list(store.names) == ["a/1.png", "b/2.png", "b/10.png"]
    assert store.labels is not None
    assert store.labels.tolist() == [0, 1, 1]
    facts = store.facts()
    assert facts["classes"] == {"a": 1, "b": 2}
    assert (facts["count"], facts["size"], facts["channels"], facts["fit"]) == (3, 8, 3, "crop")
    assert len(facts["sha256"]) == 64


def test_take_gives_the_pictures_of_the_files(tmp_path: Path, paint: Paint) -> None:
    from PIL import Image

    files = [paint(f"set/{at}.png", at, size=(8, 8)) for at in range(4)]
    batch = packed(tmp_path / "set").take([2, 0])
    wanted = np.stack([np.asarray(Image.open(files[at])) for at in (2, 0)])
    assert torch.equal(batch.x, torch.from_numpy(wanted).permute(0, 3, 1, 2) / 255)
    assert batch.x.is_contiguous(memory_format=torch.channels_last)
    assert batch.y is None


def test_jpegs_shrunk_while_decoding_look_the_same(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.jpg", 3, size=(1000, 700), quality=95)
    paint("whole/a.png", 3, size=(1000, 700))
    one, other = (packed(tmp_path / name, size=32).pictures.astype(int) for name in ("set", "whole"))
    assert np.abs(one - other).mean() < 2
    assert np.abs(one - other).max() <= 10  # eightfold shrinking may move the crop by a few of 700 pixels


def test_channels_follow_the_pictures(tmp_path: Path, paint: Paint) -> None:
    for at in range(40):
        paint(f"set/{at}.png", at, mode="L")
    assert packed(tmp_path / "set").channels == 1
    assert packed(tmp_path / "set", channels="colour").channels == 3
    paint("set/39.png", mode="RGB")
    both = [packed(tmp_path / "set", split=split).channels for split in ("train", "test")]
    assert both == [3, 3]  # also where one split alone is grey
    assert packed(tmp_path / "set", channels="grey").channels == 1


def test_packed_once_then_reused(many: Path, cache: Path) -> None:
    first = packed(many)
    steps = list(pack(many, size=8))
    assert steps == []
    assert packed(many).facts() == first.facts()
    assert packed(many, size=16).facts()["sha256"] != first.facts()["sha256"]
    next(many.rglob("*.png")).unlink()
    assert len(packed(many)) == len(first) - 1


def test_bad_files_are_all_named(odd_files: tuple[Path, set[str]]) -> None:
    folder, bad = odd_files
    with pytest.raises(DataError, match="5 of its 12 files cannot be used") as refused:
        packed(folder)
    assert all(name in str(refused.value) for name in bad)
    assert "--skip-bad" in str(refused.value)
    assert refused.value.exit_code == 2
    store = packed(folder, skip_bad=True)
    assert {name for name, _ in store.skipped} == bad
    assert all(why for _, why in store.skipped)
    assert len(store) == 7
    assert store.facts()["skipped"] == 5


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(DataError, match="none of its 1 picture can"):
        packed(tmp_path, skip_bad=True)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"fit": "squash"}, {"channels": "sepia"}, {"split": "half"}])
def test_impossible_wishes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        packed("digits", **wrong)


def test_one_picture_and_an_empty_split(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.png")
    store = packed(tmp_path / "set", split="train")
    assert next(store.batches(4, 0)).x.shape == (4, 3, 8, 8)
    held_out = packed(tmp_path / "set", split="test")
    assert len(held_out) == 0
    assert (held_out.size, held_out.channels) == (8, 3)
    with pytest.raises(DataError, match="holds no pictures"):
        held_out.batches(4, 0)


def test_killed_packing_goes_on_and_ends_the_same(
    many: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = PROCESSES.Process(target=pack_a_part, args=(many, cache))
    process.start()
    while len(noted(cache)) < 3:
        assert process.is_alive()
        time.sleep(0.01)
    notes = next(cache.rglob("journal.jsonl"))
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    kept = notes.read_bytes()
    notes.write_bytes(kept + b'{"consumed": 99, "byt')  # a line torn by the kill
    resumed = packed(many)
    assert notes.read_bytes().startswith(kept)
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path / "fresh"))
    whole = packed(many)
    assert resumed.facts() == whole.facts()
    assert list(resumed.names) == list(whole.names)
    assert np.array_equal(resumed.pictures, whole.pictures)


def test_journal_without_its_pictures_begins_again(many: Path, cache: Path) -> None:
    job = pack(many, size=8)
    next(job)
    job.close()
    notes = next(cache.rglob("journal.jsonl"))
    notes.write_bytes(b'{"channels": 3}\n{"consumed": 50, "bytes": 9600, "names": [], "labels": [], "bad": []}\n')
    assert len(packed(many)) == 400


def test_cancelled_packing_goes_on(many: Path) -> None:
    job = pack(many, size=8)
    next(job)
    job.close()
    assert len(packed(many)) == 400


def test_two_processes_pack_at_once(many: Path, cache: Path, tmp_path: Path) -> None:
    processes = [PROCESSES.Process(target=pack_and_tell, args=(many, tmp_path / f"told {at}")) for at in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "told 0").read_text() == (tmp_path / "told 1").read_text() == packed(many).facts()["sha256"]
    assert len(list((cache / "packs").iterdir())) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_full_disk_is_told_and_survived(many: Path) -> None:
    process = PROCESSES.Process(target=pack_on_a_full_disk, args=(many,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert len(packed(many)) == 400


def test_cache_that_cannot_be_made(tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    paint("set/a.png")
    (tmp_path / "file").touch()
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="DANQING_CACHE"):
        packed(tmp_path / "set")


def test_every_epoch_holds_each_picture_once() -> None:
    stream = np.concatenate(list(islice(shares(10, 4, 7, 0, 0, 1), 15)))
    epochs = stream.reshape(6, 10)
    assert (np.sort(epochs) == np.arange(10)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 6


def test_batches_larger_than_the_set() -> None:
    first = next(shares(3, 8, 1, 0, 0, 1))
    assert sorted(first[:3]) == sorted(first[3:6]) == [0, 1, 2]


@pytest.mark.parametrize(("count", "batch", "at"), [(10, 4, 13), (3, 8, 5), (1, 2, 9), (700, 64, 40)])
def test_starting_late_is_the_same_stream(count: int, batch: int, at: int) -> None:
    whole = list(islice(shares(count, batch, 3, 0, 0, 1), at + 5))
    late = list(islice(shares(count, batch, 3, at, 0, 1), 5))
    assert np.array_equal(whole[at:], late)


def test_processes_share_what_one_would_take() -> None:
    one = list(islice(shares(50, 12, 5, 2, 0, 1), 20))
    three = zip(*(islice(shares(50, 4, 5, 2, rank, 3), 20) for rank in range(3)), strict=True)
    assert np.array_equal(one, [np.concatenate(parts) for parts in three])


def test_seeds_differ(many: Path) -> None:
    store = packed(many)
    a, b, c = (next(store.batches(32, seed)) for seed in (1, 1, 2))
    assert torch.equal(a.x, b.x)
    assert not torch.equal(a.x, c.x)
