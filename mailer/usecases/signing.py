"""DKIM keys: making them, and the DNS records their public halves belong into.

A new key never replaces an old file, and nothing is configured by itself: the records must be in
DNS before the first message is signed, and the settings decide when that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from mailer.app import App
from mailer.delivery.dkim import DkimKey, DkimSigner, checked_selector, new_key
from mailer.errors import ConfigurationError, Fault, InvalidInput

FOLDER = "dkim"
"""Where new keys go, below the publication; git ignores all of it."""

LONGEST_STRING = 255
"""Octets of one string of a TXT record (RFC 1035 section 3.3.14)."""

Kind = Literal["rsa", "ed25519"]
KINDS: tuple[Kind, ...] = ("rsa", "ed25519")


def make_keys(app: App, *, selector: str = "", kinds: Sequence[Kind] = KINDS) -> dict[str, Any]:
    """Make a key of each kind, each in a file that only this user can read.

    Args:
        app: whose publication.
        selector: the selectors begin so; "" for the month, as nov2026.
        kinds: which; RSA first, since some verifiers look at the first signature only.

    Returns:
        ``files``, ``records`` (see ``records``) and ``settings``, the lines for ``.env``.

    Raises:
        InvalidInput: a file is there already; none is made then.
        ConfigurationError: the selector cannot be used, or the publication has no From address.
    """
    stem = checked_selector(selector or f"{app.clock.now():%b%Y}".lower())
    domain = _domain(app)
    names = [stem if len(kinds) == 1 else f"{stem}-{kind}" for kind in kinds]
    paths = [app.root / FOLDER / f"{name}.pem" for name in names]
    present = [path for path in paths if path.exists()]
    if present:
        raise InvalidInput(
            [
                Fault(
                    "is there already; mail signed with it may still be on its way",
                    where=str(path),
                    remedy="name another selector with --selector",
                )
                for path in present
            ]
        )
    keys = [new_key(name, kind) for name, kind in zip(names, kinds, strict=True)]
    (app.root / FOLDER).mkdir(mode=0o700, exist_ok=True)
    (app.root / FOLDER / ".gitignore").write_text("*\n", encoding="utf-8")
    for key, path in zip(keys, paths, strict=True):
        _write(path, key.pem())
    files = [str(path.relative_to(app.root)) for path in paths]
    return {
        "files": files,
        "records": _records(DkimSigner(domain, keys)),
        "settings": [
            f"MAILER_DKIM_SELECTOR={','.join(names)}",
            f"MAILER_DKIM_KEY_FILE={','.join(files)}",
        ],
    }


def records(app: App) -> list[dict[str, str]]:
    """Return the DNS records of the keys in use: ``name``, ``type``, ``value`` and ``zone``.

    ``zone`` is the line of a zone file, its value in strings that DNS can hold.

    Raises:
        ConfigurationError: no key is set, or one cannot be used.
    """
    signer = app.signer
    if signer is None:
        raise ConfigurationError(
            Fault(
                "is not set, so nothing is signed",
                where=".env",
                field="MAILER_DKIM_KEY_FILE",
                remedy="`mailer dkim new` makes keys and says what to write there",
            )
        )
    return _records(signer)


def _records(signer: DkimSigner) -> list[dict[str, str]]:
    return [_record(key, signer.domain) for key in signer.keys]


def _record(key: DkimKey, domain: str) -> dict[str, str]:
    name = f"{key.selector}._domainkey.{domain}"
    value = key.dns_record()
    starts = range(0, len(value), LONGEST_STRING)
    strings = " ".join(f'"{value[start : start + LONGEST_STRING]}"' for start in starts)
    return {
        "name": name,
        "type": "TXT",
        "value": value,
        "zone": f"{name}. IN TXT ( {strings} )",
    }


def _domain(app: App) -> str:
    domain = app.publication.from_address.rpartition("@")[2]
    if not domain:
        raise ConfigurationError(
            Fault(
                "is empty; a key belongs to its domain",
                where="publication.toml",
                field="from_address",
                remedy="write the address your mail comes from",
            )
        )
    return domain


def _write(path: Path, content: bytes) -> None:
    # Private from the first byte, and never over something that is there.
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
