"""What is made once is made once, whoever asks, and only when it succeeded."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from mailer.once import once

THREADS = 8


class Shop:
    def __init__(self) -> None:
        self.opened = 0
        self.is_closed = True

    @once
    def door(self) -> object:
        self.opened += 1
        time.sleep(0.02)
        return object()

    @once
    def window(self) -> tuple[object, str]:
        return self.door, "beside it"

    @once
    def safe(self) -> str:
        if self.is_closed:
            raise PermissionError("it is closed")
        return "gold"


def test_threads_that_meet_at_it_get_the_same() -> None:
    shop = Shop()
    barrier = Barrier(THREADS)

    def look(_: int) -> object:
        barrier.wait()
        return shop.window[0]

    with ThreadPoolExecutor(THREADS) as pool:
        found = set(pool.map(look, range(THREADS)))
    assert found == {shop.door}
    assert shop.opened == 1


def test_two_objects_have_each_their_own() -> None:
    assert Shop().door is not Shop().door


def test_what_failed_is_tried_again() -> None:
    shop = Shop()
    with pytest.raises(PermissionError):
        _ = shop.safe
    shop.is_closed = False
    assert shop.safe == "gold"
