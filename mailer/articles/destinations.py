"""Where the program may fetch from: addresses of the web, decided without touching a network.

``read_destination`` takes an address apart and refuses what is not plain http or https to a
named host; ``refusal_of`` judges the number a name resolved to. Both are asked again for every
redirect. What is refused, and why:

- other schemes (file, ftp, data, gopher), names and passwords in the address, control characters,
  blanks and backslashes, which parsers read differently;
- numbers in any form but the plain one: ``2130706433``, ``0x7f.1``, ``0177.0.0.1``, ``127.1`` are
  all 127.0.0.1 to some resolvers;
- ports but those of web servers;
- addresses that are not public: private, loopback, link-local (cloud metadata is there),
  shared, multicast, reserved, and every IPv6 form that carries an IPv4 address within it
  (mapped, compatible, NAT64, 6to4, Teredo, ISATAP).

An operator can open networks (``allowed``); what is open, is open on every port.

Source: RFC 6890 and the IANA special-purpose registries; the WHATWG URL rule "ends in a number".
Known limit: a public address that leads to a private service by a router's rule looks public.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urljoin, urlsplit

import idna

Network = IPv4Network | IPv6Network

WEB_PORTS = frozenset({80, 443, 8000, 8008, 8080, 8443})
LONGEST_ADDRESS = 2_000
_PLAIN_PORTS = {"http": 80, "https": 443}

_CLOSED_4 = tuple(
    (IPv4Network(network), word)
    for network, word in (
        ("0.0.0.0/8", "means this machine"),
        ("10.0.0.0/8", "is private"),
        ("100.64.0.0/10", "is shared by a provider"),
        ("127.0.0.0/8", "is this machine"),
        ("169.254.0.0/16", "is link-local"),
        ("172.16.0.0/12", "is private"),
        ("192.0.0.0/24", "is reserved"),
        ("192.0.2.0/24", "is for documentation"),
        ("192.88.99.0/24", "is a 6to4 relay"),
        ("192.168.0.0/16", "is private"),
        ("198.18.0.0/15", "is for benchmarks"),
        ("198.51.100.0/24", "is for documentation"),
        ("203.0.113.0/24", "is for documentation"),
        ("224.0.0.0/4", "is multicast"),
        ("240.0.0.0/4", "is reserved"),
    )
)
_CLOSED_6 = tuple(
    (IPv6Network(network), word)
    for network, word in (
        ("::1/128", "is this machine"),
        ("::/128", "means this machine"),
        ("::ffff:0:0/96", "hides an IPv4 address"),
        ("::/96", "hides an IPv4 address"),
        ("64:ff9b::/96", "hides an IPv4 address (NAT64)"),
        ("64:ff9b:1::/48", "hides an IPv4 address (NAT64)"),
        ("2001::/32", "hides an IPv4 address (Teredo)"),
        ("2001::/23", "is reserved"),
        ("2001:db8::/32", "is for documentation"),
        ("2002::/16", "hides an IPv4 address (6to4)"),
        ("3fff::/20", "is for documentation"),
        ("fc00::/7", "is private"),
        ("fe80::/10", "is link-local"),
        ("fec0::/10", "is private"),
        ("ff00::/8", "is multicast"),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class Destination:
    """An address of the web that may be asked, taken apart; ``host`` is ASCII, without brackets."""

    url: str
    scheme: str
    host: str
    port: int


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the networks an operator opened, written with spaces or commas between them."""
    return tuple(ip_network(item) for item in text.replace(",", " ").split())


def read_destination(
    url: str, *, base: str = "", allowed: tuple[Network, ...] = ()
) -> Destination | str:
    """Return the destination of an address, or why it is refused, as the end of a sentence.

    Args:
        url: as it was written; a redirect's may be relative.
        base: the address a relative one starts from.
        allowed: networks that may be asked on any port.
    """
    url = url.strip(" \t\r\n")
    if len(url) > LONGEST_ADDRESS:
        return f"is {len(url):,} characters long"
    if re.search(r"[\x00-\x20\x7f\\]", url):
        return "has a blank, a backslash or a control character in it"
    try:
        parts = urlsplit(urljoin(base, url) if base else url)
        port = parts.port
    except ValueError:
        return "is not a web address"
    if parts.scheme not in _PLAIN_PORTS:
        return f"is a {parts.scheme[:20] or 'nameless'} address, not http or https"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "carries a name or password"
    host = _plain_host(parts.hostname or "")
    if isinstance(host, _No):
        return host.why
    number = _number(host)
    if port is None:
        port = _PLAIN_PORTS[parts.scheme]
    elif port not in WEB_PORTS and not (number and _is_open(number, allowed)) and not allowed:
        return f"names port {port}, which is no web server's"
    if number and (why := refusal_of(host, port=port, allowed=allowed)):
        return why
    shown = f"[{host}]" if ":" in host else host
    place = shown if port == _PLAIN_PORTS[parts.scheme] else f"{shown}:{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]|") if parts.query else ""
    return Destination(f"{parts.scheme}://{place}{path}{query}", parts.scheme, host, port)


@dataclass(frozen=True, slots=True)
class _No:
    why: str


def _plain_host(host: str) -> str | _No:
    if not host:
        return _No("names no host")
    if ":" in host:
        if "%" in host:
            return _No("names an interface of this machine")
        try:
            return IPv6Address(host).compressed
        except ValueError:
            return _No("is not a web address")
    try:
        # Full-width digits and other dots become plain ones here, before anything is judged.
        name = idna.encode(host, uts46=True).decode("ascii") if not host.isascii() else host
    except (idna.IDNAError, UnicodeError):
        return _No("names a host that cannot be")
    name = name.lower().rstrip(".")
    if not re.fullmatch(
        r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", name
    ):
        return _No("names a host that cannot be")
    if len(name) > 253 or any(len(label) > 63 for label in name.split(".")):
        return _No("names a host that cannot be")
    last = name.rpartition(".")[2]
    if re.fullmatch(r"\d+|0x[0-9a-f]*", last):
        try:
            return str(IPv4Address(name))
        except ValueError:
            return _No("writes a number for a host in a form that hides it")
    return name


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_open(number: IPv4Address | IPv6Address, allowed: tuple[Network, ...]) -> bool:
    return any(number.version == network.version and number in network for network in allowed)


def refusal_of(address: str, *, port: int | None = None, allowed: tuple[Network, ...] = ()) -> str:
    """Say why a resolved address may not be asked, as the end of a sentence; "" when it may."""
    number = _number(address)
    if number is None:
        return "has no address that can be read"
    if _is_open(number, allowed):
        return ""
    if isinstance(number, IPv4Address):
        words = [word for network, word in _CLOSED_4 if number in network]
        return f"leads to {number}, which {words[0]}" if words else _port_refusal(port)
    if number.scope_id is not None:
        return f"leads to {number}, an interface of this machine"
    words = [word for network, word in _CLOSED_6 if number in network]
    if words:
        return f"leads to {number}, which {words[0]}"
    if number not in _PUBLIC_6:
        return f"leads to {number}, which is not public"
    if (int(number) >> 32) & 0xFFFFFFFF in _ISATAP:
        return f"leads to {number}, which hides an IPv4 address (ISATAP)"
    return _port_refusal(port)


def _port_refusal(port: int | None) -> str:
    is_open = port is None or port in WEB_PORTS
    return "" if is_open else f"names port {port}, which is no web server's"
