"""The file of a backup: a tar of members with, at its end, a manifest of all their checksums.

The manifest comes last, so a file that was cut short has none and is refused. A bundle is written
beside its place, synced, and renamed: it is there whole or not at all, and only its owner may
read it, for it holds every reader's address. ``verify`` reads a whole bundle and compares every
byte before anything of it is used; ``unpack`` writes regular files below one folder and nothing
else. The name decides: ``.gz`` or ``.tgz`` is compressed.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mailer.errors import Fault, InvalidInput

UNREADABLE = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
"""What reading a damaged file may raise; a stream that does not decompress is no OSError."""

FORMAT = 1
MANIFEST = "manifest.json"
FILES = "publication/"
DATABASE = "database.sqlite"
JOURNAL = "sending.journal"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle."""

    path: str
    size_bytes: int
    sha256: str
    mode: int = 0o600


@dataclass(slots=True)
class Manifest:
    """What a bundle is: of what, from when, by which program, and every member's checksum.

    ``left_out`` names files of the publication that are not in it, such as its secrets.
    """

    made_at: str
    title: str
    program: str
    schema: str
    database: str
    has_secrets: bool = False
    left_out: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    format: int = FORMAT

    def member(self, path: str) -> Member | None:
        """Return a member by its path."""
        return next((member for member in self.members if member.path == path), None)


class Bundle:
    """A bundle being written; see ``writing``."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self._manifest = manifest

    def add(self, path: str, source: Path) -> int:
        """Add a file as it is now, and return its size."""
        with source.open("rb") as handle:
            status = os.fstat(handle.fileno())
            return self._add(path, handle, status.st_size, status.st_mode & 0o777, status.st_mtime)

    def add_bytes(self, path: str, content: bytes) -> None:
        """Add a file from memory."""
        self._add(path, io.BytesIO(content), len(content), 0o600)

    def _add(
        self, path: str, handle: IO[bytes], size_bytes: int, mode: int, mtime: float = 0
    ) -> int:
        info = tarfile.TarInfo(path)
        info.size = size_bytes
        info.mode = mode
        info.mtime = mtime
        hashing = _Hashing(handle)
        self._tar.addfile(info, hashing)
        self._manifest.members.append(Member(path, size_bytes, hashing.hexdigest(), mode))
        return size_bytes

    def finish(self) -> None:
        """Add the manifest."""
        said = json.dumps(asdict(self._manifest), ensure_ascii=False, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(said)
        info.mode = 0o600
        self._tar.addfile(info, io.BytesIO(said))


@contextmanager
def writing(target: Path, manifest: Manifest) -> Iterator[Bundle]:
    """Write a bundle to ``target``, which appears when the block has ended well."""
    draft = target.with_name(f"{target.name}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            os.fchmod(handle.fileno(), 0o600)
            options: dict[str, Any] = {"compresslevel": 6} if _is_compressed(target) else {}
            mode: Any = "w:gz" if _is_compressed(target) else "w"
            with tarfile.open(fileobj=handle, mode=mode, **options) as tar:
                bundle = Bundle(tar, manifest)
                yield bundle
                bundle.finish()
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def verify(source: Path, *, progress: Progress = lambda _done, _total: None) -> Manifest:
    """Read a whole bundle and compare each member with its checksum.

    Raises:
        InvalidInput: it is no bundle, was cut short, or differs from what was written.
    """
    total = source.stat().st_size
    found: dict[str, tuple[int, str]] = {}
    said: bytes | None = None
    try:
        with source.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:*") as tar:
            for info in tar:
                handle = tar.extractfile(info)
                if handle is None:
                    raise _damaged(source, f"{info.name} is no regular file")
                if info.name == MANIFEST:
                    said = handle.read()
                    continue
                hashing = _Hashing(handle)
                while hashing.read(1 << 20):
                    progress(raw.tell(), total)
                found[info.name] = (info.size, hashing.hexdigest())
            # A compressed stream's own checksum stands at its end, behind the archive's.
            while tar.fileobj and (rest := tar.fileobj.read(1 << 20)):
                if rest.strip(b"\0"):
                    raise _damaged(source, "something stands behind its end")
    except tarfile.ReadError as error:
        # Before the first member it lists every form of compression that it is not in.
        why = f"it cannot be read to its end: {error}" if found else "it is no backup"
        raise _damaged(source, why) from None
    except UNREADABLE as error:
        raise _damaged(source, f"it cannot be read to its end: {error}") from None
    if said is None:
        raise _damaged(source, "it has no manifest: it was cut short, or is no backup")
    manifest = _read_manifest(source, said)
    listed = {member.path: (member.size_bytes, member.sha256) for member in manifest.members}
    for path in sorted(found.keys() | listed.keys()):
        if found.get(path) != listed.get(path):
            raise _damaged(source, f"{path} differs from what was written")
    return manifest


def unpack(
    source: Path,
    manifest: Manifest,
    *,
    place: Callable[[str], Path | None],
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Write the members of a verified bundle where ``place`` puts each; None leaves one out.

    Raises:
        InvalidInput: a member changed since it was verified.
    """
    total = source.stat().st_size
    with source.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:*") as tar:
        for info in tar:
            member = manifest.member(info.name)
            target = place(info.name) if member else None
            handle = tar.extractfile(info)
            if member is None or target is None or handle is None:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            hashing = _Hashing(handle)
            with target.open("xb") as written:
                target.chmod(member.mode)
                while piece := hashing.read(1 << 20):
                    written.write(piece)
                    progress(raw.tell(), total)
            os.utime(target, (info.mtime, info.mtime))
            if hashing.hexdigest() != member.sha256:
                raise _damaged(source, f"{info.name} changed while it was read")


class _Hashing:
    """A file that sums up what is read from it."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._handle.read(size)
        self._sum.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._sum.hexdigest()


def _read_manifest(source: Path, said: bytes) -> Manifest:
    try:
        data = json.loads(said)
        members = [Member(**item) for item in data.pop("members")]
        manifest = Manifest(**data, members=members)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _damaged(source, "its manifest cannot be read") from None
    if manifest.format != FORMAT:
        raise InvalidInput(
            Fault(
                f"it is a backup of form {manifest.format}, this program reads {FORMAT}",
                where=str(source),
                remedy="restore it with the program that made it",
            )
        )
    for member in manifest.members:
        path = PurePosixPath(member.path)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise _damaged(source, f"{member.path!r} would lie outside the folder")
    return manifest


def _damaged(source: Path, why: str) -> InvalidInput:
    return InvalidInput(Fault(why, where=str(source), remedy="use another backup"))


def _is_compressed(path: Path) -> bool:
    return path.suffix in {".gz", ".tgz"}
