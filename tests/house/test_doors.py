"""Every route of the public site is a door with an access policy, and GET changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from mailer.app import make_publication, open_app
from mailer.web.doors import Access, Door, Doors
from mailer.web.wiring import site_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    root = tmp_path_factory.mktemp("doors") / "lantern"
    make_publication(root)
    with open_app(root) as app:
        yield site_of(app)


def test_every_route_is_a_door_with_an_access_policy(site: Starlette) -> None:
    doors: Doors = site.state.doors
    assert all(isinstance(door.access, Access) for door in doors)
    known = {(door.path, frozenset(door.methods) - {"HEAD"}) for door in doors}
    for route in site.routes:
        assert isinstance(route, Route)
        assert (route.path, frozenset(route.methods or ()) - {"HEAD"}) in known


def test_a_door_for_a_token_names_it_so(site: Starlette) -> None:
    """The log leaves out what is called a token; one under another name would be written down."""
    doors: Doors = site.state.doors
    for door in doors:
        assert (door.access is not Access.TOKEN) or "{token" in door.path, door.path


def test_no_two_doors_take_the_same_request(site: Starlette) -> None:
    doors: Doors = site.state.doors
    taken = [(door.path, method) for door in doors for method in door.methods]
    assert len(taken) == len(set(taken))


def test_only_reading_and_posting_is_known(site: Starlette) -> None:
    doors: Doors = site.state.doors
    assert {method for door in doors for method in door.methods} <= {"GET", "POST"}


def test_a_secret_door_is_told_without_its_key() -> None:
    doors = Doors(
        [
            Door("/unsubscribe/{token}", lambda _r: None, Access.TOKEN),  # type: ignore[arg-type, return-value]
            Door("/archive/{region}", lambda _r: None, Access.PAGE),  # type: ignore[arg-type, return-value]
        ]
    )
    key = "AbCdEf0123456789_-AbCdEf0123456789"
    for path in (
        f"/unsubscribe/{key}",
        f"/unsubscribe/{key}/",
        f"/unsubscribe/{key}/x",
        f"/u/{key}",
    ):
        for method in ("GET", "POST", "PUT"):
            assert key[:8] not in doors.told(path, method)
    assert doors.told("/archive/wales", "GET") == "/archive/wales"
    assert doors.told("/archive/a\nb c", "GET") == "/archive/a?b?c"
