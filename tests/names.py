"""A name server on loopback that answers from a table: name -> kind -> records."""

from __future__ import annotations

import socketserver
import threading
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[str, dict[str, list[str]]]


class NameServer:
    """Serves a zone over UDP until the block ends; ``asked`` is what it was asked for."""

    def __init__(self, zone: Zone, *, is_ill: bool = False) -> None:
        self.zone = zone
        self.asked: list[str] = []
        naming = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, channel = self.request
                query = dns.message.from_wire(data)
                channel.sendto(naming._answer(query, is_ill).to_wire(), self.client_address)

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, query: Any, is_ill: bool) -> Any:
        [question] = query.question
        name = question.name.to_text().rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if is_ill:
            answer.set_rcode(dns.rcode.REFUSED)
        elif name not in self.zone:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif records := self.zone[name].get(kind):
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, records))
        return answer
