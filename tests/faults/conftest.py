"""What the fault tests share: a chaos server a test describes, and a small world to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mailer.clock import FixedClock
from mailer.storage.database import Database
from tests.faults.certificates import Certificates, make_certificates
from tests.faults.chaos import ChaosServer
from tests.faults.world import AT, World, make_world


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[object], None]:
    """Keep what was counted, to be shown at the end of the run."""
    return lambda said: record_property("counted", str(said))


@pytest.fixture
def faulty() -> Iterator[Callable[..., ChaosServer]]:
    servers: list[ChaosServer] = []

    def make(**options: object) -> ChaosServer:
        server = ChaosServer(**options)  # type: ignore[arg-type]
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def mailer(database: Database) -> World:
    readers = [f"{name}@reader.example" for name in ("anna", "bryn", "cora")]
    return make_world(database, FixedClock(AT), readers)
