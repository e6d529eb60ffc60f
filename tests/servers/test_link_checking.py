"""An issue's links, asked for over a real network of loopback by the guarded fetcher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailer.articles.destinations import read_networks
from mailer.articles.fetching import Fetcher, FetchPolicy
from mailer.clock import SystemClock
from mailer.editions.edition import Slot
from mailer.usecases.link_checking import check_online
from tests.browser.sampling import render
from tests.servers.hostile import Hostile, answer, hostile_server

HTML = ("Content-Type: text/html; charset=utf-8",)


@pytest.fixture
def server() -> Iterator[Hostile]:
    with hostile_server() as made:
        yield made


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    policy = FetchPolicy(allowed=read_networks("127.0.0.0/8"), timeout_s=5.0)
    made = Fetcher(policy, SystemClock())
    yield made
    made.close()


def edition(*hrefs: str):
    links = "".join(f'<a href="{href}">x</a>' for href in hrefs)
    unsubscribe = ('<a href="', Slot("unsubscribe_url"), '">y</a>')
    return replace(render(), html=(links, *unsubscribe))


def test_redirects_rot_and_places_are_found(server: Hostile, fetcher: Fetcher) -> None:
    server.pages |= {
        "/well": answer(b"<h2 id='here'>x</h2>", headers=HTML),
        "/": answer(b"home", headers=HTML),
        "/old": answer(status="301 Moved Permanently", headers=("Location: /well",)),
        "/rotten": answer(status="302 Found", headers=("Location: /",)),
        "/tired": answer(status="503 Service Unavailable"),
    }
    paths = ("/well", "/well#here", "/well#gone", "/old", "/rotten", "/tired", "/missing")
    found = check_online([edition(*map(server.url, paths))], fetcher)
    assert sorted(
        (hit.code, hit.message.split()[0].removeprefix(server.url(""))) for hit in found
    ) == [
        ("link-anchor-missing", "/well"),
        ("link-gone", "/missing"),
        ("link-moved", "/old"),
        ("link-rotten", "/rotten"),
        ("link-unreachable", "/tired"),
    ]


def test_an_address_is_asked_once_whatever_links_to_it(server: Hostile, fetcher: Fetcher) -> None:
    server.pages["/well"] = answer(b"x", headers=HTML)
    url = server.url("/well")
    editions = [edition(url, f"{url}#a", url), edition(url, f"{url}#b")]
    check_online(editions, fetcher)
    assert len(server.heard) == 1


def test_our_own_site_is_not_asked(server: Hostile, fetcher: Fetcher) -> None:
    own = server.url("").rstrip("/")
    assert check_online([edition(f"{own}/issues/1")], fetcher, besides=own) == []
    assert server.heard == []


def test_what_is_private_is_refused_and_not_asked(server: Hostile) -> None:
    shut = Fetcher(FetchPolicy(timeout_s=5.0), SystemClock())
    try:
        (hit,) = check_online([edition(server.url("/well"))], shut)
    finally:
        shut.close()
    assert hit.code == "link-refused"
    assert server.heard == []
