"""Named faults: an SMTP server that fails where a test tells it to, and a mailer to aim at it."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import insert

from mailer.audience.register import Register
from mailer.clock import FixedClock
from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.ledger import Ledger
from mailer.delivery.message import CompiledEdition, Letterhead, compile_edition
from mailer.delivery.planning import plan
from mailer.delivery.relay import RelayPolicy, SmtplibRelay
from mailer.delivery.sending import Sender, SendPolicy
from mailer.editions.edition import Edition, Slot
from mailer.publication import Region, RetryPolicy
from mailer.storage import schema
from mailer.storage.database import Database

AT = dt.datetime(2026, 11, 30, 7, 0, tzinfo=dt.UTC)
ISSUE = "2026-11-30"
POSTAL = "Lantern Press Co-operative, 12 Harbour Street, Exbridge EX0 0XX"

DROP = "drop"
"""Close the connection at that point."""
DROP_HALF_WAY = "drop-half-way"
"""At ``content``: close after the first bytes."""
SILENCE = "silence"
"""Keep the connection open without a word."""


@dataclass
class FaultyServer:
    """An SMTP server in a thread that follows a script.

    ``script[stage, recipient]`` is a list of what to do instead, used up one by one; stages are
    greeting, ehlo, auth, mail, rcpt, data, content and dot; the recipient is "" for those before
    RCPT. An entry is one of the words above or a reply line.
    """

    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME")
    tls: ssl.SSLContext | None = None
    is_implicit: bool = False
    script: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._is_stopping = False
        self._main = threading.Thread(target=self._listen, daemon=True)
        self._main.start()

    def stop(self) -> None:
        self._is_stopping = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._main.join(5)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def copies(self) -> Counter[str]:
        return Counter(recipient for recipient, _ in self.accepted)

    def _listen(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._is_stopping:
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._guarded, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _guarded(self, connection: socket.socket) -> None:
        if self.is_implicit and self.tls:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        self._open.add(connection)
        session = _Session(self, connection)
        with contextlib.suppress(OSError, _Dropped):
            session.run()
        self._open.discard(session.connection)
        session.close()


class _Dropped(Exception): ...


class _Session:
    def __init__(self, server: FaultyServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self._input = connection.makefile("rb")
        self._recipient = ""

    def close(self) -> None:
        self._input.close()
        self.connection.close()

    def run(self) -> None:
        self._reply("greeting", "220 faulty.example ESMTP")
        while line := self._input.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self.server.commands.append(command)
            verb = command.split(" ", 1)[0].upper()
            handler: Callable[[str], None] | None = getattr(self, f"_{verb.lower()}", None)
            if handler is None:
                self._send("500 5.5.1 what?")
            else:
                handler(command)
            if verb == "QUIT":
                return

    def _reply(self, stage: str, usual: str) -> str:
        queue = self.server.script.get((stage, self._recipient), [])
        said = queue.pop(0) if queue else usual
        if said == DROP:
            raise _Dropped
        if said == SILENCE:
            # Wait for the client to give up; its close ends the read.
            self._input.read(1)
            raise _Dropped
        self._send(said)
        if said.startswith("421"):
            raise _Dropped
        return said

    def _send(self, text: str) -> None:
        self.connection.sendall(f"{text}\r\n".encode())

    def _ehlo(self, _command: str) -> None:
        lines = ["faulty.example", *self.server.extensions]
        if self.server.tls and not isinstance(self.connection, ssl.SSLSocket):
            lines.append("STARTTLS")
        marks = ["-"] * (len(lines) - 1) + [" "]
        self._reply("ehlo", "\r\n".join(f"250{m}{x}" for m, x in zip(marks, lines, strict=True)))

    def _starttls(self, _command: str) -> None:
        assert self.server.tls
        self._send("220 2.0.0 go ahead")
        self._input.close()
        self.server._open.discard(self.connection)
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.server._open.add(self.connection)
        self._input = self.connection.makefile("rb")

    def _auth(self, _command: str) -> None:
        self._reply("auth", "235 2.7.0 welcome")

    def _mail(self, _command: str) -> None:
        self._recipient = ""
        self._reply("mail", "250 2.1.0 ok")

    def _rcpt(self, command: str) -> None:
        self._recipient = command.partition("<")[2].partition(">")[0]
        self._reply("rcpt", "250 2.1.5 ok")

    def _data(self, _command: str) -> None:
        if not self._reply("data", "354 go on").startswith("354"):
            return
        queue = self.server.script.get(("content", self._recipient), [])
        if queue and queue.pop(0) == DROP_HALF_WAY:
            self._input.readline()
            # A reset, not a polite close: what a crashed server's kernel sends.
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            raise _Dropped
        content = b""
        while (line := self._input.readline()) != b".\r\n":
            if not line:
                raise _Dropped
            content += line.removeprefix(b".") if line.startswith(b"..") else line
        queue = self.server.script.get(("dot", self._recipient), [])
        is_kept = not queue or queue[0] in {DROP, SILENCE, "gibberish"} or queue[0][0] == "2"
        if is_kept:
            self.server.accepted.append((self._recipient, content))
        self._reply("dot", "250 2.0.0 kept")

    def _rset(self, _command: str) -> None:
        self._recipient = ""
        self._send("250 2.0.0 ok")

    def _quit(self, _command: str) -> None:
        self._send("221 2.0.0 bye")


@dataclass(frozen=True)
class Certificates:
    """A test authority's PEM file and server contexts it signed."""

    ca_file: Path
    good: ssl.SSLContext
    wrong_name: ssl.SSLContext
    untrusted: ssl.SSLContext


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority = _authority("Test Authority")
    stranger = _authority("Stranger")
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority[1].public_bytes(serialization.Encoding.PEM))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return Certificates(
        ca_file,
        good=_context(folder / "good.pem", authority, address),
        wrong_name=_context(folder / "wrong.pem", authority, x509.DNSName("other.example")),
        untrusted=_context(folder / "stranger.pem", stranger, address),
    )


Authority = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certificate(
    subject: str, issuer: str, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )


def _authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _certificate(name, name, key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    return key, builder.sign(key, hashes.SHA256())


def _context(path: Path, authority: Authority, name: x509.GeneralName) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority[1].subject.rfc4514_string().removeprefix("CN=")
    certificate = (
        _certificate("server", issuer, key.public_key())
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(authority[0], hashes.SHA256())
    )
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture
def faulty() -> Iterator[Callable[..., FaultyServer]]:
    servers: list[FaultyServer] = []

    def make(**options: object) -> FaultyServer:
        server = FaultyServer(**options)  # type: ignore[arg-type]
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()


@dataclass
class Mailer:
    ledger: Ledger
    database: Database
    register: Register
    clock: FixedClock
    readers: tuple[str, ...]

    def sender(self, port: int, **relay: object) -> Sender:
        policy = RelayPolicy("127.0.0.1", port, **({"timeout_s": 2.0} | relay))  # type: ignore[arg-type]
        return Sender(
            ledger=self.ledger,
            database=self.database,
            relay=lambda: SmtplibRelay(policy),
            register=self.register,
            edition=compiled,
            fields=fields,
            clock=self.clock,
            policy=SendPolicy(RetryPolicy(first_delay_minutes=5, max_age_hours=2)),
        )

    def states(self) -> dict[str, DeliveryState]:
        return {item.address: item.state for item in self.ledger.deliveries(ISSUE)}

    def delivery(self, address: str) -> Delivery:
        return next(item for item in self.ledger.deliveries(ISSUE) if item.address == address)


@pytest.fixture
def mailer(database: Database) -> Mailer:
    clock = FixedClock(AT)
    with database.write() as connection:
        connection.execute(
            insert(schema.issues).values(
                id=ISSUE,
                number=1,
                state="sending",
                checksum="x",
                drafted_checksum="x",
                approved_by="nora",
            )
        )
    region = Region(
        slug="wales",
        name="Wales",
        list_id="wales.lantern.example",
        reply_to="wales@lantern.example",
        time_zone="Europe/London",
    )
    register = Register(database, clock, {"wales": region})
    readers = tuple(f"{name}@reader.example" for name in ("anna", "bryn", "cora"))
    for address in readers:
        register.add(address, "wales", address.partition("@")[0].title())
    ledger = Ledger(database, clock)
    plan(ledger, issue_id=ISSUE, recipients=register.recipients(), due_at={"wales": AT})
    return Mailer(ledger, database, register, clock, readers)


def fields(delivery: Delivery) -> dict[str, str]:
    return {
        "name": delivery.name,
        "unsubscribe_url": f"https://mail.lantern.example/u/{delivery.subscriber_id}",
    }


def compiled(region: str) -> CompiledEdition:
    head = Letterhead(
        from_name="The Lantern",
        from_address="briefing@lantern.example",
        reply_to=f"{region}@lantern.example",
        list_id=f"{region}.lantern.example",
        list_name=f"The Lantern, {region.title()}",
        owner=f"{region}@lantern.example",
        archive_url="https://lantern.example/",
        bounce_domain="lantern.example",
        sender_id="the-lantern",
        postal_address=POSTAL,
    )
    filling = "<p>The ferry runs again from Monday, says the harbour office.</p>\n" * 40
    edition = Edition(
        issue_id=ISSUE,
        region=region,
        language="en",
        subject="The week in Wales",
        preheader="Ferries and fairs",
        html=(
            "<html><body><p>Dear ",
            Slot("name"),
            f'</p>{filling}<p>{POSTAL}</p><a href="',
            Slot("unsubscribe_url"),
            '">Leave</a></body></html>\n',
        ),
        text=("Dear ", Slot("name"), f",\n.\n{POSTAL}\n", Slot("unsubscribe_url"), "\n"),
        article_ids=(),
    )
    return compile_edition(edition, head)
