"""The relay: one SMTP server that takes our mail, behind one small interface.

``Relay`` is what ``sending`` knows; ``SmtplibRelay`` is the plain engine, one connection and one
transaction at a time. What it promises:

- a connection lost before the content was handed over whole defers: the server cannot have it;
- one lost after that, and before the reply, is in doubt: the server may have it;
- a lost or timed-out connection is never used again; one found dead at the next MAIL is replaced
  within the same attempt, since nothing of the message was sent;
- with ``starttls`` or ``implicit`` the certificate and the name are verified, and nothing is
  ever sent in the clear instead;
- a server that objects to us yields ``Trouble`` or an outcome with ``is_sender_at_fault``.

Failures: a CA file that cannot be used raises ``ConfigurationError``; everything the network does
is returned. Standards: RFC 5321, 1870 (SIZE), 3207 (STARTTLS), 3461 (RET, ENVID), 6531.
Limits: four round trips a message; pipelining comes with another engine behind the same interface.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import smtplib
import socket
import ssl
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from mailer.delivery.connection import Connection, open_connection
from mailer.delivery.delivery import Envelope, Outcome, Reply, Trouble, Verdict
from mailer.delivery.opening import RelayPolicy
from mailer.delivery.smtp import Stage, judge, read_reply, stuffed, xtext
from mailer.delivery.transaction import Outgoing, Work
from mailer.errors import ConfigurationError, Fault

__all__ = [
    "Connection",
    "Outgoing",
    "PipelinedRelay",
    "Relay",
    "RelayPolicy",
    "SmtplibRelay",
    "Work",
    "run_loop",
]

QUIT_TIMEOUT_S = 5.0
"""How long to wait for the goodbye; the mail is settled by then."""


class Relay(Protocol):
    """Takes one message at a time."""

    def open(self) -> Trouble | None:
        """Connect, unless connected; say what stands in the way."""
        ...

    def deliver(self, envelope: Envelope, content: bytes, *, needs_smtputf8: bool) -> Outcome:
        """Carry one message through one transaction."""
        ...

    def close(self) -> None:
        """Say goodbye; never fails."""
        ...


class PipelinedRelay:
    """Opens connections to one relay; what it learns of the server it remembers for the next.

    Raises:
        ConfigurationError: the CA file cannot be read.
    """

    def __init__(self, policy: RelayPolicy) -> None:
        self.policy = policy
        self._context = _context(policy) if policy.tls != "none" else None
        self._distrusted: set[str] = set()

    async def connect(self) -> Connection | Trouble:
        """Open a session; what stands in the way is returned."""
        return await open_connection(self.policy, self._context, self._distrusted)


Result = TypeVar("Result")


def run_loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on the fastest event loop there is: uvloop's, else the standard one."""
    try:
        factory = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


class SmtplibRelay:
    """The relay over the standard library's client.

    Raises:
        ConfigurationError: the CA file cannot be read.
    """

    def __init__(self, policy: RelayPolicy) -> None:
        self._policy = policy
        self._context = _context(policy) if policy.tls != "none" else None
        self._smtp: smtplib.SMTP | None = None
        self._is_fresh = True

    def open(self) -> Trouble | None:
        if self._smtp is not None:
            return None
        smtp = self._client()
        try:
            trouble = self._greet(smtp)
        except ssl.SSLError as error:
            trouble = self._untrusted(error)
        except smtplib.SMTPResponseException as error:
            trouble = self._objection(read_reply(error.smtp_code, _as_bytes(error.smtp_error)))
        except OSError as error:
            trouble = Trouble(
                f"{self._policy} cannot be reached: {_reason(error)}",
                "check MAILER_RELAY_HOST and MAILER_RELAY_PORT and that it is up; what is not "
                "sent stays in the ledger, run the command again",
            )
        if trouble:
            smtp.close()
            return trouble
        self._smtp = smtp
        self._is_fresh = True
        return None

    def deliver(
        self, envelope: Envelope, content: bytes, *, needs_smtputf8: bool = False
    ) -> Outcome:
        if trouble := self.open():
            return _unsent(trouble)
        was_fresh = self._is_fresh
        stage, outcome = self._transact(envelope, content, needs_smtputf8)
        if stage is Stage.MAIL and self._smtp is None and not was_fresh:
            # The server closed an idle connection; the message itself was never begun.
            if trouble := self.open():
                return _unsent(trouble)
            stage, outcome = self._transact(envelope, content, needs_smtputf8)
        return outcome

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with contextlib.suppress(OSError):
            if smtp.sock is not None:
                smtp.sock.settimeout(QUIT_TIMEOUT_S)
            smtp.quit()
        smtp.close()

    def _client(self) -> smtplib.SMTP:
        # smtplib would ask DNS for our own name, which can take as long as the timeout.
        name = self._policy.hello_name or _own_name()
        timeout = self._policy.timeout_s
        if self._policy.tls == "implicit":
            return smtplib.SMTP_SSL(local_hostname=name, timeout=timeout, context=self._context)
        return smtplib.SMTP(local_hostname=name, timeout=timeout)

    def _greet(self, smtp: smtplib.SMTP) -> Trouble | None:
        policy = self._policy
        # starttls() verifies against this name; connect() alone does not remember it.
        smtp._host = policy.host  # type: ignore[attr-defined]  # noqa: SLF001
        code, text = smtp.connect(policy.host, policy.port)
        if code != 220:
            return self._objection(read_reply(code, text))
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if policy.tls == "starttls":
            if not smtp.has_extn("starttls"):
                return Trouble(
                    f"{policy} does not offer STARTTLS; nothing was sent",
                    "ask its operator, or mend MAILER_RELAY_TLS and MAILER_RELAY_PORT",
                    is_lasting=True,
                )
            code, text = smtp.starttls(context=self._context)
            if code != 220:
                return self._objection(read_reply(code, text))
            smtp.ehlo_or_helo_if_needed()
        if policy.username:
            return self._log_in(smtp)
        return None

    def _log_in(self, smtp: smtplib.SMTP) -> Trouble | None:
        try:
            smtp.login(self._policy.username, self._policy.password)
        except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
            raise
        except (smtplib.SMTPException, UnicodeEncodeError) as error:
            # No AUTH offered, no method in common, or a password that is not ASCII.
            return Trouble(
                f"{self._policy} takes no login: {error}",
                "leave MAILER_RELAY_USERNAME empty, or mend MAILER_RELAY_TLS",
                is_lasting=True,
            )
        return None

    def _objection(self, reply: Reply) -> Trouble:
        is_login = reply.code in {530, 534, 535, 538}
        said = f"{reply.code} {reply.enhanced} {reply.text}".replace("  ", " ").strip()
        return Trouble(
            f"{self._policy} {'refused the login' if is_login else 'will not serve us'}: {said}",
            "check MAILER_RELAY_USERNAME and MAILER_RELAY_PASSWORD"
            if is_login
            else "ask its operator; what is not sent stays in the ledger",
            is_lasting=reply.code // 100 == 5,
            reply=reply,
        )

    def _untrusted(self, error: ssl.SSLError) -> Trouble:
        if isinstance(error, ssl.SSLCertVerificationError):
            why = f"its certificate is not trusted ({error.verify_message or error.reason})"
            remedy = "put its authority into MAILER_RELAY_CA_FILE or mend MAILER_RELAY_HOST"
        else:
            why = f"TLS failed ({error.reason or error})"
            remedy = "check MAILER_RELAY_TLS and MAILER_RELAY_PORT"
        return Trouble(
            f"{self._policy} cannot be trusted: {why}; nothing was sent", remedy, is_lasting=True
        )

    def _transact(
        self, envelope: Envelope, content: bytes, needs_smtputf8: bool
    ) -> tuple[Stage, Outcome]:
        smtp = self._smtp
        if smtp is None:
            raise ValueError("the relay is not open")
        if needs_smtputf8 and not smtp.has_extn("smtputf8"):
            reply = Reply(553, "5.6.7", "the relay does not offer SMTPUTF8")
            return Stage.MAIL, Outcome(Verdict.REFUSE, reply, "not sent")
        wire = stuffed(content)
        limit = smtp.esmtp_features.get("size", "").strip()
        if limit.isdigit() and 0 < int(limit) < len(content):
            note = f"the message has {len(content)} bytes, the relay takes {limit}"
            return Stage.MAIL, Outcome(Verdict.DEFER, None, note, is_sender_at_fault=True)
        # The stage moves on before each command: an exception then knows how far we came.
        stage = Stage.MAIL
        try:
            smtp.command_encoding = "utf-8" if needs_smtputf8 else "ascii"
            options = _mail_options(smtp, envelope, len(content), needs_smtputf8)
            reply = _say(smtp, f"MAIL FROM:<{envelope.sender}>{options}")
            if reply.code // 100 == 2:
                stage = Stage.RCPT
                reply = _say(smtp, f"RCPT TO:<{envelope.recipient}>")
            if stage is Stage.RCPT and reply.code // 100 == 2:
                stage = Stage.DATA
                reply = _say(smtp, "DATA")
            if stage is not Stage.DATA or reply.code != 354:
                outcome = judge(stage, reply)
                self._tidy(smtp, outcome)
                return stage, outcome
            self._is_fresh = False
            stage = Stage.CONTENT
            smtp.send(wire)
            stage = Stage.END
            outcome = judge(stage, read_reply(*smtp.getreply()))
        except OSError as error:
            self._drop()
            if stage is Stage.END:
                note = f"the content was sent and the reply never came: {_reason(error)}"
                return stage, Outcome(Verdict.DOUBT, None, note, is_connection_usable=False)
            note = f"the connection was lost at {stage.name}: {_reason(error)}"
            return stage, Outcome(Verdict.DEFER, None, note, is_connection_usable=False)
        if not outcome.is_connection_usable:
            self._drop()
        return stage, outcome

    def _tidy(self, smtp: smtplib.SMTP, outcome: Outcome) -> None:
        """Leave the connection ready for the next transaction, or drop it."""
        if not outcome.is_connection_usable:
            self._drop()
            return
        self._is_fresh = False
        try:
            reply = _say(smtp, "RSET")
        except OSError:
            self._drop()
            return
        if reply.code // 100 != 2:
            self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


def _say(smtp: smtplib.SMTP, command: str) -> Reply:
    return read_reply(*smtp.docmd(command))


def _mail_options(smtp: smtplib.SMTP, envelope: Envelope, size: int, needs_smtputf8: bool) -> str:
    options = ""
    if smtp.has_extn("size"):
        options += f" SIZE={size}"
    if needs_smtputf8:
        options += " BODY=8BITMIME SMTPUTF8" if smtp.has_extn("8bitmime") else " SMTPUTF8"
    if smtp.has_extn("dsn"):
        options += " RET=HDRS"
        if envelope.envid:
            options += f" ENVID={xtext(envelope.envid)}"
    return options


def _unsent(trouble: Trouble) -> Outcome:
    return Outcome(
        Verdict.DEFER,
        trouble.reply,
        str(trouble),
        is_connection_usable=False,
        is_sender_at_fault=trouble.is_lasting,
    )


def _context(policy: RelayPolicy) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=policy.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            Fault(
                f"cannot be used: {_reason(error)}",
                where=policy.ca_file,
                field="MAILER_RELAY_CA_FILE",
                remedy="name a PEM file with the authority's certificate",
            )
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _own_name() -> str:
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return " ".join(str(error.strerror or error).split()) or type(error).__name__


def _as_bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
