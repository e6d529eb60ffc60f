"""Asking a name server, as the doctor needs it: an answer, none, or that it could not be asked."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

import dns.exception
import dns.name
import dns.resolver
import dns.reversename
from dns.rdatatype import RdataType

from mailer.endpoints import DNS_PORT
from mailer.errors import in_words

LIFETIME_S = 5.0

FIRST_S = 3.0
"""For the first question of all; a name server that is up knows where the root is."""

TRY_S = 1.0
"""For one try of it, so that the next name server, or the next try, has its turn in that time."""


class NotAsked(Exception):
    """The name server did not answer, so nothing is known."""


class Resolver:
    """Looks names up; ``server`` is an address and a port, None for the machine's own."""

    def __init__(self, server: tuple[str, int] | None = None) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=server is None)
        except dns.resolver.NoResolverConfiguration:
            raise NotAsked("this machine has no name server; set MAILER_DNS_SERVER") from None
        if server is not None:
            self._resolver.nameservers = [server[0]]
            self._resolver.port = server[1]
        self._resolver.lifetime = LIFETIME_S

    def silence(self) -> str:
        """Ask one short question; say that no name server answers, "" when one says anything.

        Without it every look-up would wait ``LIFETIME_S`` for a server that is dead.
        """
        usual_s, self._resolver.timeout = self._resolver.timeout, TRY_S
        try:
            self._resolver.resolve(dns.name.root, RdataType.SOA, search=False, lifetime=FIRST_S)
        except dns.resolver.NoNameservers as error:
            # A refusal is an answer: what it says of our names is another question.
            if not any(answer for *_whom, answer in error.kwargs.get("errors", ())):
                return f"{self._who()} cannot be asked"
        except dns.exception.Timeout:
            return f"{self._who()} did not answer within {FIRST_S:.0f} s"
        except (dns.exception.DNSException, OSError):
            return ""
        finally:
            self._resolver.timeout = usual_s
        return ""

    def _who(self) -> str:
        port = "" if self._resolver.port == DNS_PORT else f" port {self._resolver.port}"
        return f"the name server {', '.join(map(str, self._resolver.nameservers))}{port}"

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name, each with its strings joined."""
        return [
            b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT")
        ]

    def mail_servers(self, name: str) -> list[str]:
        """Return where a domain's mail goes, best first; a null MX is "."."""
        found = sorted(self._ask(name, "MX"), key=lambda record: record.preference)
        return [_name(record.exchange) for record in found]

    def addresses(self, name: str) -> list[str]:
        """Return a host's addresses, of both kinds."""
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def names(self, address: str) -> list[str]:
        """Return the host names of an address (PTR)."""
        asked = dns.reversename.from_address(address).to_text()
        return [_name(record.target) for record in self._ask(asked, "PTR")]

    def _ask(self, name: str, kind: str) -> list[Any]:
        try:
            found = self._resolver.resolve(name, RdataType[kind], search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.Timeout:
            raise NotAsked(
                f"the name server did not answer for {name} within {LIFETIME_S:.0f} s"
            ) from None
        except (dns.exception.DNSException, OSError) as error:
            said = shorten(in_words(error), 120, placeholder=" …")
            raise NotAsked(f"the name server did not answer for {name}: {said}") from None
        return list(found)


def _name(value: object) -> str:
    return str(value).rstrip(".").lower() or "."
