"""The built-in digits are all there, divided evenly, and say where they come from."""

import numpy as np

from danqing.core.progress import finish
from danqing.data.digits import FILE, digits
from danqing.data.sources import is_built_in, open_source
from danqing.data.store import pack


def test_split_is_stratified_and_complete() -> None:
    (train, train_labels), (test, test_labels), (whole, _) = digits("train"), digits("test"), digits()
    assert (len(train), len(test), len(whole)) == (8000, 2000, 10_000)
    share = np.bincount(test_labels) / np.bincount(np.concatenate([train_labels, test_labels]))
    assert np.abs(share - 0.2).max() < 0.001
    seen = {picture.tobytes() for picture in whole}
    assert {picture.tobytes() for picture in train} | {picture.tobytes() for picture in test} == seen


def test_test_digits_are_never_trained_on() -> None:
    (train, _), (test, _) = digits("train"), digits("test")
    assert not {picture.tobytes() for picture in train} & {picture.tobytes() for picture in test}


def test_order_is_shuffled_and_fixed() -> None:
    labels = digits("test")[1]
    assert labels[:12].tolist() == [0, 3, 2, 1, 8, 3, 4, 0, 8, 9, 1, 9]


def test_they_look_like_digits() -> None:
    pictures, labels = digits()
    ink = [pictures[labels == digit].mean() for digit in range(10)]
    assert min(ink) == ink[1]  # a one takes the least ink
    middle = pictures.mean(0)
    assert middle[10:18, 10:18].mean() > 20 * middle[[0, -1]].mean()  # and all stand in the middle


def test_packed_digits_are_those_of_the_file() -> None:
    store = finish(pack("digits", size=28, split="test"))
    pictures, labels = digits("test")
    assert np.array_equal(store.pictures[:, 0], pictures)
    assert store.labels is not None
    assert np.array_equal(store.labels, labels)
    assert list(store.classes) == list("0123456789")


def test_notice_is_bundled() -> None:
    notice = FILE.with_name("digits.NOTICE.txt").read_text()
    assert all(word in notice for word in ("LeCun", "Cortes", "Burges", "CC BY-SA 3.0", "Cazala", "MIT"))
    assert FILE.stat().st_size < 1_500_000


def test_name_is_built_in() -> None:
    assert is_built_in("digits")
    assert not is_built_in("elsewhere/digits")
    assert open_source("digits").count == 10_000
