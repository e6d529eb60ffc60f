"""How an SMTP session is opened: greeting, EHLO, STARTTLS, login. No I/O.

``open_session`` is a generator: it yields the bytes to write (b"" to only read) or ``START_TLS``,
and is sent the server's next reply; it returns what the server offers, or ``Trouble``.

Refuses: mail in the clear where TLS was asked for, whatever the server says or does not offer; a
login over an unencrypted connection to another machine; anything a server said before TLS.

Standards: RFC 5321 sections 3.1, 3.2 and 4.1.1.1, RFC 3207, RFC 4954, RFC 4616 (PLAIN). LOGIN and
XOAUTH2 have no standard; the password is then the account's access token, which somebody else
renews.
"""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from mailer.delivery.answers import Answer
from mailer.delivery.capabilities import Capabilities, read_capabilities
from mailer.delivery.delivery import Reply, Trouble
from mailer.delivery.smtp import read_reply

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """Where the relay is and how to talk to it; see MAILER_RELAY_* in ``.env.example``.

    ``ca_file`` empty means the system's authorities; ``username`` empty means no login;
    ``hello_name`` empty means the machine's full name, or an address literal. ``timeout_s`` is
    the wait for a usual reply; those that RFC 5321 section 4.5.3.2 gives more or less than five
    minutes get as many times more or less.
    """

    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"] = "none"
    ca_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 300.0
    hello_name: str = ""
    auth: Literal["auto", "plain", "login", "xoauth2"] = "auto"

    def __str__(self) -> str:
        return f"the relay {self.host}:{self.port}"


class Wish(Enum):
    """What only the owner of the socket can do."""

    START_TLS = 1


START_TLS = Wish.START_TLS

Steps = Generator[bytes | Wish, Answer, Capabilities | Trouble]


def open_session(policy: RelayPolicy) -> Steps:
    """Open a session; the connection is there, and encrypted if ``tls`` is implicit."""
    answer = yield b""
    if answer[0] != 220:
        return objection(policy, _reply(answer))
    offered = yield from _hello(policy)
    if isinstance(offered, Trouble):
        return offered
    if policy.tls == "starttls":
        if not offered.has_starttls:
            return Trouble(
                f"{policy} does not offer STARTTLS; nothing was sent",
                "ask its operator, or mend MAILER_RELAY_TLS and MAILER_RELAY_PORT",
                is_lasting=True,
            )
        answer = yield b"STARTTLS\r\n"
        if answer[0] != 220:
            return objection(policy, _reply(answer))
        yield START_TLS
        # "The client MUST discard any knowledge obtained from the server" (RFC 3207 section 4.2).
        offered = yield from _hello(policy)
        if isinstance(offered, Trouble):
            return offered
    if policy.username:
        trouble = yield from _log_in(policy, offered)
        if trouble:
            return trouble
    return offered


def objection(policy: RelayPolicy, reply: Reply) -> Trouble:
    """Return what a reply that refuses the session means for a person."""
    is_login = reply.code in {530, 534, 535, 538}
    said = " ".join(f"{reply.code} {reply.enhanced} {reply.text}".split())
    return Trouble(
        f"{policy} {'refused the login' if is_login else 'will not serve us'}: {said}",
        "check MAILER_RELAY_USERNAME and MAILER_RELAY_PASSWORD"
        if is_login
        else "ask its operator; what is not sent stays in the ledger",
        is_lasting=reply.code // 100 == 5,
        reply=reply,
    )


def own_name(policy: RelayPolicy) -> str:
    """Return the name to give in EHLO; DNS is not asked, it can take as long as the timeout."""
    name = policy.hello_name or socket.gethostname()
    return name if policy.hello_name or ("." in name and name.isascii()) else "[127.0.0.1]"


def _hello(policy: RelayPolicy) -> Generator[bytes | Wish, Answer, Capabilities | Trouble]:
    name = own_name(policy)
    code, text = yield f"EHLO {name}\r\n".encode()
    if code == 250:
        return read_capabilities(text)
    if code not in {500, 501, 502, 504, 550}:
        return objection(policy, read_reply(code, text))
    # "... the client SHOULD fall back to HELO" (RFC 5321 section 3.2).
    answer = yield f"HELO {name}\r\n".encode()
    return Capabilities() if answer[0] == 250 else objection(policy, _reply(answer))


def _log_in(
    policy: RelayPolicy, offered: Capabilities
) -> Generator[bytes | Wish, Answer, Trouble | None]:
    if policy.tls == "none" and policy.host not in LOOPBACK:
        return _no_login(policy, "the connection is not encrypted")
    wanted = ("plain", "login") if policy.auth == "auto" else (policy.auth,)
    usable = [name for name in wanted if name.upper() in offered.mechanisms]
    if not usable:
        return _no_login(policy, f"it does not offer {' or '.join(wanted).upper()}")
    first, respond = _MECHANISMS[usable[0]](policy)
    answer = yield f"AUTH {usable[0].upper()}{' ' if first else ''}{first}\r\n".encode()
    for _ in range(4):
        if answer[0] != 334:
            break
        answer = yield f"{respond(answer[1])}\r\n".encode()
    if answer[0] == 235:
        return None
    reply = _reply(answer)
    if reply.code // 100 == 4:
        return Trouble(
            f"{policy} cannot check the login now: {reply.code} {reply.text}",
            "try again later; what is not sent stays in the ledger",
            reply=reply,
        )
    return objection(policy, reply if reply.code // 100 == 5 else Reply(535, "", reply.text))


def _no_login(policy: RelayPolicy, why: str) -> Trouble:
    return Trouble(
        f"{policy} takes no login: {why}",
        "leave MAILER_RELAY_USERNAME empty, or mend MAILER_RELAY_TLS",
        is_lasting=True,
    )


Respond = Callable[[bytes], str]


def _plain(policy: RelayPolicy) -> tuple[str, Respond]:
    return _coded(f"\0{policy.username}\0{policy.password}"), lambda _asked: "*"


def _login(policy: RelayPolicy) -> tuple[str, Respond]:
    left = [policy.password, policy.username]

    def respond(asked: bytes) -> str:
        # The first question is for the name, whatever its words are.
        return _coded(left.pop()) if left and _is_coded(asked) else "*"

    return "", respond


def _xoauth2(policy: RelayPolicy) -> tuple[str, Respond]:
    told = f"user={policy.username}\x01auth=Bearer {policy.password}\x01\x01"
    # A 334 carries the error; an empty line asks for the final 535.
    return _coded(told), lambda _asked: ""


_MECHANISMS = {"plain": _plain, "login": _login, "xoauth2": _xoauth2}


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _is_coded(asked: bytes) -> bool:
    try:
        base64.b64decode(asked.strip(), validate=True)
    except binascii.Error:
        return False
    return True


def _reply(answer: Answer) -> Reply:
    return read_reply(*answer)
