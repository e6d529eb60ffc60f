"""Compressed bodies come out whole, and bombs do not come out at all."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.unpacking import Unpacker


def unpack(
    encoding: str, *chunks: bytes, most: int = 5_000_000, ratio: int = 100
) -> tuple[bytes, str]:
    unpacker = Unpacker(encoding, most_bytes=most, most_ratio=ratio)
    for chunk in chunks:
        if not unpacker.feed(chunk):
            break
    return unpacker.close(), unpacker.trouble


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


PACKERS = {
    "": lambda data: data,
    "identity": lambda data: data,
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": raw_deflate,
}


@pytest.mark.parametrize("encoding", PACKERS)
@given(data=st.binary(max_size=400), cut=st.integers(1, 40))
def test_what_was_packed_comes_out(encoding: str, data: bytes, cut: int) -> None:
    packed = PACKERS[encoding](data)
    chunks = [packed[at : at + cut] for at in range(0, len(packed), cut)]
    assert unpack(encoding, *chunks) == (data, "")


def test_members_follow_each_other() -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two")
    assert unpack("gzip", packed) == (b"one two", "")
    assert unpack("gzip", packed + b"\x00" * 9) == (b"one two", "")


def bomb(size: int) -> bytes:
    return gzip.compress(b"\x00" * size)


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("gzip", bomb(20_000_000), "unpacks to over 100 times its size"),
        ("gzip", bomb(400_000) * 100, "unpacks to over"),
        ("deflate", zlib.compress(b"\x00" * 20_000_000), "unpacks to over 100 times"),
        ("gzip", gzip.compress(b"x" * 50)[:-9], "was cut short"),
        ("gzip", b"\x1f", "was cut short"),
        ("gzip", b"not packed at all", "cannot be unpacked"),
        ("gzip, gzip", gzip.compress(bomb(100)), "packed 2 times over"),
        ("br", b"\x8b\x02\x80", "packed as br, which was not asked for"),
        ("zstd", b"\x28\xb5\x2f\xfd", "packed as zstd, which was not asked for"),
        ("compress", b"x", "packed as compress"),
        ("", b"x" * 5_000_001, "is over 5,000,000 bytes large"),
    ],
    ids=range(11),
)
def test_it_is_refused(encoding: str, body: bytes, why: str) -> None:
    left, trouble = unpack(encoding, body)
    assert left == b""
    assert why in trouble


def test_a_bomb_is_left_at_the_cap() -> None:
    unpacker = Unpacker("gzip", most_bytes=100_000, most_ratio=10_000)
    assert not unpacker.feed(bomb(50_000_000))
    assert unpacker.trouble == "unpacks to over 100,000 bytes"
    assert sum(map(len, unpacker._parts)) <= 100_000 + 65_536


def test_a_page_of_blanks_is_no_bomb() -> None:
    assert unpack("gzip", bomb(900_000))[1] == ""
