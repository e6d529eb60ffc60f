"""The same bytes through Postfix at its strictest and through Exim, and their bounces back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message

import pytest

from mailer.clock import FixedClock
from mailer.delivery.delivery import DeliveryState
from mailer.delivery.dkim import DkimSigner, new_key
from mailer.storage.database import Database
from tests.faults.certificates import Certificates, make_certificates
from tests.faults.chaos import ChaosServer
from tests.faults.world import AT, ISSUE, World, make_world
from tests.servers.real_servers import RealServer, exim, postfix
from tests.signatures import all_verify

S = DeliveryState
READERS = [f"r{number:02}@reader.example" for number in range(40)]
KEYS = (new_key("nov2026-rsa", "rsa"), new_key("nov2026-ed25519", "ed25519"))
RECORDS = {f"{key.selector}._domainkey.lantern.example": key.dns_record() for key in KEYS}
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def behind() -> Iterator[ChaosServer]:
    """The next hop of the real servers: it keeps what they pass on."""
    server = ChaosServer(extensions=("PIPELINING", "8BITMIME", "SMTPUTF8"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=[postfix, exim], ids=lambda make: make.__name__)
def real(request, behind: ChaosServer, certificates: Certificates) -> Iterator[RealServer]:
    behind.taken.clear()
    with request.param(behind.port, certificates.good_file.read_bytes()) as server:
        yield server


@pytest.fixture
def world(database: Database) -> World:
    made = make_world(database, FixedClock(AT), READERS)
    made.signer = DkimSigner("lantern.example", KEYS)
    return made


def arrived(behind: ChaosServer, is_wanted: Callable[[str], bool], count: int) -> dict[str, bytes]:
    """Wait until so many of the wanted recipients have a message."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = {item.recipient: item.content for item in behind.taken if is_wanted(item.recipient)}
        if len(found) >= count:
            return found
        time.sleep(0.05)
    pytest.fail(f"{count} messages were expected, these came: {sorted(behind.copies())}")


def without_trace(content: bytes) -> bytes:
    """Take away what a server puts on top: its trace fields, before the first of ours."""
    return content[content.index(b"DKIM-Signature:") :]


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_every_byte_passes_and_the_signature_still_verifies(
    real: RealServer, behind: ChaosServer, world: World, certificates: Certificates, tls: str
) -> None:
    behind.taken.clear()
    sender = world.sender(real.port, tls=tls, ca_file=str(certificates.ca_file), timeout_s=20)
    assert sender.run(ISSUE).is_finished, real.log[-2000:]
    assert set(world.states().values()) == {S.ACCEPTED}
    found = arrived(behind, lambda who: who in READERS, len(READERS))
    assert behind.copies() == dict.fromkeys(READERS, 1)
    for address, content in found.items():
        assert without_trace(content) == world.message(address)
        assert all_verify(content, RECORDS, at=AT + timedelta(minutes=1))
    assert real.complaints() == []


def test_a_bounce_comes_back_to_the_deliverys_own_address_with_its_envid(
    real: RealServer, behind: ChaosServer, world: World
) -> None:
    gone = "550-rcpt.1@reader.example"
    world.add(gone)
    assert world.sender(real.port, timeout_s=20).run(ISSUE).is_finished, real.log[-2000:]
    token = world.delivery(gone).token
    back = f"bounces+{token}@lantern.example"
    bounce = message_from_bytes(arrived(behind, lambda who: who == back, 1)[back])
    (report,) = (
        part for part in bounce.walk() if part.get_content_type() == "message/delivery-status"
    )
    groups = report.get_payload()
    assert isinstance(groups, list)
    said = {name.lower(): value for group in groups for name, value in _fields(group)}
    assert said["original-envelope-id"] == token
    assert said["action"] == "failed"
    assert said["final-recipient"].endswith(gone)
    assert said["status"].startswith("5.")
    # RET=HDRS: the headers come back and the letter does not.
    assert b"The ferry runs again" not in bounce.as_bytes()


def _fields(group: Message | str) -> list[tuple[str, str]]:
    assert isinstance(group, Message)
    return [(name, str(value)) for name, value in group.items()]


def test_a_local_part_outside_ascii_concerns_its_reader_alone(
    real: RealServer, behind: ChaosServer, world: World
) -> None:
    zoe = "zoë@reader.example"
    world.add(zoe)
    assert world.sender(real.port, timeout_s=20).run(ISSUE).is_finished, real.log[-2000:]
    row = world.delivery(zoe)
    assert {state for who, state in world.states().items() if who != zoe} == {S.ACCEPTED}
    if real.name == "postfix":
        # It offers SMTPUTF8, and strict_7bit_headers forbids the To header that goes with it.
        assert (row.state, row.reply.enhanced) == (S.REFUSED, "5.6.0")
        return
    assert row.state is S.ACCEPTED, row.reply
    content = arrived(behind, lambda who: who == zoe, 1)[zoe]
    assert without_trace(content) == world.message(zoe)
