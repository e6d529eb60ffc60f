"""Telling systemd how the service is doing; nothing where systemd did not start it.

The protocol of sd_notify(3): a datagram to the socket that ``NOTIFY_SOCKET`` names. With
``Type=notify`` the unit counts as started when the parts are, and with ``WatchdogSec`` a supervisor
that hangs is started anew.
"""

from __future__ import annotations

import contextlib
import socket

from mailer.settings import service_socket


def notify(*lines: str) -> None:
    """Send lines such as ``READY=1``; a failure is no reason to stop."""
    address = service_socket()
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        channel.settimeout(1)
        channel.sendto("\n".join(lines).encode(), address)
