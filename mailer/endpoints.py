"""Addresses with a port, as settings write them: ``127.0.0.1:9180``, ``[::1]:9180``."""

from __future__ import annotations

from ipaddress import ip_address

DNS_PORT = 53


def listening(value: str) -> str:
    """Return a host and a port to listen on as they are, "" too, or raise ValueError."""
    if value:
        host_and_port(value)
    return value


def name_server(value: str) -> str:
    """Return a name server's address as it is, "" too, or raise ValueError."""
    if value:
        server_and_port(value)
    return value


def host_and_port(value: str) -> tuple[str, int]:
    """Split an address at its port."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("is no address with a port; write 127.0.0.1:9180 or [::1]:9180")
    return host.strip("[]"), int(port)


def server_and_port(value: str) -> tuple[str, int]:
    """Split a name server's address, whose port may be left out."""
    has_port = value.count(":") == 1 or "]:" in value
    host, port = host_and_port(value) if has_port else (value.strip("[]"), DNS_PORT)
    try:
        ip_address(host)
    except ValueError:
        raise ValueError("is no IP address; write 192.0.2.53 or 127.0.0.1:5353") from None
    return host, port
