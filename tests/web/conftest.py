"""A publication's public site, asked in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mailer.app import App, make_publication, open_app
from mailer.web.wiring import site_of

HOST = "https://mail.lantern.example"


@pytest.fixture
def publication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILER_WEB_URL", HOST)
    root = tmp_path / "lantern"
    make_publication(root)
    return root


@pytest.fixture
def opened(publication: Path) -> Iterator[App]:
    with open_app(publication) as app:
        yield app


Visit = Callable[..., TestClient]


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Open a site for a test; an error that nobody answers fails it."""
    with ExitStack() as stack:

        def open_(app: App, base: str = HOST) -> TestClient:
            client = TestClient(site_of(app), base_url=base, follow_redirects=False)
            return stack.enter_context(client)

        yield open_


@pytest.fixture
def client(opened: App, visit: Visit) -> TestClient:
    return visit(opened)
