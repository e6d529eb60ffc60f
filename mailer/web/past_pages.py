"""What anybody may read: past issues, their archive and feeds, the pictures in them.

An issue is shown as its readers got it, under a policy that lets it style itself and show this
site's pictures and nothing else; a picture from another host, which a mail may have, stays away.
Only GET and HEAD: nothing here changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from mailer.delivery.frozen import FrozenEdition
from mailer.errors import NotFound
from mailer.publication import Region
from mailer.usecases.shelf import Card, Links, Shelf, as_html, as_text
from mailer.web.conditional import conditional
from mailer.web.doors import Access, Door
from mailer.web.feeds import JSON_TYPE, RSS_TYPE, Channel, Entry, json_feed, rss
from mailer.web.frame import Frame

PAGE_SIZE = 20
FEED_SIZE = 20
ISSUE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""An edition carries its styles inside, as mail programs want them; it needs nothing else."""

FOR_EVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"
_PICTURE = re.compile(r"[0-9a-f]{32}\.(?:jpg|png)")
_KINDS = {".jpg": "image/jpeg", ".png": "image/png"}


def reading_doors(frame: Frame, shelf: Shelf, images: Path) -> list[Door]:
    """Return the doors.

    Args:
        images: the folder of prepared pictures; it need not exist.
    """
    own = _Reading(frame, shelf, images)
    return [
        Door("/archive", own.regions, Access.PAGE),
        Door("/archive/{region}", own.archive, Access.PAGE),
        Door("/archive/{region}/feed.xml", own.rss, Access.MACHINE),
        Door("/archive/{region}/feed.json", own.json, Access.MACHINE),
        # The text stands first: a region's name would take the whole of "wales.txt".
        Door("/issues/{issue}/{region}.txt", own.text, Access.PAGE),
        Door("/issues/{issue}/{region}", own.issue, Access.PAGE),
        Door("/images/{name}", own.picture, Access.MACHINE),
    ]


class _Reading:
    def __init__(self, frame: Frame, shelf: Shelf, images: Path) -> None:
        self._frame = frame
        self._shelf = shelf
        self._images = images
        self._bar_style = frame.sheet("issue_bar.css.j2")
        self._feeds: dict[tuple[str, str], tuple[tuple[tuple[str, str], ...], bytes]] = {}

    def regions(self, request: Request) -> Response:
        return self._frame.page(request, "regions.html.j2", newest=self._shelf.newest())

    def archive(self, request: Request) -> Response:
        region = self._region(request)
        query = " ".join(request.query_params.get("q", "").split())
        listing = self._shelf.listing(
            region.slug,
            query=query,
            page=_number(request.query_params.get("page", "")),
            size=PAGE_SIZE,
        )
        return self._frame.page(
            request,
            "archive.html.j2",
            region=region.slug,
            place=region,
            listing=listing,
            query=query,
            # Results of a search are no page of their own to a search engine.
            headers={"X-Robots-Tag": "noindex"} if query else None,
        )

    def issue(self, request: Request) -> Response:
        region = self._region(request)
        issue = request.path_params["issue"]
        _, frozen = self._shelf.open(issue, region.slug)
        page = as_html(
            frozen,
            self._links(self._frame.link, issue, region),
            address=self._anybody(region),
            images=self._frame.link("/images/"),
        )
        words = self._frame.words(request, region.slug)
        bar = self._frame.fragment(request, "issue_bar.html.j2", words, place=region, issue=issue)
        notes = self._shelf.notes(issue)
        said = self._frame.fragment(request, "issue_notes.html.j2", words, notes=notes)
        return conditional(
            request,
            on_the_site(page, bar=bar, style=self._bar_style, notes=said if notes else "").encode(),
            media_type="text/html; charset=utf-8",
            headers={
                "Content-Security-Policy": ISSUE_POLICY,
                "Content-Language": frozen.edition.language,
            },
        )

    def text(self, request: Request) -> Response:
        region = self._region(request)
        issue = request.path_params["issue"]
        _, frozen = self._shelf.open(issue, region.slug)
        return conditional(
            request,
            self._plain(frozen, issue, region).encode(),
            media_type="text/plain; charset=utf-8",
            headers={"Content-Language": frozen.edition.language},
        )

    def rss(self, request: Request) -> Response:
        return self._feed(request, "feed.xml", rss, RSS_TYPE)

    def json(self, request: Request) -> Response:
        return self._feed(request, "feed.json", json_feed, JSON_TYPE)

    def picture(self, request: Request) -> Response:
        name = request.path_params["name"]
        # Only the form in which pictures are named here reaches the disk.
        if not _PICTURE.fullmatch(name):
            raise NotFound("that is no name of a picture")
        # A mail program shows pictures inside pages of its own.
        headers = {
            "Cache-Control": FOR_EVER,
            "ETag": f'"{name}"',
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        path = self._images / name
        if path.is_symlink():
            raise NotFound(f"no picture {name}")
        try:
            content = path.read_bytes()
        except OSError:
            raise NotFound(f"no picture {name}") from None
        if request.headers.get("if-none-match", "").removeprefix("W/") == f'"{name}"':
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=_KINDS[path.suffix], headers=headers)

    def _feed(
        self,
        request: Request,
        file: str,
        write: Callable[[Channel, Sequence[Entry]], bytes],
        media_type: str,
    ) -> Response:
        region = self._region(request)
        cards = self._shelf.listing(region.slug, size=FEED_SIZE).cards
        made_of = tuple(
            (card.issue_id, f"{card.checksum} {card.changed_at.timestamp()}") for card in cards
        )
        known, body = self._feeds.get((region.slug, file), ((), b""))
        if known != made_of or not body:
            body = write(self._channel(region, file), [self._entry(card, region) for card in cards])
            self._feeds[region.slug, file] = (made_of, body)
        return conditional(
            request,
            body,
            media_type=media_type,
            modified_at=max((card.changed_at for card in cards), default=None),
            headers={"Cache-Control": A_WHILE},
        )

    def _channel(self, region: Region, file: str) -> Channel:
        frame, publication = self._frame, self._frame.publication
        return Channel(
            title=f"{publication.title}, {region.name}",
            description=publication.tagline or publication.title,
            language=frame.usual(region.slug),
            list_id=region.list_id,
            publisher=publication.publisher,
            page_url=frame.absolute(f"/archive/{region.slug}"),
            feed_url=frame.absolute(f"/archive/{region.slug}/{file}"),
            icon_url=frame.absolute("/favicon.svg"),
        )

    def _entry(self, card: Card, region: Region) -> Entry:
        _, frozen = self._shelf.open(card.issue_id, region.slug)
        url = self._frame.absolute(f"/issues/{card.issue_id}/{region.slug}")
        return Entry(card, url, self._plain(frozen, card.issue_id, region))

    def _plain(self, frozen: FrozenEdition, issue: str, region: Region) -> str:
        # Where text goes nothing can be relative.
        links = self._links(self._frame.absolute, issue, region)
        text = as_text(frozen, links, address=self._anybody(region))
        words = self._frame.languages.words(self._frame.usual(region.slug))
        corrected = [
            words.gettext("Corrected on %(day)s: %(what)s")
            % {"day": words.date(note.at), "what": note.text}
            for note in self._shelf.notes(issue)
        ]
        return "\n\n".join([*corrected, text])

    def _links(self, link: Callable[[str], str], issue: str, region: Region) -> Links:
        """Return what stands for a reader's links: the nearest public page there is."""
        there = next((p for p in ("/preferences", "/join") if p in self._frame.paths), "/privacy")
        return Links(
            view_online_url=link(f"/issues/{issue}/{region.slug}"),
            preferences_url=link(there),
            unsubscribe_url=link(there),
        )

    def _anybody(self, region: Region) -> str:
        return self._frame.languages.words(self._frame.usual(region.slug)).gettext("our readers")

    def _region(self, request: Request) -> Region:
        slug = request.path_params["region"]
        region = self._frame.publication.region_map.get(slug)
        if region is None:
            raise NotFound("there is no such region")
        return region


def on_the_site(html: str, *, bar: str, style: str, notes: str = "") -> str:
    """Return an edition's page with a way into the rest of the site above it.

    What was corrected in it since it was sent (``notes``, HTML) stands before everything else.

    A mail has no landmarks; a page has them, so that a screen reader can go past the bar.
    """
    html = re.sub(r"</head>", lambda _: f"<style>{style}</style></head>", html, count=1)
    html = re.sub(r"<body[^>]*>", lambda found: f"{found[0]}{bar}<main>{notes}", html, count=1)
    rest, body, end = html.rpartition("</body>")
    return f"{rest}</main>{body}{end}" if body else html


def _number(text: str) -> int:
    # A long row of digits is refused before int() spends time on it.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
