"""Pipelined connections against servers on the loopback that delay, split, refuse and vanish."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailer.delivery.delivery import Delivery, DeliveryState, Envelope, Outcome, Trouble, Verdict
from mailer.delivery.relay import Connection, Outgoing, PipelinedRelay, RelayPolicy, run_loop
from mailer.errors import ConfigurationError
from tests.faults.certificates import Certificates, make_certificates
from tests.faults.chaos import ChaosServer

AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
CONTENT = b"Subject: hello\r\n\r\n.a dot\r\n" + b"x" * 70 + b"\r\n"


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def _loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the event loops that the engine may find."""
    if request.param == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    elif importlib.util.find_spec("uvloop") is None:
        pytest.skip("uvloop is missing: pip install uvloop")


@pytest.fixture
def serve() -> Iterator[Callable[..., ChaosServer]]:
    servers: list[ChaosServer] = []

    def start(**values: object) -> ChaosServer:
        server = ChaosServer(**values)  # type: ignore[arg-type]
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


class Readers:
    """The work: every address once, each with content of its own."""

    def __init__(self, *addresses: str, content: bytes = CONTENT) -> None:
        self.left = [outgoing(address, content) for address in addresses]
        self.started: list[str] = []
        self.ends: dict[str, Outcome] = {}

    def next(self) -> Outgoing | None:
        return self.left.pop(0) if self.left else None

    def starting(self, item: Outgoing) -> None:
        self.started.append(item.envelope.recipient)

    def ended(self, item: Outgoing, outcome: Outcome) -> None:
        assert item.envelope.recipient not in self.ends
        self.ends[item.envelope.recipient] = outcome


def outgoing(address: str, content: bytes) -> Outgoing:
    row = Delivery(1, "i", "wales", 1, address, "", "t", AT, AT, DeliveryState.CLAIMED)
    envelope = Envelope("bounces+t@lantern.example", address, "t")
    return Outgoing(row, envelope, b"To: " + address.encode() + b"\r\n" + content)


def policy(server: ChaosServer, **values: object) -> RelayPolicy:
    known = {"timeout_s": 2.0, "hello_name": "me.example"} | values
    return RelayPolicy("127.0.0.1", server.port, **known)  # type: ignore[arg-type]


async def until_done(relay: PipelinedRelay, work: Readers, most: int = 40) -> int:
    """Drive one connection after the other until the work is done; return how many it took."""
    for number in range(1, most + 1):
        connection = await relay.connect()
        assert isinstance(connection, Connection), connection
        await connection.drive(work)
        await connection.close()
        if not work.left:
            return number
    pytest.fail("never done")


def addresses(count: int) -> list[str]:
    return [f"n{number}@reader.example" for number in range(count)]


def test_a_message_costs_one_round_trip(serve) -> None:
    server = serve()
    work = Readers(*addresses(20))
    assert run_loop(until_done(PipelinedRelay(policy(server)), work)) == 1
    assert {outcome.verdict for outcome in work.ends.values()} == {Verdict.ACCEPT}
    assert server.copies() == dict.fromkeys(addresses(20), 1)
    for recipient, content in server.accepted:
        assert content == b"To: " + recipient.encode() + b"\r\n" + CONTENT
        assert recipient in work.ends[recipient].reply.text
    # Each content came with the next envelope behind it.
    joined = b"".join(server.raw[0])
    assert joined.count(b"\r\n.\r\nMAIL FROM:") == 19
    assert sum(b"\r\n.\r\nMAIL FROM:" in chunk for chunk in server.raw[0]) == 19
    assert joined.endswith(b"\r\n.\r\nQUIT\r\n")


def test_ten_connections_share_the_work(serve) -> None:
    server = serve()
    work = Readers(*addresses(200))

    async def main() -> None:
        relay = PipelinedRelay(policy(server))
        connections = [await relay.connect() for _ in range(10)]
        assert all(isinstance(item, Connection) for item in connections)
        assert await asyncio.gather(*(item.drive(work) for item in connections)) == [None] * 10
        await asyncio.gather(*(item.close() for item in connections))

    run_loop(main())
    assert server.copies() == dict.fromkeys(addresses(200), 1)
    assert server.connections == 10


def test_a_connection_can_be_driven_again_and_notices_a_close_in_between(serve) -> None:
    server = serve(script={("mail", ""): ["", "", "421 4.4.2 idle too long"]})
    works = [Readers(*addresses(2)) for _ in range(2)]

    async def main() -> tuple[Trouble | None, ...]:
        connection = await PipelinedRelay(policy(server)).connect()
        return await connection.drive(works[0]), await connection.drive(works[1])

    first, second = run_loop(main())
    assert first is None
    assert second.reply.code == 421
    (struck,) = works[1].ends.values()
    assert struck.is_untried
    assert len(works[1].left) == 1


class Impatient(asyncio.Protocol):
    """Says goodbye as soon as it was greeted, in the words given."""

    def __init__(self, words: bytes) -> None:
        self._words = words

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(b"220 impatient.example\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"250 impatient.example\r\n")  # type: ignore[attr-defined]
        asyncio.get_running_loop().call_later(0.05, self._leave)

    def _leave(self) -> None:
        self._transport.write(self._words)  # type: ignore[attr-defined]
        self._transport.close()


@pytest.mark.parametrize("words", [b"", b"421 4.4.2 idle\r\n", b"nonsense\r\n"])
def test_a_server_that_closes_while_idle_costs_no_message(words: bytes) -> None:
    work = Readers(*addresses(1))

    async def main() -> Trouble | None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Impatient(words), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = await PipelinedRelay(RelayPolicy("127.0.0.1", port, timeout_s=5)).connect()
        assert isinstance(connection, Connection)
        async with asyncio.timeout(5):
            while connection.is_open:
                await asyncio.sleep(0.01)
        server.close()
        trouble = await connection.drive(work)
        await connection.close()
        return trouble

    trouble = run_loop(main())
    assert isinstance(trouble, Trouble)
    assert (trouble.reply is not None) == words.startswith(b"421")
    assert len(work.left) == 1
    assert work.ends == {}


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
def test_mixed_answers_and_late_ones_go_where_they_belong(serve, extensions) -> None:
    readers = []
    for number in range(6):
        readers += [
            f"550-rcpt.{number}@r.example",
            f"450-rcpt.{number}@r.example",
            f"450-data.{number}@r.example",
            f"550-dot.{number}@r.example",
            f"slow-dot.{number}@r.example",
            f"split-rcpt.{number}@r.example",
            f"multiline-dot.{number}@r.example",
            f"n{number}@r.example",
        ]
    server = serve(extensions=extensions, slow_s=0.01)
    work = Readers(*readers)
    assert run_loop(until_done(PipelinedRelay(policy(server)), work)) == 1
    for address, outcome in work.ends.items():
        wanted = {"550": Verdict.REFUSE, "450": Verdict.DEFER}.get(address[:3], Verdict.ACCEPT)
        assert outcome.verdict is wanted, address
        if not address.startswith("multiline"):
            assert address in outcome.reply.text
        assert (address in work.started) == (wanted is Verdict.ACCEPT or "dot" in address)
    accepted = [who for who, outcome in work.ends.items() if outcome.verdict is Verdict.ACCEPT]
    assert server.copies() == dict.fromkeys(accepted, 1)


@pytest.mark.parametrize("fault", ["drop", "reset", "gibberish", "mixed", "endless", "silent"])
@pytest.mark.parametrize("stage", ["rcpt", "dot"])
def test_a_fault_in_mid_stream_strikes_one_and_the_next_is_untried(serve, fault, stage) -> None:
    struck = f"{fault}-{stage}.1@r.example"
    server = serve()
    work = Readers("a@r.example", struck, "b@r.example", "c@r.example")
    relay = PipelinedRelay(policy(server, timeout_s=0.4))
    run_loop(until_done(relay, work))
    assert work.ends["a@r.example"].verdict is Verdict.ACCEPT
    assert work.ends["c@r.example"].verdict is Verdict.ACCEPT
    wanted = Verdict.DOUBT if stage == "dot" else Verdict.DEFER
    assert work.ends[struck].verdict is wanted
    assert not work.ends[struck].is_connection_usable
    # Its envelope was behind the struck message's content, or it had not been taken yet.
    behind = work.ends["b@r.example"]
    assert behind.is_untried if stage == "dot" else behind.verdict is Verdict.ACCEPT


def test_cancelled_in_the_middle_every_item_is_accounted_for(serve) -> None:
    server = serve()
    work = Readers("a@r.example", "silent-dot.1@r.example", "b@r.example")

    async def main() -> None:
        connection = await PipelinedRelay(policy(server)).connect()
        drive = asyncio.create_task(connection.drive(work))
        async with asyncio.timeout(5):
            while len(work.started) < 2:
                await asyncio.sleep(0.01)
        drive.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drive
        assert not connection.is_open

    run_loop(main())
    assert [end.verdict for end in work.ends.values()] == ["accept", "doubt", "defer"]
    assert work.ends["b@r.example"].is_untried


def test_a_work_that_fails_stops_the_connection_and_its_error_comes_out(serve) -> None:
    class Broken(Readers):
        def starting(self, item: Outgoing) -> None:
            super().starting(item)
            if len(self.started) == 2:
                raise OSError("the journal is full")

    server = serve()
    work = Broken(*addresses(4))

    async def main() -> None:
        connection = await PipelinedRelay(policy(server)).connect()
        with pytest.raises(OSError, match="the journal is full"):
            await connection.drive(work)

    run_loop(main())
    assert server.copies() == {"n0@reader.example": 1}
    assert len(work.ends) + len(work.left) == 4


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_messages_of_any_size_go_through_tls(serve, certificates, mode) -> None:
    server = serve(tls=certificates.good, is_implicit=mode == "implicit")
    content = b"Subject: large\r\n\r\n" + (b"y" * 70 + b"\r\n") * 30_000
    work = Readers(*addresses(3), content=content)
    relay = PipelinedRelay(
        policy(server, tls=mode, ca_file=str(certificates.ca_file), timeout_s=10)
    )
    assert run_loop(until_done(relay, work)) == 1
    assert [end.verdict for end in work.ends.values()] == [Verdict.ACCEPT] * 3
    assert all(body.endswith(content) for _, body in server.accepted)


def test_lost_inside_tls_in_the_middle_of_a_large_message_only_defers(serve, certificates) -> None:
    server = serve(
        tls=certificates.good, is_implicit=True, script={("content", "a@r.example"): ["reset"]}
    )
    content = (b"y" * 70 + b"\r\n") * 300_000
    work = Readers("a@r.example", content=content)
    relay = PipelinedRelay(policy(server, tls="implicit", ca_file=str(certificates.ca_file)))
    run_loop(until_done(relay, work))
    assert work.ends["a@r.example"].verdict is Verdict.DEFER


class Liar(asyncio.Protocol):
    """Offers STARTTLS and says more in the same packet, as somebody in between would."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(b"220 liar.example\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        said = b"250-liar\r\n250 STARTTLS\r\n"
        if data.startswith(b"STARTTLS"):
            said = b"220 go on\r\n250-liar\r\n250 AUTH PLAIN\r\n"
        self.transport.write(said)  # type: ignore[attr-defined]


def test_words_slipped_in_before_tls_are_not_believed(certificates) -> None:
    async def main() -> Connection | Trouble:
        server = await asyncio.get_running_loop().create_server(Liar, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        known = RelayPolicy("127.0.0.1", port, tls="starttls", ca_file=str(certificates.ca_file))
        found = await PipelinedRelay(known).connect()
        server.close()
        return found

    found = run_loop(main())
    assert isinstance(found, Trouble)
    assert "it spoke before TLS was agreed on" in found.problem


def test_a_server_that_loses_what_was_pipelined_is_served_command_by_command(serve) -> None:
    server = serve(script={("rcpt", "n0@reader.example"): ["silence"]})
    work = Readers(*addresses(3))
    relay = PipelinedRelay(policy(server, timeout_s=0.3))
    assert run_loop(until_done(relay, work)) == 2
    assert work.ends["n0@reader.example"].is_untried
    assert b"DATA\r\n" in server.raw[1]
    assert server.copies() == dict.fromkeys(addresses(3)[1:], 1)


def test_a_host_without_a_server_is_trouble(tmp_path: Path, nowhere: int) -> None:
    for host in ("127.0.0.1", "relay.invalid"):
        found = run_loop(PipelinedRelay(RelayPolicy(host, nowhere, timeout_s=2)).connect())
        assert isinstance(found, Trouble)
        assert "cannot be reached" in found.problem
    with pytest.raises(ConfigurationError):
        PipelinedRelay(RelayPolicy("h", 25, tls="starttls", ca_file=str(tmp_path / "none.pem")))
