"""Asking for an issue's links over the network, when somebody wants that: ``check --online``.

Each address is asked once a run, whatever regions link to it, a few at a time, by the guarded
fetcher: nothing private is reached, and what answers is capped in size and time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol
from urllib.parse import urldefrag

from mailer.articles.fetching import Answer, Trouble
from mailer.editions.anatomy import dissect
from mailer.editions.checks.check_online import Looked, ids_of, judge
from mailer.editions.checks.rulebook import Hit
from mailer.editions.edition import Edition

AT_ONCE = 8
Progress = Callable[[int, int], None]


class Fetches(Protocol):
    """What is needed of the fetcher; safe to call from several threads."""

    def fetch(self, url: str) -> Answer | Trouble:
        """Ask for an address."""
        ...


def check_online(
    editions: Iterable[Edition],
    fetcher: Fetches,
    *,
    besides: str = "",
    progress: Progress | None = None,
) -> list[Hit]:
    """Ask for every address that editions link to; return what is wrong with them.

    Args:
        besides: an address below which nothing is asked for: our own site, where an issue that
            has not gone out is not shown yet.
    """
    wanted = sorted({href for edition in editions for href in _links(edition)})
    hrefs = [href for href in wanted if not (besides and href.startswith(f"{besides}/"))]
    addresses = sorted({urldefrag(href).url for href in hrefs})
    looked: dict[str, Looked] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, (address, found) in enumerate(
            zip(addresses, pool.map(lambda url: look(fetcher, url), addresses), strict=True), 1
        ):
            looked[address] = found
            if progress:
                progress(done, len(addresses))
    return [hit for href in hrefs for hit in judge(href, looked[urldefrag(href).url])]


def look(fetcher: Fetches, url: str) -> Looked:
    """Ask for one address."""
    answer = fetcher.fetch(url)
    if isinstance(answer, Trouble):
        return Looked(
            answer.status,
            trouble=answer.problem,
            is_refused=answer.code == "refused",
        )
    kind = answer.headers.get("content-type", "")
    is_page = "html" in kind
    text = answer.body.decode("utf-8", "replace") if is_page else ""
    return Looked(
        answer.status,
        url=answer.url,
        moved_to=answer.moved_to,
        ids=ids_of(text) if is_page else None,
    )


def _links(edition: Edition) -> list[str]:
    # A reader's own links stand in slots and are not asked for.
    html = "".join(part for part in edition.html if isinstance(part, str))
    return [link.href for link in dissect(html).links if link.href.startswith("http")]
