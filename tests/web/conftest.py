"""A publication's public site, asked in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mailer.app import App, open_app
from mailer.settings import load_settings
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


@pytest.fixture(scope="session")
def shared(published: Path) -> Iterator[App]:
    """The publication that was made once, for tests that only read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_WEB_URL", WEB_URL)
        settings = load_settings(published)
    with open_app(published, settings=settings) as app:
        yield app


@pytest.fixture(scope="session")
def reader(shared: App) -> TestClient:
    """The site of the publication that was made once, for tests that only read."""
    return visit(shared)


@pytest.fixture
def client(request: pytest.FixtureRequest) -> TestClient:
    """The site of the test's own publication where it takes one to change, else the shared one."""
    if "publication" in request.fixturenames:
        return visit(request.getfixturevalue("opened"))
    found: TestClient = request.getfixturevalue("reader")
    return found


def visit(app: App) -> TestClient:
    """Open a site for a test."""
    return TestClient(site_of(app), base_url=WEB_URL, follow_redirects=False)


@contextmanager
def working(app: App, *, follow_redirects: bool = False) -> Iterator[TestClient]:
    """Open a site whose reception works, until the test ends."""
    site = site_of(app)
    with TestClient(site, base_url=WEB_URL, follow_redirects=follow_redirects) as opened:
        yield opened
    site.state.reception.stop()
