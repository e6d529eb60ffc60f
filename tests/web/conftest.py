"""A publication's public site, asked in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mailer.app import App, open_app
from mailer.web.wiring import site_of
from tests.web.publishing import FRIDAY, WEB_URL, publish


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication that has sent an issue, made once and copied for each test."""
    root = tmp_path_factory.mktemp("published") / "lantern"
    publish(root)
    return root


@pytest.fixture
def publication(tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAILER_WEB_URL", WEB_URL)
    monkeypatch.setenv("MAILER_FIXED_NOW", FRIDAY)
    root = tmp_path / "lantern"
    shutil.copytree(published, root)
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

        def open_(app: App, base: str = WEB_URL) -> TestClient:
            client = TestClient(site_of(app), base_url=base, follow_redirects=False)
            return stack.enter_context(client)

        yield open_


@pytest.fixture
def client(opened: App, visit: Visit) -> TestClient:
    return visit(opened)
