"""A sheet: all that an editor looks at of one edition, as one value.

The HTML in every guise and the text, with slots, so that the page can show any sample reader
without rendering; what each of these readers would be told; the headers; how large it is on the
wire; where it links; what the checks found. ``pack`` makes of it what the page holds: JSON,
compressed, in base64, in which nothing an article says can end a script element. Pure.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape

from mailer.delivery.quoting import EncodedPart, Template
from mailer.editions.edition import Edition, Segments, Slot, merge_html
from mailer.editions.finding import Finding, Level
from mailer.editions.guises import Guise, dress, frame_ready
from mailer.publication import Publication, Region

CLIPPED_BYTES = 102_000
"""About where Gmail cuts an HTML part off."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes on the wire, quoted-printable as it is sent; ``message`` is 0 where none was made."""

    html: int
    text: int
    message: int


@dataclass(frozen=True, slots=True)
class Way:
    """A link of the HTML: where it leads and what it says; ``times`` it stands there."""

    url: str
    text: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """See the module; ``fields`` and ``messages`` are by the sample reader's id."""

    region: str
    name: str
    language: str
    sender: str
    subject: str
    preheader: str
    guises: Mapping[Guise, Segments]
    text: Segments
    fields: Mapping[str, Mapping[str, str]]
    messages: Mapping[str, bytes]
    sizes: Sizes
    links: tuple[Way, ...]
    findings: tuple[Finding, ...]
    pictures: frozenset[str]
    web_url: str

    def count(self, level: Level) -> int:
        """Return how many findings are of a level."""
        return sum(finding.level is level for finding in self.findings)

    def row(self) -> dict[str, object]:
        """Return what the list of regions says of it."""
        return {
            "region": self.region,
            "name": self.name,
            "errors": self.count(Level.ERROR),
            "warnings": self.count(Level.WARNING),
            "size": self.sizes.html,
        }

    def with_findings_of(self, before: Sheet) -> Sheet:
        """Return it with what was found and written of an earlier one, until its own is known."""
        return replace(
            self,
            findings=before.findings,
            messages=before.messages,
            sizes=replace(self.sizes, message=before.sizes.message),
        )

    def pack(self) -> str:
        """Return it for the page."""
        data = {
            **self.row(),
            "language": self.language,
            "sender": self.sender,
            "subject": self.subject,
            "preheader": self.preheader,
            "guises": {guise.value: self._pieces(parts) for guise, parts in self.guises.items()},
            "text": self._pieces(self.text),
            "fields": self.fields,
            "headers": {reader: _headers(content) for reader, content in self.messages.items()},
            "sizes": {
                "html": self.sizes.html,
                "text": self.sizes.text,
                "message": self.sizes.message,
            },
            "links": [{"url": way.url, "text": way.text, "times": way.times} for way in self.links],
            "findings": [
                {
                    "level": finding.level.value,
                    "code": finding.code,
                    "message": finding.message,
                    "place": finding.place,
                    "remedy": finding.remedy,
                }
                for finding in self.findings
            ],
        }
        # The fastest level: the page is made anew at every change, and read on this machine.
        return base64.b64encode(zlib.compress(json.dumps(data).encode(), 1)).decode()

    def _pieces(self, segments: Segments) -> list[object]:
        pieces: list[object] = []
        pattern = picture_address(self.web_url)
        for part in segments:
            if isinstance(part, Slot):
                pieces.append({"s": part.name})
            elif isinstance(part, str):
                cut = pattern.split(part)
                pieces += [{"p": name} if at % 2 else name for at, name in enumerate(cut)]
        return [piece for piece in pieces if piece != ""]


def picture_address(web_url: str) -> re.Pattern[str]:
    """Return what finds the addresses of our own pictures; its group is the file's name."""
    return re.compile(re.escape(f"{web_url}/images/") + r"([0-9a-f]+\.[a-z]+)")


def make_sheet(
    edition: Edition,
    *,
    region: Region,
    publication: Publication,
    fields: Mapping[str, Mapping[str, str]],
    messages: Mapping[str, bytes],
    findings: Sequence[Finding],
    web_url: str,
) -> Sheet:
    """Lay out one edition.

    Args:
        fields: a value for every slot, by sample reader; the first is the one that is measured.
        messages: each one's whole message; empty while the publication cannot send.
        web_url: the address the edition was rendered with.
    """
    # The sample readers have had nothing before: they get all of it.
    edition = edition.without(frozenset())
    first = next(iter(fields))
    html = frame_ready(edition.html)
    literals = "".join(part for part in edition.html if isinstance(part, str))
    return Sheet(
        region=region.slug,
        name=region.name,
        language=edition.language,
        sender=publication.from_name or publication.title,
        subject=edition.subject,
        preheader=edition.preheader,
        guises={guise: dress(html, guise) for guise in Guise},
        text=edition.text,
        fields=fields,
        messages=messages,
        sizes=Sizes(
            html=_encoded(edition.html, fields[first], is_html=True),
            text=_encoded(edition.text, fields[first], is_html=False),
            message=len(messages.get(first, b"")),
        ),
        links=_ways(merge_html(edition.html, fields[first])),
        findings=tuple(findings),
        pictures=frozenset(picture_address(web_url).findall(literals)),
        web_url=web_url,
    )


def _encoded(segments: Segments, fields: Mapping[str, str], *, is_html: bool) -> int:
    return sum(map(len, Template(EncodedPart(segments, is_html=is_html).pieces).fill(fields)))


_LINK = re.compile(r"<a\b[^>]*?\shref=\"([^\"]*)\"[^>]*>(.*?)</a\s*>", re.IGNORECASE | re.DOTALL)
_ALT = re.compile(r"<img\b[^>]*?\salt=\"([^\"]*)\"[^>]*>", re.IGNORECASE)


def _ways(html: str) -> tuple[Way, ...]:
    """List the links of HTML that a template of ours and mrml wrote; quicker than a parser."""
    times: dict[tuple[str, str], int] = {}
    for url, inner in _LINK.findall(html):
        words = re.sub(r"<[^>]*>", " ", _ALT.sub(r"\1", inner))
        key = (unescape(url), " ".join(unescape(words).split()))
        times[key] = times.get(key, 0) + 1
    return tuple(Way(url, text, count) for (url, text), count in times.items())


def _headers(content: bytes) -> str:
    return content.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n", "\n")
