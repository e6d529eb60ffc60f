"""Unpacking what came compressed, never further than a cap: a bomb is a small thing on the wire.

Only gzip and deflate are asked for and unpacked, one layer. What comes packed otherwise (Brotli,
Zstandard, layers on layers) was not asked for and is refused unread.

Source: RFC 9110 section 8.4; RFC 1950 to 1952. "deflate" may come without its zlib header.
"""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
_HARMLESS_BYTES = 1_000_000
"""Below this no ratio is suspicious: a page of blanks packs a thousand to one."""

_PART_BYTES = 65_536


class Unpacker:
    """Unpacks a body piece by piece.

    ``trouble`` says what is wrong, as the end of a sentence, as soon as something is; what was
    unpacked until then is of no use.
    """

    def __init__(self, encoding: str, *, most_bytes: int, most_ratio: int) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        self._names = [name for name in names if name not in {"", "identity"}]
        self._most = most_bytes
        self._ratio = most_ratio
        self._parts: list[bytes] = []
        self._in = self._out = 0
        self._head = b""
        self._engine: zlib._Decompress | None = None
        self.trouble = ""
        if len(self._names) > 1:
            self.trouble = f"came packed {len(self._names)} times over"
        elif self._names and self._names[0] not in {"gzip", "x-gzip", "deflate"}:
            self.trouble = f"came packed as {self._names[0][:20]}, which was not asked for"

    def feed(self, chunk: bytes) -> bool:
        """Take the next piece; False once there is ``trouble``."""
        self._in += len(chunk)
        if self._in > self._most:
            self.trouble = self.trouble or f"is over {self._most:,} bytes large"
        if self.trouble:
            return False
        if not self._names:
            self._parts.append(chunk)
            return True
        if self._engine is None:
            chunk = self._head + chunk
            if len(chunk) < 2:
                self._head = chunk
                return True
            self._engine = zlib.decompressobj(_window(self._names[0], chunk))
        try:
            self._unpack(chunk)
        except zlib.error:
            self.trouble = "is packed in a way that cannot be unpacked"
        return not self.trouble

    def _unpack(self, chunk: bytes) -> None:
        part = b""
        # A full part may mean that more is held back, even with nothing left to feed.
        while (chunk or len(part) == _PART_BYTES) and self._engine is not None:
            if self._engine.eof:
                # Another member may follow; anything else after the end is padding.
                if self._names[0] == "deflate" or not chunk.startswith(b"\x1f\x8b"):
                    return
                self._engine = zlib.decompressobj(31)
            part = self._engine.decompress(chunk, _PART_BYTES)
            self._parts.append(part)
            self._out += len(part)
            if self._out > self._most:
                self.trouble = f"unpacks to over {self._most:,} bytes"
                return
            if self._out > max(_HARMLESS_BYTES, self._in * self._ratio):
                self.trouble = f"unpacks to over {self._ratio} times its size"
                return
            chunk = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail

    def close(self) -> bytes:
        """Return everything; sets ``trouble`` when the packing was cut short."""
        is_packed = bool(self._names and self._in and not self.trouble)
        if is_packed and (self._engine is None or not self._engine.eof):
            self.trouble = "was cut short"
        return b"" if self.trouble else b"".join(self._parts)


def _window(name: str, head: bytes) -> int:
    if name != "deflate":
        return 31
    is_zlib = head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0
    return 15 if is_zlib else -15
