"""Pages of the web taken in by their address: fetched under guard, read, kept like a file.

A page of an article that a feed gave in full adds its picture, byline and licence to the feed's
words; where the feed has only the beginning, the page's words lead (``merging``).
"""

from __future__ import annotations

from dataclasses import replace

from mailer.articles.article import Document
from mailer.articles.fetching import Fetcher, Trouble
from mailer.articles.ingesting import FileReport
from mailer.articles.intake import IngestPolicy
from mailer.articles.library import Library
from mailer.articles.webpage import read_web_page
from mailer.errors import Fault, InvalidInput

_ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"


def fetch_page(url: str, *, fetcher: Fetcher, desk: IngestPolicy, source: str = "") -> Document:
    """Return the article of a page.

    Args:
        url: its address.
        fetcher: what asks for it.
        desk: the publication's policy.
        source: the outlet's name, where it is known.
    Raises:
        InvalidInput: one fault that names the address.
    """
    found = fetcher.fetch(url, accept=_ACCEPT)
    if isinstance(found, Trouble):
        raise InvalidInput(Fault(found.problem, where=url[:300], remedy=_remedy(found)))
    try:
        return read_web_page(
            found.body,
            url=found.url,
            content_type=found.headers.get("content-type", ""),
            desk=desk,
            source=source,
        )
    except InvalidInput as error:
        raise InvalidInput(replace(error.faults[0], where=url[:300])) from None


def take_page(
    url: str, *, fetcher: Fetcher, library: Library, desk: IngestPolicy, source: str = ""
) -> FileReport:
    """Fetch a page and keep its article; a page that cannot be used has one fault."""
    try:
        document = fetch_page(url, fetcher=fetcher, desk=desk, source=source)
    except InvalidInput as error:
        return FileReport(url, faults=error.faults)
    return FileReport(url, library.keep(document))


def _remedy(trouble: Trouble) -> str:
    if trouble.code == "refused":
        is_network = "leads to" in trouble.problem or " port " in trouble.problem
        return (
            "MAILER_FETCH_ALLOW opens networks of your own"
            if is_network
            else "give a page's public address, such as https://town.example/ferry"
        )
    return "look at it in a browser; a page that was saved can be taken in as a file"
