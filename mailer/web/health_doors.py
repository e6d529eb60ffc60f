"""``/healthz`` and ``/readyz`` on the pages' own port, for whatever stands before them.

They say one word and no figure: anybody may ask. The rest is on the private listener.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mailer.operating.readiness import database_probes, is_ready
from mailer.storage.database import Database
from mailer.web.doors import Access, Door

UNKEPT = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def health_doors(database: Database) -> list[Door]:
    """Return the doors."""

    def alive(_request: Request) -> Response:
        return PlainTextResponse("ok\n", headers=UNKEPT)

    def ready(_request: Request) -> Response:
        if is_ready(database_probes(database)):
            return PlainTextResponse("ready\n", headers=UNKEPT)
        return PlainTextResponse("not ready\n", status_code=503, headers=UNKEPT)

    return [Door("/healthz", alive, Access.MACHINE), Door("/readyz", ready, Access.MACHINE)]
